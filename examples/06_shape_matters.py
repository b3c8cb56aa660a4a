"""Shape matters: what a dense and a convolutional network lose when pixels change places."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
from lesson import Part, Setting, equal, learn, own, progress, shows, teach

import funcnet as fn

LOSS = fn.softmax_cross_entropy()


def dense_net(pixels: int) -> fn.AnyLayer:
    return fn.flatten() >> fn.models.two_layer(pixels, 100, 10, fn.relu())


def networks(pixels: int) -> dict[str, fn.AnyLayer]:
    return {"dense": dense_net(pixels), "conv": fn.models.simple_conv(1, 10)}


def order(pixels: int) -> fn.Labels:
    """The one shuffle of this lesson: which pixel comes where."""
    return fn.Key(0).child("shuffle").generator().permutation(pixels)


def shuffled(x: fn.Tensor4) -> fn.Tensor4:
    """All images with their pixels at other places, the same for every image."""
    flat = x.reshape(len(x), -1)
    return flat[:, order(flat.shape[1])].reshape(x.shape)


def moved(data: fn.Dataset) -> fn.Dataset:
    """The same images shuffled, to learn from and to be tested on."""
    train, test = data
    return fn.Dataset(fn.Batch(shuffled(train.x), train.t), fn.Batch(shuffled(test.x), test.t))


def run(net: fn.AnyLayer, data: fn.Dataset, epochs: int, key: int) -> list[float]:
    """Test accuracy after each epoch: Adam, batches of 100."""
    prepared = fn.prepare(fn.Key(key), net, LOSS, fn.adam(0.001), *data.train, 100, epochs)
    return learn(prepared, net, data.test).accuracies


def runs(setting: Setting) -> dict[str, fn.Matrix]:
    """Test accuracies (keys, epochs) of each network, with pixels in place and shuffled."""
    data, epochs, keys = setting.few(10_000, 300), setting.choose(3, 1), range(setting.choose(5, 2))
    ways = {"in place": data, "shuffled": moved(data)}
    nets = networks(data.train.x[0].size)
    pairs = [(name, way) for name in nets for way in ways]
    return {
        f"{name}, {way}": np.array([run(nets[name], ways[way], epochs, key) for key in keys])
        for name, way in progress(pairs, "networks")
    }


def shuffle(setting: Setting) -> Part:
    """Which network still reads when the pixels of all images are shuffled in the same way?"""
    found = runs(setting)
    ends = {name: each[:, -1] for name, each in found.items()}
    medians = {name: float(np.median(each)) for name, each in ends.items()}
    spread = max(float(np.ptp(ends[f"dense, {way}"])) for way in ("in place", "shuffled"))
    lost = {
        name: medians[f"{name}, in place"] - medians[f"{name}, shuffled"]
        for name in ("dense", "conv")
    }
    x = setting.few(10_000, 300).test.x[:8]
    drawn = {
        name: (1 + np.arange(each.shape[1]), np.median(each, 0)) for name, each in found.items()
    }
    return Part(
        [
            *[own(f"{name}: test accuracy", median) for name, median in medians.items()],
            own("dense nets: from the lowest to the highest key", spread),
            own("the shuffle costs the dense net and the conv net", list(lost.values())),
            shows(
                "the dense net is unaffected: medians differ by less than from key to key",
                abs(lost["dense"]) < spread,
                full=True,
            ),
            shows(
                "the conv net loses more than the dense nets differ from key to key",
                lost["conv"] > spread,
                full=True,
            ),
            shows(
                "with pixels in place every conv net reads better than any dense net",
                ends["conv, in place"].min() > max(ends["dense, in place"]),
                full=True,
            ),
            shows(
                "shuffled, the two differ by less than the dense nets from key to key",
                abs(medians["conv, shuffled"] - medians["dense, shuffled"]) < spread,
                full=True,
            ),
        ],
        "A dense layer looks at every pixel with a weight of its own, and to it no pixel is beside "
        "another: it learns shuffled images as well as others. A filter of 5x5 looks for strokes, "
        "and in shuffled images there are none: what it was ahead is gone. (Medians over five "
        "keys, after three epochs on the first 10,000 images; the curves are of medians too.)",
        {
            "pixels": fn.plotting.figure(
                *fn.plotting.images(np.concatenate([x, shuffled(x)])),
                columns=8,
                size=(0.85, 0.85),
                title="above: images; below: the same, shuffled",
            ),
            "accuracies": fn.plotting.figure(
                fn.plotting.curves(drawn, x="epoch", y="test accuracy", markers="."),
                size=(6.8, 3.0),
            ),
        },
        key=0,
    )


def the_same_function(setting: Setting) -> Part:
    """Why exactly does a dense network not care where a pixel is?"""
    (x, t), _ = setting.few(10_000, 300)
    images, labels = x[:300].astype(np.float64), t[:300]
    net, places = dense_net(x[0].size), order(x[0].size)
    params = fn.tree_map(np.float64, net.init(fn.Key(0), x.shape[1:]))
    rows_moved = params["dense1"] | {"W": params["dense1"].leaf("W")[places]}
    moved_params = params | {"dense1": rows_moved}
    before, after = net.apply(params, images), net.apply(moved_params, shuffled(images))
    losses = descent(net, params, images, labels)
    moved_losses = descent(net, moved_params, shuffled(images), labels)
    return Part(
        [
            equal(
                "largest difference of an output, shuffled images and W with its rows shuffled",
                0.0,
                np.abs(before - after).max(),
                1e-12,
            ),
            equal(
                "largest difference of a loss in 20 steps of training from there",
                0.0,
                np.abs(losses - moved_losses).max(),
                1e-12,
            ),
            shows("the loss has fallen in these steps", losses[-1] < losses[0]),
        ],
        "Row i of W belongs to pixel i. Move both in the same way, and every sum has the same "
        "terms: it is the same function, and its gradients are the same too. Weights are drawn "
        "without a look at the place, so that a net with its rows moved is as likely a start as "
        "any. A filter serves all places at once, and has no rows that could move with the "
        "pixels. (In float64; what differs is rounding.)",
        key=0,
    )


def descent(net: fn.AnyLayer, params: fn.Params, x: fn.Tensor4, t: fn.Labels) -> fn.Vector:
    """The losses of 20 steps of gradient descent, all examples in each."""
    optimizer = fn.sgd(0.1)
    step, batch = fn.train_step(net, LOSS, optimizer), fn.Batch(x, t)
    start = fn.TrainState.start(params, optimizer, fn.Key(1))
    states = accumulate([batch] * 20, step, initial=start)
    return np.array([state.loss for state in states][1:])  # the first state has no batch behind it


if __name__ == "__main__":
    teach(shuffle, the_same_function)
