"""Losses: pairs of pure functions, like layers, from a network's outputs to one number.

All are means over the batch, and start from logits where there is a probability: the last layer of
a classifier is affine, and no softmax follows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import numpy as np

from .arguments import function, number, one_number, short
from .arrays import Array, Labels, Matrix, is_arrays, row_sums, shape_of
from .errors import ArgumentError, ConfigError, DtypeError, ShapeError
from .layers.activations import sigmoid_apply
from .tree import NO_PARAMS

Y = TypeVar("Y")
T_contra = TypeVar("T_contra", contravariant=True)


@dataclass(frozen=True, slots=True, repr=False)
class Loss(Generic[Y, T_contra]):
    """A loss: ``forward(y, t) -> (value, cache)`` and ``backward(cache) -> dy``.

    ``y`` are a network's outputs, ``t`` the targets, ``value`` a float; ``dy`` has the shape and
    dtype of ``y``. A loss of your own is such a pair of pure functions:

    >>> def forward(y, t): return float(np.abs(y - t).mean()), y - t
    >>> def backward(d): return np.sign(d) / d.size
    >>> absolute_error = Loss(forward, backward)
    >>> absolute_error.forward(np.array([[1.0, 4.0]]), np.array([[1.0, 2.0]]))[0]
    1.0

    ``inside`` is the activation that a loss computes itself, ``"softmax()"`` say: training a
    network that ends in it as well is refused.
    """

    forward: Callable[[Y, T_contra], tuple[float, Any]]
    backward: Callable[[Any], Y]
    shown: str = "Loss(...)"
    inside: str = ""

    def __post_init__(self) -> None:
        function("a loss's forward", self.forward, "forward(y, t)")
        function("a loss's backward", self.backward, "backward(cache)")

    if not TYPE_CHECKING:

        def __call__(self, *arguments, **options):
            raise ArgumentError("a loss is not called: write loss.forward(y, t)[0] for its value")

    def __repr__(self) -> str:
        return self.shown


def value_of(loss: Loss[Any, Any], y: Any, t: Any) -> tuple[float, Any]:
    """``loss.forward(y, t)``, whose value a loss of one's own may give as a NumPy number."""
    found = loss.forward(y, t)
    if not isinstance(found, tuple) or len(found) != 2:
        raise ArgumentError(f"the loss's forward returns (value, cache), not {short(found)}")
    value, cache = found
    return float(one_number("the loss's value is a number", value, "; take its mean, say")), cache


def gradient_of(loss: Loss[Any, Any], cache: Any, y: Any, t: Any) -> Any:
    """``loss.backward(cache)``, which has the shape of the outputs ``y``."""
    dy = loss.backward(cache)
    if not is_arrays(dy) or shape_of(dy) != shape_of(y):
        got = f"{shape_of(dy)}" if is_arrays(dy) else short(dy)
        targets = f"the targets are {shape_of(t)}" if is_arrays(t) else ""
        raise ShapeError(f"a gradient of the outputs' shape {shape_of(y)}", got, targets).within(
            "the step", before="the loss's backward"
        )
    return dy


# ---- classification ----------------------------------------------------------------------------


class CrossEntropyCache(NamedTuple):
    """Probabilities, and where those of the labels lie in ``p.ravel()``."""

    p: Array
    at: Labels


def softmax_cross_entropy_forward(
    smoothing: float, y: Matrix, t: Labels
) -> tuple[float, CrossEntropyCache]:
    n = _logits(y)
    _check_labels(y, t)
    starts = _row_starts(y)
    p, log_total, top = _softmax(y, starts)
    at: Labels = starts + t.astype(np.intp, copy=False)
    # In float64, where the difference of two finite float32 numbers cannot overflow.
    picked = y.take(at).astype(np.float64) - top
    value = log_total - picked
    if smoothing:
        # The targets are 1 - smoothing at the label and smoothing / classes everywhere.
        value += smoothing * (picked - (y.mean(1, dtype=np.float64) - top))
    return float(value.sum()) / n, CrossEntropyCache(p, at)


def softmax_cross_entropy_backward(smoothing: float, cache: CrossEntropyCache) -> Matrix:
    p, at = cache
    n, classes = p.shape
    dy: Matrix = p.copy()
    if smoothing:
        dy -= smoothing / classes
    dy.ravel()[at] -= 1 - smoothing  # a view, as a copy lies in order
    dy *= 1 / n
    return dy


