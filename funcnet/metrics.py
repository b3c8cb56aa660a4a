"""Using a network: outputs, loss and accuracy over data of any length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .arguments import short, whole
from .arrays import Labels, Matrix
from .composition import refuse
from .errors import ArgumentError, DtypeError, ShapeError
from .layer import AnyLayer
from .losses import Loss, value_of
from .tree import Params
from .typed import A, B, Fixed, Net, T

_CHUNK = 256  # examples at a time, so that memory stays bounded however many there are


def predict(net: Net[A, B], params: Params, x: Fixed[A], size: int = _CHUNK) -> B:
    """``net.apply(params, x)``, ``size`` examples at a time.

    >>> predict(tanh(), NO_PARAMS, np.ones((1000, 2))).shape
    (1000, 2)
    """
    layer = _layer(net)
    outputs: Any = [layer.apply(params, part) for part in _chunks(x, size)]
    joined: B = _joined(outputs)
    return joined


def evaluate(
    net: Net[A, Fixed[B]],
    loss: Loss[B, T],
    params: Params,
    x: Fixed[A],
    t: Fixed[T],
    size: int = _CHUNK,
) -> float:
    """The loss over all examples, in inference, ``size`` examples at a time.

    >>> evaluate(tanh(), mean_squared_error(), NO_PARAMS, np.zeros((3, 1)), np.ones((3, 1)))
    1.0
    """
    if not isinstance(loss, Loss):
        raise ArgumentError(f"evaluate takes a loss like mean_squared_error(), not {short(loss)}")
    layer, inputs, targets = _layer(net), list(_chunks(x, size)), list(_chunks(t, size))
    total, count = 0.0, 0
    if _length(x) != _length(t):
        raise ShapeError(f"{_length(x)} targets", f"{_length(t)}").within("evaluate", before="t")
    for part, target in zip(inputs, targets, strict=True):
        value, _ = value_of(loss, layer.apply(params, part), target)
        total += value * _length(part)
        count += _length(part)
    return total / count


def accuracy(
    net: Net[A, Matrix], params: Params, x: Fixed[A], t: Labels, size: int = _CHUNK
) -> float:
    """The share of examples whose largest output is that of their label.

    >>> accuracy(tanh(), NO_PARAMS, np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1]))
    0.5
    """
    return float((classes(net, params, x, size) == _labels(t, x)).mean())


def confusion_matrix(
    net: Net[A, Matrix], params: Params, x: Fixed[A], t: Labels, size: int = _CHUNK
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """How often label i (row) was read as j (column): (classes, classes) counts.

    >>> x = np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.4]])
    >>> confusion_matrix(tanh(), NO_PARAMS, x, np.array([1, 1, 0]))
    array([[0, 1],
           [1, 1]])
    """
    outputs = predict(net, params, x, size)
    count, labels = outputs.shape[1], _labels(t, x)
    if labels.size and not 0 <= labels.min() <= labels.max() < count:
        raise ShapeError(f"labels in [0, {count})", f"up to {labels.max()}").within(
            "confusion_matrix", before="t"
        )
    matrix = np.zeros((count, count), np.int64)
    np.add.at(matrix, (labels, outputs.argmax(1)), 1)
    return matrix


def classes(net: Net[A, Matrix], params: Params, x: Fixed[A], size: int = _CHUNK) -> Labels:
    """The class of each example: the index of its largest output."""
    chosen: Labels = predict(net, params, x, size).argmax(1)
    return chosen


def _layer(net: Any) -> AnyLayer:
    if not isinstance(net, AnyLayer):
        refuse(net)
    return net


def _length(x: Any) -> int:
    if isinstance(x, tuple) and x:
        lengths = {_length(part) for part in x}
        if len(lengths) > 1:
            raise ShapeError("as many examples in each of a tuple", f"{sorted(lengths)}").within(
                "the metric"
            )
        return lengths.pop()
    part = x
    if not isinstance(part, np.ndarray) or not part.ndim:
        raise ArgumentError(
            f"takes arrays of examples, not {short(part)}; write np.array(x, 'float32')"
        )
    return len(part)


def _chunks(x: Any, size: int) -> Iterator[Any]:
    """Slices of ``size`` examples; one of none where there are none."""
    size = whole("size", size)
    for start in range(0, max(1, _length(x)), size):
        part = slice(start, start + size)
        yield tuple([a[part] for a in x]) if isinstance(x, tuple) else x[part]


def _joined(outputs: list[Any]) -> Any:
    if len(outputs) == 1:
        return outputs[0]
    if isinstance(outputs[0], tuple):
        return tuple([np.concatenate(column) for column in zip(*outputs, strict=True)])
    return np.concatenate(outputs)


def _labels(t: Any, x: Any) -> Labels:
    if not isinstance(t, np.ndarray) or t.dtype.kind not in "iu":
        got = f"{t.dtype} {t.shape}" if isinstance(t, np.ndarray) else short(t)
        raise DtypeError(
            f"labels are an array of integers, not {got}; of one-hot rows take t.argmax(1)"
        )
    if t.shape != (_length(x),):
        raise ShapeError(f"{_length(x)} labels", f"shape {t.shape}").within(
            "the metric", before="t"
        )
    if not t.size:
        raise ShapeError("at least one example", "none").within("the metric")
    return t
