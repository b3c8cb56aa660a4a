"""How layers become networks: pipelines with named parts, and networks mapped part by part."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from .arguments import called, short
from .errors import ArgumentError, ConfigError
from .functions import IDENTITY, Functions, identity_forward
from .kinds import Flow
from .layer import PIPELINE, AnyLayer, LayerT, Parts, Record
from .pipeline import pipeline_functions

NEUTRAL = Record("identity", IDENTITY, "identity()")


def compose(kind: type[LayerT], layers: tuple[AnyLayer, ...]) -> LayerT:
    """The pipeline of ``layers``: pipelines among them flattened, ``identity()`` dropped."""
    flat: list[AnyLayer] = []
    for layer in layers:
        if not isinstance(layer, AnyLayer):
            refuse(layer)
        inside = (
            [part for _, part in layer.parts]
            if layer.is_pipeline and not layer.record.given
            else [layer]
        )
        flat += [part for part in inside if not _is_identity(part)]
    if not flat:
        return kind.of(NEUTRAL)
    if len(flat) == 1:
        return kind.of(flat[0].record)
    return pipeline_of(kind, numbered(flat))


def pipeline_of(kind: type[LayerT], parts: Parts) -> LayerT:
    """The pipeline of parts that have their names already; of none, the identity."""
    if not parts:
        return kind.of(NEUTRAL)
    made = pipeline_functions(tuple([(name, layer.functions) for name, layer in parts]))
    takes = _takes(parts)
    made.flow(takes)  # Sizes that do not fit are known here, before any shape.
    return kind.of(
        Record(PIPELINE, made, parts=parts, rebuild=partial(pipeline_of, kind), takes=takes)
    )


def _takes(parts: Parts) -> Flow:
    """What a pipeline takes: what the first part that says so takes, if it gets to it unchanged."""
    for i, (_, layer) in enumerate(parts):
        takes = layer.record.takes
        if i and isinstance(takes, tuple):
            return None
        if takes is not None:
            unchanged = all(part.functions.flow(takes) == takes for _, part in parts[:i])
            return takes if unchanged else None
    return None


def numbered(layers: list[AnyLayer]) -> Parts:
    """Names for the parts of a pipeline: given ones as they are, others numbered per kind."""
    counts: dict[str, int] = {}
    parts: dict[str, AnyLayer] = {}
    for layer in layers:
        name = layer.name
        if not layer.record.given:
            counts[name] = counts.get(name, 0) + 1
            name = f"{name}{counts[name]}"
        if name in parts:
            used = " >> ".join([*parts, name])
            raise ConfigError(f"the name {name!r} is used twice in {used}; give one .named(...)")
        parts[name] = layer
    return tuple(parts.items())


def refuse(thing: Any) -> NoReturn:
    """Say why ``thing`` cannot be part of a network."""
    if isinstance(thing, list | tuple):
        kind = type(thing).__name__
        raise ArgumentError(f"a network is made of layers, not a {kind}; write sequential(*layers)")
    name = getattr(thing, "__name__", "")
    if isinstance(thing, type) or not callable(thing) or not name:
        raise ArgumentError(f"a network is made of layers, not {short(thing)}")
    if str(getattr(thing, "__module__", "")).startswith("funcnet."):
        mend = f"did you mean {called(thing)}?"
    else:
        mend = "a layer of your own is Layer(name, forward=..., backward=...)"
    raise ArgumentError(f"{name} is a function, not a layer; {mend}")


def map_functions(
    wrap: Callable[[str, Functions], Functions],
    net: LayerT,
    word: str,
    *,
    composites: bool = False,
    path: str = "",
) -> LayerT:
    """``net`` with the functions of each lone layer in it wrapped, names and tree as they were.

    ``wrap`` is given the layer's ``/``-path and its functions; ``word`` is how ``repr`` shows it.
    With ``composites``, composites are wrapped too, after their parts.
    """
    record = net.record
    if record.rebuild is not None:
        inside = [
            (
                name,
                map_functions(
                    wrap, part, word, composites=composites, path=f"{path}/{name}".lstrip("/")
                ),
            )
            for name, part in net.parts
        ]
        record = record.rebuild(tuple(inside)).record._replace(name=net.name, given=record.given)
        if not composites:
            return net.of(record)
    shown = f"{word}({record.shown})" if record.shown else ""
    return net.of(record._replace(functions=wrap(path, record.functions), shown=shown))


def _is_identity(layer: AnyLayer) -> bool:
    return layer.functions.forward is identity_forward and not layer.record.given