def softmax_cross_entropy(label_smoothing: float = 0.0) -> Loss[Matrix, Labels]:
    """-log of the softmax probability of the label; ``y`` logits (n, classes), ``t`` labels (n,).

    With ``label_smoothing`` s, the target is 1 - s at the label plus s / classes everywhere
    (Szegedy et al. 2016). Raises ``DtypeError`` for labels that are no integers and
    ``ConfigError`` for ones outside [0, classes).

    >>> loss = softmax_cross_entropy()
    >>> value, cache = loss.forward(np.zeros((1, 4)), np.array([2]))
    >>> round(value, 4), loss.backward(cache)
    (1.3863, array([[ 0.25,  0.25, -0.75,  0.25]]))
    """
    smoothing = number("label_smoothing", label_smoothing, "[0, 1)")
    return Loss(
        partial(softmax_cross_entropy_forward, smoothing),
        partial(softmax_cross_entropy_backward, smoothing),
        f"softmax_cross_entropy({smoothing or ''})",
        inside="softmax()",
    )


def soft_cross_entropy_forward(y: Matrix, t: Matrix) -> tuple[float, tuple[Array, Array]]:
    _logits(y)
    t = _float_targets(y, t)
    p, log_total, top = _softmax(y, _row_starts(y))
    shifted = y.astype(np.float64) - top[:, None]
    value = log_total * t.sum(1) - (t * shifted).sum(1)
    return float(value.mean()), (p, t)


def soft_cross_entropy_backward(cache: tuple[Array, Array]) -> Matrix:
    p, t = cache
    dy: Matrix = p * t.sum(1, keepdims=True)
    dy -= t
    dy *= 1 / len(dy)
    return dy


def soft_cross_entropy() -> Loss[Matrix, Matrix]:
    """-sum of t * log softmax(y), for ``t`` that are rows of probabilities, (n, classes).

    >>> value, _ = soft_cross_entropy().forward(np.zeros((1, 2)), np.array([[0.5, 0.5]]))
    >>> round(value, 4)
    0.6931
    """
    return Loss(
        soft_cross_entropy_forward,
        soft_cross_entropy_backward,
        "soft_cross_entropy()",
        inside="softmax()",
    )


def sigmoid_cross_entropy_forward(y: Array, t: Array) -> tuple[float, tuple[Array, Array]]:
    t = _float_targets(y, t)
    if t.min() < 0 or t.max() > 1:
        raise ConfigError(f"targets lie in [0, 1]; these reach from {t.min()} to {t.max()}")
    wide = y.astype(np.float64)
    # log(1 + exp(y)) - t * y, with the larger of 0 and y taken out so that nothing overflows.
    value = np.log1p(np.exp(-np.abs(wide))) + np.maximum(wide, 0) - t * wide
    return float(value.mean()), (y, t)


def sigmoid_cross_entropy_backward(cache: tuple[Array, Array]) -> Array:
    y, t = cache
    p = sigmoid_apply(NO_PARAMS, y)
    p -= t
    p *= 1 / p.size
    return p


def sigmoid_cross_entropy() -> Loss[Array, Array]:
    """-(t log p + (1 - t) log(1 - p)) with p = sigmoid(y), the mean over all elements.

    For yes or no, one logit each: ``y`` and ``t`` of one shape, (n, 1) say, t floats in [0, 1].

    >>> value, _ = sigmoid_cross_entropy().forward(np.zeros((1, 1)), np.ones((1, 1)))
    >>> round(value, 4)
    0.6931
    """
    return Loss(
        sigmoid_cross_entropy_forward,
        sigmoid_cross_entropy_backward,
        "sigmoid_cross_entropy()",
        inside="sigmoid()",
    )


# ---- regression --------------------------------------------------------------------------------


def mean_squared_error_forward(y: Array, t: Array) -> tuple[float, Array]:
    d: Array = y - _float_targets(y, t)
    return float(np.square(d, dtype=np.float64).mean()), d


def mean_squared_error_backward(d: Array) -> Array:
    return d * (2 / d.size)


def mean_squared_error() -> Loss[Array, Array]:
    """The mean of (y - t)**2 over all elements, as PyTorch has it.

    >>> mean_squared_error().forward(np.array([[1.0, 2.0]]), np.array([[1.0, 4.0]]))[0]
    2.0
    """
    return Loss(mean_squared_error_forward, mean_squared_error_backward, "mean_squared_error()")


def squared_error_forward(y: Array, t: Array) -> tuple[float, Array]:
    d: Array = y - _float_targets(y, t)
    return float(np.square(d, dtype=np.float64).sum() / (2 * len(d))), d


def squared_error_backward(d: Array) -> Array:
    return d * (1 / len(d))


def squared_error() -> Loss[Array, Array]:
    """Half the sum of (y - t)**2 over each example: its gradient is (y - t) / n.

    >>> squared_error().forward(np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, 2.0, 10.0]]))[0]
    24.5
    """
    return Loss(squared_error_forward, squared_error_backward, "squared_error()")


def huber_forward(delta: float, y: Array, t: Array) -> tuple[float, Array]:
    d: Array = y - _float_targets(y, t)
    size = np.abs(d, dtype=np.float64)
    value = np.where(size <= delta, 0.5 * size * size, delta * (size - 0.5 * delta))
    return float(value.mean()), d


