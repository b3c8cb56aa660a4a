"""Using a network: outputs, loss and accuracy over data of any length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from .arguments import given, short, whole
from .arrays import Labels, Matrix, shape_of
from .composition import refuse
from .errors import ArgumentError, DtypeError, ShapeError
from .layer import AnyLayer
from .losses import Loss, value_of
from .threads import at_once, blas_for, split_evenly
from .tree import Params
from .typed import A, B, Fixed, Net, T

_CHUNK = 256  # examples at a time, so that memory stays bounded however many there are


def predict(net: Net[A, B], params: Params, x: Fixed[A], size: int = _CHUNK, workers: int = 1) -> B:
    """``net.apply(params, x)``, ``size`` examples at a time.

    With more ``workers``, each computes as many of the examples in a thread of its own, while
    BLAS keeps to one thread. Networks of convolutions are done sooner. Raises
    ``MissingExtraError`` where threadpoolctl, which limits BLAS, is not installed.

    >>> predict(tanh(), NO_PARAMS, np.ones((1000, 2))).shape
    (1000, 2)
    """
    parts = split_evenly(_length("predict", x), whole("predict's workers", workers))
    if len(parts) < 2:
        outputs: B = _outputs("predict", net, params, x, size)
        return outputs
    inputs = [take_examples(x, part) for part in parts]
    tasks = [partial(_outputs, "predict", net, params, part, size) for part in inputs]
    joined: B = _joined(at_once(tasks, blas_for("predict")))
    return joined


def ensemble_predict(
    members: Sequence[tuple[Net[A, B], Params]], x: Fixed[A], size: int = _CHUNK
) -> B:
    """The mean of the outputs of ``members``, pairs (net, params), each as ``predict`` gives them.

    For the mean of probabilities, where networks give logits, let each end in a softmax:
    ``(net >> softmax(), params)``, which has no parameters of its own. Raises ``ShapeError`` for
    members whose outputs are of different shapes.

    >>> members = [(identity(), NO_PARAMS), (relu(), NO_PARAMS)]
    >>> ensemble_predict(members, np.array([[-1.0, 2.0]]))
    array([[-0.5,  2. ]])
    """
    owner = "ensemble_predict"
    outputs = [_outputs(owner, net, params, x, size) for net, params in _members(members)]
    for i, other in enumerate(outputs):
        if shape_of(other) != shape_of(outputs[0]):
            expected = f"outputs of shape {shape_of(outputs[0])}, as its first member's"
            raise ShapeError(expected, f"{shape_of(other)}").within(owner, before=f"member {i}")
    mean: B = _mean(outputs)
    return mean


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
        raise ArgumentError(f"evaluate takes a loss like mean_squared_error(), not {given(loss)}")
    layer, n = _layer(net), count_pairs("evaluate", x, t)
    total = 0.0
    for rows in _slices(n, size):
        y = layer.apply(params, take_examples(x, rows))
        value, _ = value_of(loss, y, take_examples(t, rows))
        total += value * len(range(n)[rows])
    return total / n


def accuracy(
    net: Net[A, Matrix], params: Params, x: Fixed[A], t: Labels, size: int = _CHUNK
) -> float:
    """The share of examples whose largest output is that of their label.

    Raises ``DtypeError`` for labels that are not integers, one-hot rows say, and ``ShapeError``
    for labels that are none of the classes and for a network of one output, which is the largest
    whatever it is.

    >>> accuracy(tanh(), NO_PARAMS, np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1]))
    0.5
    """
    column = "[:, 0]" if getattr(t, "ndim", 1) == 1 else ""
    yes = f"((predict(net, params, x){column} > 0) == (t > 0.5)).mean()"
    outputs = _scores("accuracy", net, params, x, size, yes)
    return float((_labels("accuracy", t, outputs) == outputs.argmax(1)).mean())


def confusion_matrix(
    net: Net[A, Matrix], params: Params, x: Fixed[A], t: Labels, size: int = _CHUNK
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """How often label i (row) was read as j (column): (classes, classes) counts.

    Raises ``DtypeError`` and ``ShapeError`` for labels, as ``accuracy`` does.

    >>> x = np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.4]])
    >>> confusion_matrix(tanh(), NO_PARAMS, x, np.array([1, 1, 0]))
    array([[0, 1],
           [1, 1]])
    """
    yes = "predict(net, params, x) > 0, and compare it with t > 0.5"
    outputs = _scores("confusion_matrix", net, params, x, size, yes)
    count, labels = outputs.shape[1], _labels("confusion_matrix", t, outputs)
    matrix = np.zeros((count, count), np.int64)
    np.add.at(matrix, (labels, outputs.argmax(1)), 1)
    return matrix


def _outputs(owner: str, net: Any, params: Params, x: Any, size: int) -> Any:
    layer, n = _layer(net), _length(owner, x)
    return _joined([layer.apply(params, take_examples(x, rows)) for rows in _slices(n, size)])


def _joined(outputs: list[Any]) -> Any:
    """The outputs of chunks as those of all examples."""
    if len(outputs) == 1:
        return outputs[0]
    if isinstance(outputs[0], tuple):
        return tuple([np.concatenate(column) for column in zip(*outputs, strict=True)])
    return np.concatenate(outputs)


def _members(members: Any) -> Sequence[tuple[Any, Params]]:
    what = "ensemble_predict takes a list of pairs (net, params)"
    if not isinstance(members, list | tuple):
        raise ArgumentError(f"{what}, not {short(members)}")
    if not members:
        raise ArgumentError(f"{what}, at least one, not {members}")
    for member in members:
        if not isinstance(member, tuple) or len(member) != 2:
            raise ArgumentError(f"{what}; {short(member)} is no pair")
    return members


def _mean(outputs: list[Any]) -> Any:
    if isinstance(outputs[0], tuple):
        return tuple([_mean(list(column)) for column in zip(*outputs, strict=True)])
    return np.mean(outputs, axis=0)


def _scores(owner: str, net: Any, params: Params, x: Any, size: int, yes: str) -> Matrix:
    """The outputs of a classifier: a row for each example, a column for each class.

    ``yes`` is what to write in place of ``owner`` where there is one output, for yes or no.
    """
    outputs: Any = _outputs(owner, net, params, x, size)
    shape = shape_of(outputs)
    if len(shape) != 2 or isinstance(shape[0], tuple):
        raise ShapeError("outputs (examples, classes)", f"{shape}").within(
            owner, before="the network"
        )
    if shape[1] == 1:
        raise ShapeError(
            "an output for each class", "1", f"of yes or no, in logits, write {yes}"
        ).within(owner, before="the network")
    scores: Matrix = outputs
    return scores


def _layer(net: Any) -> AnyLayer:
    if not isinstance(net, AnyLayer):
        refuse(net)
    return net


def count_pairs(owner: str, x: Any, t: Any) -> int:
    """How many examples there are, as many in ``x`` as in ``t``: arrays, or tuples of arrays."""
    n, targets = _length(owner, x), _length(owner, t, "np.array(t)")
    if n != targets:
        raise ShapeError(f"{n} targets", f"{targets}").within(owner, before="t")
    return n


def _length(owner: str, x: Any, mend: str = "np.array(x, 'float32')") -> int:
    if isinstance(x, tuple) and x:
        lengths = {_length(owner, part, mend) for part in x}
        if len(lengths) > 1:
            raise ShapeError("as many examples in each of a tuple", f"{sorted(lengths)}").within(
                owner
            )
        return lengths.pop()
    if not isinstance(x, np.ndarray) or not x.ndim:
        raise ArgumentError(f"{owner} takes arrays of examples, not {short(x)}; write {mend}")
    return len(x)


def _slices(n: int, size: int) -> Iterator[slice]:
    """Of ``size`` examples each, as far as there are; one of none where there are none."""
    size = whole("size", size)
    return (slice(start, min(start + size, n)) for start in range(0, max(1, n), size))


def take_examples(x: Any, rows: slice) -> Any:
    """Those of an array, or of each array of a tuple."""
    return tuple([take_examples(a, rows) for a in x]) if isinstance(x, tuple) else x[rows]


def _labels(owner: str, t: Any, outputs: Matrix) -> Labels:
    if not isinstance(t, np.ndarray) or t.dtype.kind not in "iu":
        got = f"{t.dtype} {t.shape}" if isinstance(t, np.ndarray) else short(t)
        raise DtypeError(f"{owner} takes labels, an array of integers, not {got}{_integers(t)}")
    n, count = outputs.shape
    if t.shape != (n,):
        raise ShapeError(f"{n} labels", f"shape {t.shape}").within(owner, before="t")
    if not n:
        raise ShapeError("at least one example", "none").within(owner)
    low, high = t.min(), t.max()
    if not 0 <= low <= high < count:
        raise ShapeError(f"labels in [0, {count})", f"{low} to {high}").within(owner, before="t")
    return t


def _integers(t: Any) -> str:
    """How to make labels of an array of other numbers."""
    if not isinstance(t, np.ndarray) or t.dtype.kind not in "fb":
        return ""
    if t.ndim == 1:
        return "; write t.astype(int)"
    if t.ndim != 2:
        return ""
    one_hot = t.shape[1] > 1
    return "; of one-hot rows write t.argmax(1)" if one_hot else "; write t[:, 0].astype(int)"
