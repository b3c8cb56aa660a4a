"""What makes funcnet fast, one by one, and how each is switched off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

import funcnet as fn
from funcnet import arrays, layer, losses, optimizers, training, tree, windows
from funcnet.kernels import correlation, gathering, places, winograd
from funcnet.layers import activations, convolution, dense, noise, normalization, pooling


class Switch(NamedTuple):
    """What a module or a class has as ``name`` while a trick is off."""

    owner: ModuleType | type
    name: str
    value: Any


class Trick(NamedTuple):
    """A technique: what is done, what is done while it is off, and the function where it lives.

    ``workloads`` are the names in ``NETWORKS`` on which it is measured. One that is ``under``
    another is of use where that one is not, and is measured there.
    """

    group: str
    title: str
    instead: str
    where: str
    workloads: str
    off: Sequence[Switch]
    under: str = ""


@contextmanager
def switched(switches: Sequence[Switch]) -> Iterator[None]:
    """Meanwhile, modules and classes have what the switches say."""
    before = [vars(each.owner)[each.name] for each in switches]
    for owner, name, value in switches:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for each, value in zip(switches, before, strict=True):
            setattr(each.owner, each.name, value)


# ---- what is done instead ----------------------------------------------------------------------


def one_block(count: int, numbers: int) -> list[slice]:
    return [slice(0, count)]


def rows_in_order(y: Any) -> Any:
    return np.ascontiguousarray(arrays.channels_first(y))


def blocks_of_whole_windows(count: int, numbers: int) -> list[slice]:
    """For kernels of three rows, whose windows take three times what their rows take."""
    return windows.blocks(count, 3 * numbers)


def whole_windows(x: Any, window: Any, out: Any) -> list[Any]:
    return [gathering._whole(x, window, out)]


def bias_added(y: Any, x: Any, w: Any, bias: Any, window: Any) -> None:
    places.by_places(y, x, w, None, window)
    if bias is not None:
        y += bias


def bias_summed(x: Any, dy: Any, window: Any, bias: bool) -> tuple[Any, Any]:
    dw, _ = places.by_places_grads(x, dy, window, False)
    return dw, arrays.column_sums(dy.reshape(*dy.shape[:3], -1)) if bias else None


def with_all_gradients(
    net: Any, loss: Any, params: Any, x: Any, t: Any, mode: Any
) -> tuple[float, fn.Grads, fn.Params]:
    y, cache = net.forward(params, x, mode)
    value, seen = loss.forward(y, t)
    _, grads = net.backward(cache, loss.backward(seen))
    return value, grads, net.refresh(params, cache)


def summed(x: Any) -> Any:
    return x.reshape(-1, x.shape[-1]).sum(0)


def places_of_maxima(window: Any, params: Any, x: Any, mode: Any) -> tuple[Any, Any]:
    """Pools that neither overlap nor leave gaps, as those of C and D are."""
    (n, c, height, width), (kh, kw) = x.shape, window.size
    tiles = x.reshape(n, c, height // kh, kh, width // kw, kw).swapaxes(3, 4)
    tiles = tiles.reshape(*tiles.shape[:4], kh * kw)
    at = tiles.argmax(-1)[..., None]
    return np.take_along_axis(tiles, at, -1)[..., 0], (at, x.shape)


def put_at_maxima(window: Any, cache: Any, dy: Any) -> tuple[Any, fn.Grads]:
    (at, shape), (kh, kw) = cache, window.size
    tiles = np.zeros((*at.shape[:4], kh * kw), dy.dtype)
    np.put_along_axis(tiles, at, dy[..., None], -1)
    return tiles.reshape(*at.shape[:4], kh, kw).swapaxes(3, 4).reshape(shape), fn.Grads()


def positive_by_index(x: Any) -> Any:
    y = x.copy()
    y[x < 0] = 0
    return y


def relu_backward_by_index(y: Any, dy: Any) -> tuple[Any, fn.Grads]:
    dx = dy.copy()
    dx[y <= 0] = 0
    return dx, fn.Grads()


def mask_of_floats(rate: float, key: fn.Key, x: Any) -> Any:
    kept = key.generator().random(x.shape, x.dtype) >= rate
    return kept / x.dtype.type(1 - rate)


def adam_by_the_formula(
    beta1: float, beta2: float, epsilon: float, step: int, rate: float
) -> Callable[..., tuple[Any, Any, Any]]:
    t = step + 1

    def leaf(g: Any, m: Any, v: Any) -> tuple[Any, Any, Any]:
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        mean, square = m / (1 - beta1**t), v / (1 - beta2**t)
        return -rate * mean / (np.sqrt(square) + epsilon), m, v

    return leaf


def updated_then_applied(
    optimizer: Any, grads: fn.Grads, state: Any, params: fn.Params
) -> tuple[fn.Params, Any]:
    updates, state = optimizer.update(grads, state, params)
    return fn.apply_updates(params, updates), state


def two_rows(most: int, taps: int) -> int:
    return winograd.EXACT


def spec_again(self: Any, shape: Any) -> Any:
    return self.functions.spec(shape)[0]


# ---- the tricks --------------------------------------------------------------------------------

MEMORY, CONVOLUTION, POOLS = "Memory", "Convolution", "Pools"
ELEMENTS, CALLS = "Element by element", "Around the arithmetic"
WINOGRAD = "Winograd's algorithm"

TRICKS = [
    Trick(
        MEMORY,
        "Channels last in memory, from layer to layer",
        "what a convolution gives is copied into the order of its shape, (n, c, h, w)",
        "layers/convolution.py: ungrouped",
        "C D F",
        [Switch(convolution, "channels_first", rows_in_order)],
    ),
    KEPT := Trick(
        MEMORY,
        "Memory kept from step to step",
        "glibc's `malloc` returns large arrays to the system, until a larger one has been freed",
        "windows.py",
        "C D F",
        [],
    ),
    Trick(
        CONVOLUTION,
        WINOGRAD,
        "gathering by rows",
        "kernels/winograd.py: winograd",
        "D F",
        [Switch(correlation, "SHARE", 0.0)],
    ),
    Trick(
        CONVOLUTION,
        "F(4, 3) for gradients and in inference",
        "F(2, 3), as for outputs in training",
        "kernels/winograd.py: FAST",
        "D F",
        [Switch(winograd, "_step", two_rows)],
    ),
    Trick(
        CONVOLUTION,
        "Gathering by rows",
        "whole windows are gathered; here all without Winograd",
        "kernels/gathering.py: _rows",
        "D F",
        [
            Switch(gathering, "_rows", whole_windows),
            Switch(gathering, "blocks", blocks_of_whole_windows),
        ],
        under=WINOGRAD,
    ),
    Trick(
        CONVOLUTION,
        "Gathering by places where rows are short",
        "the technique that serves where they are long",
        "kernels/places.py: by_places",
        "C D F",
        [Switch(correlation, "SHORT", 0)],
    ),
    Trick(
        CONVOLUTION,
        "The bias as one more weight of a window",
        "it is added, and its gradient summed up, in passes of their own",
        "kernels/places.py: _places",
        "C D F",
        [
            Switch(correlation, "by_places", bias_added),
            Switch(correlation, "by_places_grads", bias_summed),
        ],
    ),
    Trick(
        CONVOLUTION,
        "Blocks of a batch that stay in cache",
        "the whole batch at once",
        "windows.py: blocks",
        "C D F",
        [Switch(module, "blocks", one_block) for module in (gathering, places, winograd)],
    ),
    Trick(
        CONVOLUTION,
        "No gradient of the network's input",
        "`backward`, which has it",
        "pipeline.py: pipeline_grads",
        "A B C D",
        [Switch(training, "_value_and_grad", with_all_gradients)],
    ),
    Trick(
        POOLS,
        "Maxima by slices",
        "windows are gathered, `argmax` kept, and gradients put there",
        "layers/pooling.py: max_pool2d_apply",
        "C D",
        [
            Switch(pooling, "max_pool2d_forward", places_of_maxima),
            Switch(pooling, "max_pool2d_backward", put_at_maxima),
        ],
    ),
    Trick(
        POOLS,
        "A gradient of its own where windows do not overlap",
        "the one that serves all",
        "layers/pooling.py: _unpool_tiles",
        "C D",
        [Switch(pooling, "_tiles", lambda window, shape: False)],
    ),
    Trick(
        POOLS,
        "Blocks of a batch here too",
        "the whole batch at once",
        "layers/pooling.py: _blocks",
        "C D F",
        [Switch(pooling, "blocks", one_block)],
    ),
    Trick(
        ELEMENTS,
        "ReLU by `clip`",
        "`np.maximum(x, 0)`",
        "layers/activations.py: positive",
        "A B C D F",
        [Switch(activations, "positive", lambda x: np.maximum(x, 0))],
    ),
    Trick(
        ELEMENTS,
        "ReLU without indices",
        "`y[x < 0] = 0` and `dx[y <= 0] = 0`",
        "layers/activations.py: relu_backward",
        "A B C D",
        [
            Switch(activations, "positive", positive_by_index),
            Switch(activations, "relu_backward", relu_backward_by_index),
        ],
    ),
    Trick(
        ELEMENTS,
        "Sums as products with ones",
        "`x.sum(0)`, `x.sum(1)`",
        "arrays.py: column_sums",
        "A B D E",
        [
            *[Switch(m, "column_sums", summed) for m in (dense, correlation, normalization)],
            Switch(losses, "row_sums", lambda x: x.sum(1)),
        ],
    ),
    Trick(
        ELEMENTS,
        "Dropout's masks of random bytes",
        "of random floats",
        "layers/noise.py: dropout_mask",
        "B-dropout",
        [Switch(noise, "dropout_mask", mask_of_floats)],
    ),
    Trick(
        ELEMENTS,
        "Adam in three new arrays",
        "the formula as it is written, an array for each term",
        "optimizers.py: _adam_leaf",
        "B-Adam C",
        [Switch(optimizers, "_adam_rule", adam_by_the_formula)],
    ),
    Trick(
        CALLS,
        "Trees that mark fresh arrays as read-only",
        "trees that copy them",
        "tree.py: Tree.fresh",
        "A B-Adam C",
        [Switch(tree.Tree, "fresh", classmethod(lambda cls, items: cls(items)))],
    ),
    Trick(
        CALLS,
        "Updates added to parameters as they are made",
        "a tree of updates, and then `apply_updates`",
        "updates.py: move_leaves",
        "A B-Adam C",
        [Switch(training, "moved", updated_then_applied)],
    ),
    Trick(
        CALLS,
        "A network's parameters and shapes, known from the call before",
        "worked out at each call",
        "layer.py: AnyLayer._remembered",
        "A B",
        [Switch(layer.AnyLayer, "_remembered", spec_again)],
    ),
]

# ---- what is trained and read ------------------------------------------------------------------


def hidden(between: Callable[[], fn.AnyLayer]) -> fn.Layer[Any, Any]:
    return fn.models.multi_layer(784, [100] * 4, 10, between())


NETWORKS: dict[str, Callable[[], fn.Layer[Any, Any]]] = {
    "A": lambda: fn.models.multi_layer(784, [50], 10),
    "B": lambda: hidden(fn.relu),
    "B-Adam": lambda: hidden(fn.relu),
    "B-dropout": lambda: hidden(lambda: fn.relu() >> fn.dropout(0.5)),
    "C": lambda: fn.models.simple_conv(1, 10),
    "D": lambda: fn.models.deep_conv(1, 10),
    "E": lambda: hidden(lambda: fn.batch_norm() >> fn.relu()),
    "F": lambda: fn.models.deep_conv(1, 10),
}
"""Made while a trick is off or on: a layer keeps hold of its functions."""