def huber_backward(delta: float, d: Array) -> Array:
    dy: Array = np.clip(d, -delta, delta)
    dy *= 1 / d.size
    return dy


def huber(delta: float = 1.0) -> Loss[Array, Array]:
    """Squared for small errors, straight for large ones; the mean over all elements.

    0.5 d**2 where abs(d) <= delta, else delta (abs(d) - 0.5 delta), for d = y - t.
    Source: Huber 1964, "Robust Estimation of a Location Parameter".

    >>> huber().forward(np.array([[0.5, 3.0]]), np.zeros((1, 2)))[0]
    1.3125
    """
    delta = number("huber's delta", delta, "(0, inf)")
    return Loss(partial(huber_forward, delta), partial(huber_backward, delta), f"huber({delta})")


# ---- what they share ---------------------------------------------------------------------------


def _row_starts(y: Array) -> Labels:
    """Where each row begins in ``y.ravel()``, by which NumPy picks in a third of the time."""
    return np.arange(0, y.size, y.shape[1])


def _softmax(y: Array, starts: Labels) -> tuple[Array, Array, Array]:
    """Probabilities, and in float64 log(sum(exp(y - top))) and top, the row's maximum."""
    # By argmax, as max is several times slower where the classes are few.
    top = y.take(starts + y.argmax(1))
    # Logits further apart than float32 reaches: their difference is -inf and its exp 0, rightly.
    with np.errstate(over="ignore"):
        p: Array = y - top[:, None]
    np.exp(p, out=p)
    total = row_sums(p)
    p /= total[:, None]
    return p, np.log(total, dtype=np.float64), top.astype(np.float64)


def _logits(y: Any) -> int:
    _outputs(y)
    if y.ndim != 2:
        raise ShapeError("outputs (batch, classes)", f"{y.shape}").within("the loss")
    return len(y)


def _outputs(y: Any) -> None:
    if not isinstance(y, np.ndarray):
        raise ArgumentError(f"the loss takes a network's outputs first, not {short(y)}")
    if y.dtype.kind != "f":
        raise DtypeError(f"the loss takes outputs that are floats, not {y.dtype}")
    if not y.size:
        raise ShapeError("at least one example", "none").within("the loss")


def _check_labels(y: Array, t: Any) -> None:
    if not isinstance(t, np.ndarray):
        raise ArgumentError(f"labels are an array of integers, not {short(t)}; write np.array(t)")
    if y.shape[1] == 1 and (t.dtype.kind not in "iu" or t.any()):
        raise ShapeError(
            "an output for each class", "1", "of yes or no, use sigmoid_cross_entropy()"
        ).within("the loss", before="the network")
    if t.dtype.kind not in "iu":
        rows = "of one-hot rows take t.argmax(1), and for rows of probabilities use "
        rows += "soft_cross_entropy()"
        mend = rows if t.ndim == 2 and t.shape[1] > 1 else "write t.ravel().astype(int)"
        raise DtypeError(f"labels are integers (n,), not {t.dtype} {t.shape}; {mend}")
    if t.shape != y.shape[:1]:
        mend = "of one-hot rows take t.argmax(1)" if t.shape == y.shape else ""
        mend = "write t[:, 0]" if t.shape == (len(y), 1) else mend
        raise _mismatch(f"{len(y)} labels, of shape ({len(y)},)", t.shape, mend)
    if t.min() < 0 or t.max() >= y.shape[1]:
        raise ConfigError(
            f"labels lie in [0, {y.shape[1]}), as there are {y.shape[1]} outputs; "
            f"these reach from {t.min()} to {t.max()}"
        )


def _float_targets(y: Any, t: Any) -> Any:
    _outputs(y)
    if not isinstance(t, np.ndarray):
        raise ArgumentError(f"targets are an array, not {short(t)}; write np.array(t, 'float32')")
    if t.dtype.kind in "iu" and t.ndim == 1 and y.ndim == 2 and y.shape[1] > 1:
        raise DtypeError("targets are floats; for labels there is softmax_cross_entropy()")
    if t.dtype.kind != "f":
        column = "[:, None]" if (*t.shape, 1) == y.shape else ""
        raise DtypeError(f"targets are floats, not {t.dtype}; write t{column}.astype('float32')")
    if t.shape != y.shape:
        mend = "write t[:, None]" if (*t.shape, 1) == y.shape else ""
        raise _mismatch(f"targets of the outputs' shape {y.shape}", t.shape, mend)
    return t.astype(y.dtype, copy=False)


def _mismatch(expected: str, got: Any, mend: str = "") -> ShapeError:
    return ShapeError(expected, str(got), mend).within("the loss", before="t")
