"""What changes gradients before an optimizer makes updates of them: clipping and penalties."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np

from .arguments import number, short
from .arrays import Array
from .errors import ArgumentError, ConfigError
from .tree import Grads, Params, Tree, leaves
from .updates import Optimizer, fits, map_leaves, mismatch, scaled


def clip_by_global_norm(limit: float) -> Optimizer[tuple[()]]:
    """Scales all gradients down together so that their common norm is at most ``limit``.

    Source: Pascanu et al. 2013, "On the difficulty of training recurrent neural networks".

    >>> clip = clip_by_global_norm(1.0)
    >>> clip.update(Grads({"b": np.array([3.0, 4.0])}), (), Params())[0]["b"]
    array([0.6, 0.8])
    """
    limit = number("clip_by_global_norm's limit", limit, "(0, inf]")
    update = partial(_clip_update, limit)
    return Optimizer(_no_state, update, f"clip_by_global_norm({limit})", transforms=True)


def _no_state(params: Params) -> tuple[()]:
    return ()


def _clip_update(
    limit: float, grads: Grads, state: tuple[()], params: Params
) -> tuple[Grads, tuple[()]]:
    norm = math.hypot(*[_norm(g) for _, g in leaves(grads)])
    if norm <= limit:
        return grads, state
    (clipped,) = map_leaves(partial(scaled, limit / norm), grads)
    return clipped, state


def _norm(g: Array) -> float:
    square = float(np.vdot(g, g))
    # Gradients that explode are what clipping is for: their squares may pass float32's range.
    return math.sqrt(square if math.isfinite(square) else np.square(g, dtype=np.float64).sum())


def weight_decay(rate: float, where: str = "**/W") -> Optimizer[tuple[()]]:
    """Adds rate * p to the gradient of each parameter whose path matches ``where``.

    That is the gradient of rate / 2 * sum(p**2), the L2 penalty. ``where`` is a glob on
    ``/``-joined paths: ``*`` stays within one name, ``**/`` stands for any parts or none. ``init``
    raises ``ConfigError`` where nothing matches.

    >>> decay = weight_decay(0.1)
    >>> params, grads = Params({"W": np.ones(1)}), Grads({"W": np.zeros(1)})
    >>> decay.update(grads, decay.init(params), params)[0]["W"]
    array([0.1])
    """
    rate = number("weight_decay's rate", rate, "[0, inf)")
    return _penalty("weight_decay", partial(np.multiply, rate), rate, where)


def l1_penalty(rate: float, where: str = "**/W") -> Optimizer[tuple[()]]:
    """Adds rate * sign(p) to the gradient of each parameter whose path matches ``where``.

    That is the gradient of rate * sum(abs(p)), which draws small parameters to 0. ``where`` is as
    for ``weight_decay``. Source: Tibshirani 1996, "Regression Shrinkage and Selection via the
    Lasso".

    >>> penalty = l1_penalty(0.1)
    >>> params, grads = Params({"W": np.array([-2.0])}), Grads({"W": np.zeros(1)})
    >>> penalty.update(grads, penalty.init(params), params)[0]["W"]
    array([-0.1])
    """
    rate = number("l1_penalty's rate", rate, "[0, inf)")
    return _penalty("l1_penalty", partial(_signs, rate), rate, where)


def _signs(rate: float, p: Array) -> Array:
    return rate * np.sign(p)


def _penalty(
    name: str, gradient: Callable[[Array], Array], rate: float, where: str
) -> Optimizer[tuple[()]]:
    where = pattern(name, where)
    return Optimizer(
        partial(_penalty_init, where),
        partial(_penalty_update, name, gradient, where),
        f"{name}({rate})",
        transforms=True,
    )


def _penalty_init(where: str, params: Params) -> tuple[()]:
    check_matches(where, params)
    return ()


def _penalty_update(
    name: str,
    gradient: Callable[[Array], Array],
    where: str,
    grads: Grads,
    state: tuple[()],
    params: Params,
) -> tuple[Grads, tuple[()]]:
    if not isinstance(grads, Grads) or not isinstance(params, Params):
        kinds = f"{type(grads).__name__} and {type(params).__name__}"
        raise ArgumentError(f"{name} takes Grads, a state and Params, not {kinds}")
    return penalised(gradient, where, grads, params), state


# ---- which parameters --------------------------------------------------------------------------


def penalised(
    gradient: Callable[[Array], Array], where: str, grads: Grads, params: Params, path: str = ""
) -> Grads:
    """``grads`` plus ``gradient(p)`` for each parameter p whose path matches ``where``."""
    new: dict[str, Any] = {}
    for name, g in grads.items():
        if not fits(params.get(name), g):
            raise mismatch(params.get(name), g, path + name)
        if isinstance(g, Tree):
            here = f"{path}{name}/"
            new[name] = penalised(gradient, where, grads[name], params[name], here)
        elif matches(where, path + name):
            new[name] = g + gradient(params.leaf(name))
        else:
            new[name] = g
    return Grads.fresh(new)


def pattern(owner: str, where: object) -> str:
    """``where`` if it is a text."""
    if not isinstance(where, str):
        raise ArgumentError(f"{owner}'s where is a pattern like '**/W', not {short(where)}")
    return where


def check_matches(where: str, params: Params) -> None:
    """Raise ``ConfigError`` where no parameter's path matches."""
    paths = [path for path, _ in leaves(params)]
    if not any(matches(where, path) for path in paths):
        have = ", ".join(paths[:6]) + (", ..." if len(paths) > 6 else "")
        raise ConfigError(f"no parameter matches {where!r}; there are {have or 'none'}")


@lru_cache(maxsize=4096)
def matches(where: str, path: str) -> bool:
    """Whether the glob ``where`` matches a ``/``-joined path.

    >>> [matches("**/W", path) for path in ("W", "dense1/W", "residual1/0/dense1/W", "dense1/b")]
    [True, True, True, False]
    """
    tokens = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", where)
    expression = "".join(tokens.get(p, re.escape(p)) for p in pieces)
    return re.fullmatch(expression, path, re.DOTALL) is not None
