"""The affine layer."""

from __future__ import annotations

from functools import partial
from types import EllipsisType
from typing import Any, overload

from ..arguments import function, size_of, whole
from ..arrays import Array, Shape, column_sums
from ..functions import Initializer, Leaf, Spec, cast
from ..initializers import he_normal, zeros
from ..kinds import M, N, Vec
from ..random import Mode
from ..tree import Grads, Params
from ..typed import Layer


def dense_apply(params: Params, x: Array) -> Array:
    return affine(params, cast(x, params))


def dense_forward(params: Params, x: Array, mode: Mode) -> tuple[Array, tuple[Array, Params]]:
    x = cast(x, params)
    return affine(params, x), (x, params)


# Products by dot: on two matrices it is @, which asks more questions first, and on a step of a
# small network spends 1 to 2% more.


def affine(params: Params, x: Array) -> Array:
    y: Array = x.dot(params["W"])
    if "b" in params:
        y += params["b"]
    return y


def dense_backward(cache: tuple[Array, Params], dy: Array) -> tuple[Array, Grads]:
    return dense_pull(cache, dy), dense_grads(cache, dy)


def dense_pull(cache: tuple[Array, Params], dy: Array) -> Array:
    _, params = cache
    dx: Array = dy.dot(params["W"].T)
    return dx


def dense_grads(cache: tuple[Array, Params], dy: Array) -> Grads:
    x, params = cache
    grads: dict[str, Array] = {"W": x.T.dot(dy)}
    if "b" in params:
        grads["b"] = column_sums(dy)
    return Grads.fresh(grads)


def dense_spec(n_out: int, bias: bool, weights: Initializer, shape: Shape) -> tuple[Spec, Shape]:
    (n_in,) = shape
    spec = {"W": Leaf((n_in, n_out), weights)}
    if bias:
        spec["b"] = Leaf((n_out,), zeros)
    return spec, (n_out,)


@overload
def dense(
    n_in: N, n_out: M, *, bias: bool = True, weights: Initializer = he_normal
) -> Layer[Vec[N], Vec[M]]: ...
@overload
def dense(
    n_in: EllipsisType, n_out: M, *, bias: bool = True, weights: Initializer = he_normal
) -> Layer[Vec[Any], Vec[M]]: ...
def dense(
    n_in: Any, n_out: Any, *, bias: bool = True, weights: Initializer = he_normal
) -> Layer[Any, Any]:
    """The affine layer, y = x W + b: from (batch, n_in) to (batch, n_out).

    Parameters: ``W`` of shape (n_in, n_out), drawn by ``weights``, and ``b`` of shape (n_out,),
    0 at the start and absent with ``bias=False``. ``n_in`` may be ``...``: whatever comes in.

    >>> net = dense(784, 50) >> relu() >> dense(50, 10)
    >>> net.init(Key(0), (784,))
    Params(39,760 numbers
      dense1/W  784x50  float32
      dense1/b  50      float32
      dense2/W  50x10   float32
      dense2/b  10      float32)
    """
    size_of("dense's n_in", n_in)
    n_out = whole("dense's n_out", n_out)
    function("dense's weights", weights, "he_normal or normal(0.01)")
    return Layer(
        "dense",
        forward=dense_forward,
        backward=dense_backward,
        spec=partial(dense_spec, n_out, bias, weights),
        pull=dense_pull,
        grads=dense_grads,
        apply=dense_apply,
        takes=Vec(n_in),
        gives=Vec(n_out),
        call=f"dense({{}}, {n_out}{', bias=False' * (not bias)})",
    )
