"""Reads handwritten digits: trains a small convolutional network, saves it and looks at it.

Run it with ``python examples/digits.py``; ``--help`` lists the options. It prints the network, the
accuracy after each epoch and the confusion matrix, saves the parameters, loads them in a fresh
process, and writes two pictures into ``--out``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

import funcnet as fn

try:
    from tqdm import tqdm
except ImportError as error:
    sys.exit(f"{error.name} is missing; install the extra: pip install '.[examples]'")

IMAGE = (1, 8, 8)

# Turns, zooms and shifts each image a little, as other hands might write it.
jiggle = fn.augmentation.compose(
    fn.augmentation.rotate(10),
    fn.augmentation.scale(0.1),
    fn.augmentation.sometimes(0.5, fn.augmentation.shift(1)),
)


class Epoch(NamedTuple):
    """What the learning curves show."""

    loss: float
    train: float
    test: float


def block(c_in: int, c_out: int) -> fn.Layer[fn.Image[int], fn.Image[int]]:
    return fn.conv2d(c_in, c_out, 3, pad=1) >> fn.batch_norm() >> fn.relu()


def network() -> fn.Layer[fn.Image[int], fn.Vec[int]]:
    return (
        block(1, 24)
        >> block(24, 32)
        >> fn.max_pool2d(2)
        >> block(32, 48)
        >> fn.flatten()
        >> fn.dropout(0.5)
        >> fn.dense(..., 10)
    )


def train(seed: int, epochs: int) -> tuple[fn.Params, list[Epoch]]:
    """Train from ``fn.Key(seed)``; the same seed gives the same parameters."""
    data, test = fn.datasets.digits()
    key, net = fn.Key(seed), network()
    batches = fn.minibatches(
        key.child("batches"), data.x, data.t, size=50, epochs=epochs, transform=jiggle
    )
    optimizer = fn.adam(fn.cosine_decay(0.003, steps=len(batches)))
    # Smoothed labels keep the network from being too sure of how the training hands write.
    step = fn.train_step(net, fn.softmax_cross_entropy(label_smoothing=0.1), optimizer)
    state = fn.TrainState.start(net.init(key.child("init"), IMAGE), optimizer, key.child("train"))

    history, losses = [], []
    for batch in tqdm(batches, "training", unit="batch", leave=False, disable=None):
        state = step(state, batch)
        losses.append(state.loss)
        if state.step % batches.per_epoch == 0:
            accuracies = [fn.accuracy(net, state.params, x, t) for x, t in (data, test)]
            history.append(Epoch(float(np.mean(losses)), *accuracies))
            losses = []
            tqdm.write(
                f"epoch {len(history):2}  loss {history[-1].loss:.4f}  "
                f"train {history[-1].train:.4f}  test {history[-1].test:.4f}"
            )
    return state.params, history


def draw_curves(history: list[Epoch], path: Path) -> None:
    epochs = range(1, len(history) + 1)
    train, test = [e.train for e in history], [e.test for e in history]
    fn.plotting.figure(
        fn.plotting.curves(
            {"train": (epochs, [e.loss for e in history])},
            x="epoch",
            y="loss, mean of the epoch",
        ),
        fn.plotting.curves(
            {"train": (epochs, train), "test": (epochs, test)}, x="epoch", y="accuracy"
        ),
        size=(4.5, 3.5),
    ).savefig(path, dpi=120)


def draw_misread(params: fn.Params, path: Path) -> int:
    """Draw the test digits that were misread; give how many."""
    _, test = fn.datasets.digits()
    read = fn.predict(network(), params, test.x).argmax(1)
    wrong = np.flatnonzero(read != test.t)
    titles = [f"{test.t[i]} read as {read[i]}" for i in wrong]
    drawings = fn.plotting.images(test.x[wrong], titles) or [fn.plotting.over()]
    fn.plotting.figure(*drawings, columns=8, size=(1, 1.35)).savefig(path, dpi=120)
    return len(wrong)


def test_accuracy(weights: Path) -> float:
    """The accuracy of saved parameters, as a process that knows only the file finds it."""
    _, test = fn.datasets.digits()
    net = network()
    params = fn.load(weights, like=net.init(fn.Key(0), IMAGE))
    return fn.accuracy(net, params, test.x, test.t)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--key", type=int, default=0, help="seed of the run (default 0)")
    parser.add_argument("--epochs", type=int, default=30, help="epochs to train (default 30)")
    parser.add_argument("--quick", action="store_true", help="2 epochs, to see it run")
    parser.add_argument("--out", type=Path, default=Path("output"), help="where files go")
    parser.add_argument("--check", type=Path, metavar="FILE", help="only test saved parameters")
    options = parser.parse_args()
    if options.check:
        print(f"{test_accuracy(options.check):.6f}")
        return

    options.out.mkdir(parents=True, exist_ok=True)
    weights = options.out / "digits.npz"
    print(fn.summary(network(), IMAGE))
    print("(not trained: batch norm's running statistics, which no gradient moves)\n")
    print("loss: on images turned and shifted a little; accuracies: on the images as they are")
    began = time.perf_counter()
    params, history = train(options.key, 2 if options.quick else options.epochs)
    print(f"\ntest accuracy {history[-1].test:.4f} after {time.perf_counter() - began:.1f} s\n")

    _, test = fn.datasets.digits()
    print("confusion matrix: rows are labels, columns what was read")
    print(fn.confusion_matrix(network(), params, test.x, test.t), end="\n\n")

    fn.save(weights, params)
    fresh = [sys.executable, __file__, "--check", str(weights)]
    loaded = subprocess.run(fresh, capture_output=True, text=True, check=True).stdout.strip()
    print(f"saved as {weights}; loaded in a fresh process: test accuracy {float(loaded):.4f}")
    if loaded != f"{history[-1].test:.6f}":
        sys.exit("the loaded network reads otherwise than the trained one")

    curves, misread = options.out / "digits_curves.png", options.out / "digits_misread.png"
    draw_curves(history, curves)
    count = draw_misread(params, misread)
    print(f"pictures: {curves}, and the {count} misread digits in {misread}")


if __name__ == "__main__":
    main()
