"""Computations with numbers that know what they were made of."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Self

from .arguments import number, short
from .errors import ArgumentError, ImmutableError, NonFiniteError
from .graph import Graph
from .graph_svg import Edge, Node

_set = object.__setattr__


class Scalar:
    """A number in a computation: its value, the operation that gave it, and that one's inputs.

    ``+ - * / **``, with other Scalars or with plain numbers, and the methods ``exp log tanh relu
    sigmoid`` give new Scalars. There is no tape: nothing is recorded anywhere but in the values
    themselves. A result holds its inputs as a tuple holds its elements, and so it is the whole
    computation; ``gradients`` and ``graph`` are functions of it and leave nothing behind.

    ``slopes`` are the local gradients: the derivatives of the operation by each of its inputs.

    Two Scalars are equal if they are one and the same: each is a variable of its own, with a
    gradient of its own, whatever its value.

    Raises ``NonFiniteError`` where an operation has no finite value or slope: a division by 0,
    say, or the logarithm of a number that is not above 0.

    >>> apple, count, tax = Scalar(100, "apple"), Scalar(2, "count"), Scalar(1.1, "tax")
    >>> total = apple * count * tax
    >>> total
    Scalar(220.00000000000003: 200.0 * tax=1.1)
    >>> gradients = total.gradients()
    >>> [round(gradients[x], 9) for x in (apple, count, tax)]
    [2.2, 110.0, 200.0]
    """

    __slots__ = ("inputs", "name", "op", "slopes", "value")
    __array_ufunc__ = None  # so that NumPy's numbers leave the operators to us
    value: float
    name: str
    op: str
    inputs: tuple[Scalar, ...]
    slopes: tuple[float, ...]

    def __init__(self, value: float, name: str = "") -> None:
        self._fill(number("a Scalar's value", value, "(-inf, inf)"), _text(name), "", (), ())

    def _fill(
        self,
        value: float,
        name: str,
        op: str,
        inputs: tuple[Scalar, ...],
        slopes: tuple[float, ...],
    ) -> Self:
        _set(self, "value", value)
        _set(self, "name", name)
        _set(self, "op", op)
        _set(self, "inputs", inputs)
        _set(self, "slopes", slopes)
        return self

    def named(self, name: str) -> Scalar:
        """The same result under a name, for drawings: a Scalar of its own.

        >>> x = Scalar(3.0, "x")
        >>> (x**2).named("z").name
        'z'
        """
        return _made(self.value, _text(name), self.op, self.inputs, self.slopes)

    # ---- what a result depends on

    def gradients(self) -> Mapping[Scalar, float]:
        """The derivative of this Scalar by each one that it was made of, itself included.

        By the chain rule, from the result back: what each Scalar hands to an input is its own
        gradient times the slope there. What is used several times gets the sum.

        >>> x, y = Scalar(2.0), Scalar(3.0)
        >>> gradients = (x * y + x).gradients()
        >>> gradients[x], gradients[y]
        (4.0, 2.0)
        """
        order = _inputs_first(self)
        gradients = dict.fromkeys(order, 0.0)
        gradients[self] = 1.0
        for node in reversed(order):
            for x, slope in zip(node.inputs, node.slopes, strict=True):
                gradients[x] += gradients[node] * slope
                if not math.isfinite(gradients[x]):
                    raise NonFiniteError(f"the gradient of {x!r} is beyond what a float can hold")
        return MappingProxyType(gradients)

    def graph(self) -> Graph:
        """The computation as a graph that leads to the right.

        Above each line is the value that goes along it, below it the gradient that comes back:
        the gradient of the operation's result times the slope of the operation there.

        >>> x = Scalar(3.0, "x")
        >>> [edge.above for edge in (2 * x).exp().graph().edges]
        ['', '3', '6', '403.4']
        """
        order = _inputs_first(self)
        names = {node: str(i) for i, node in enumerate(order)}
        gradients = self.gradients()
        uses = Counter(x for node in order for x in node.inputs)
        nodes = [_node(names[s], s, gradients[s], uses[s]) for s in order]
        edges = [
            Edge(names[x], names[node], _above(x), _below(gradients[node], slope))
            for node in order
            for x, slope in zip(node.inputs, node.slopes, strict=True)
        ]
        end = Node("result", (self.name or "result",), "text")
        last = Edge(names[self], "result", _digits(self.value), "1")
        return Graph((*nodes, end), (*edges, last), "right")

    # ---- operations

    def __add__(self, other: Scalar | float) -> Scalar:
        return _result("+", _sum, self, _scalar(other))

    def __radd__(self, other: float) -> Scalar:
        return _result("+", _sum, _scalar(other), self)

    def __sub__(self, other: Scalar | float) -> Scalar:
        return _result("-", _difference, self, _scalar(other))

    def __rsub__(self, other: float) -> Scalar:
        return _result("-", _difference, _scalar(other), self)

    def __mul__(self, other: Scalar | float) -> Scalar:
        return _result("*", _product, self, _scalar(other))

    def __rmul__(self, other: float) -> Scalar:
        return _result("*", _product, _scalar(other), self)

    def __truediv__(self, other: Scalar | float) -> Scalar:
        return _result("/", _quotient, self, _scalar(other))

    def __rtruediv__(self, other: float) -> Scalar:
        return _result("/", _quotient, _scalar(other), self)

    def __pow__(self, other: Scalar | float) -> Scalar:
        if isinstance(other, Scalar):
            return _result("**", _power, self, other)
        # A part of the operation, and no input: so the base may be negative.
        exponent = number("an exponent", other, "(-inf, inf)")
        return _result(f"**{exponent:g}", partial(_power_of, exponent), self)

    def __rpow__(self, other: float) -> Scalar:
        return _result("**", _power, _scalar(other), self)

    def __neg__(self) -> Scalar:
        return _result("-", _negative, self)

    def exp(self) -> Scalar:
        """e to this power."""
        return _result("exp", _exp, self)

    def log(self) -> Scalar:
        """The natural logarithm, of a number above 0."""
        return _result("log", _log, self)

    def tanh(self) -> Scalar:
        """The hyperbolic tangent."""
        return _result("tanh", _tanh, self)

    def relu(self) -> Scalar:
        """max(x, 0); its slope at 0 is 0."""
        return _result("relu", _relu, self)

    def sigmoid(self) -> Scalar:
        """1 / (1 + exp(-x))."""
        return _result("sigmoid", _sigmoid, self)

    def __float__(self) -> float:
        raise ArgumentError("a Scalar is no plain number; its value is x.value")

    def __lt__(self, other: Scalar | float) -> bool:
        raise ArgumentError("Scalars are not ordered; compare their values, x.value < y.value")

    __le__ = __gt__ = __ge__ = __lt__

    def __repr__(self) -> str:
        name = f", {self.name!r}" if self.name else ""
        made = f": {_formula(self.op, self.inputs)}" if self.op else ""
        return f"Scalar({self.value!r}{name}{made})"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, (self.value, self.name, self.op, self.inputs, self.slopes)

    def __setattr__(self, name: str, value: object) -> None:
        raise ImmutableError("a Scalar never changes; make a new one")

    def __delattr__(self, name: str) -> None:
        raise ImmutableError("a Scalar never changes; make a new one")


# ---- operations: from the inputs' values, the value and the slopes -----------------------------


def _sum(x: float, y: float) -> tuple[float, ...]:
    return x + y, 1.0, 1.0


def _difference(x: float, y: float) -> tuple[float, ...]:
    return x - y, 1.0, -1.0


def _product(x: float, y: float) -> tuple[float, ...]:
    return x * y, y, x


def _quotient(x: float, y: float) -> tuple[float, ...]:
    return x / y, 1 / y, -x / y / y


def _power(x: float, y: float) -> tuple[float, ...]:
    value = math.pow(x, y)
    return value, y * math.pow(x, y - 1), value * math.log(x)


def _power_of(exponent: float, x: float) -> tuple[float, ...]:
    slope = exponent * math.pow(x, exponent - 1) if exponent else 0.0
    return math.pow(x, exponent), slope


def _negative(x: float) -> tuple[float, ...]:
    return -x, -1.0


def _exp(x: float) -> tuple[float, ...]:
    return math.exp(x), math.exp(x)


def _log(x: float) -> tuple[float, ...]:
    return math.log(x), 1 / x


def _tanh(x: float) -> tuple[float, ...]:
    return math.tanh(x), 1 / math.cosh(x) ** 2 if abs(x) < 300 else 0.0


def _relu(x: float) -> tuple[float, ...]:
    return (x, 1.0) if x > 0 else (0.0, 0.0)


def _sigmoid(x: float) -> tuple[float, ...]:
    e = math.exp(-abs(x))  # never beyond 1, however large x
    return (1 if x > 0 else e) / (1 + e), e / (1 + e) ** 2


def _mend(op: str, values: list[float]) -> str:
    """What an operation that has no finite value or slope needs of its inputs."""
    if op == "/" and not values[1]:
        return "divide by what is not 0"
    if op == "log":
        return "take the logarithm of a number above 0"
    if op == "**" and values[0] <= 0:
        return "an exponent that is a Scalar needs a base above 0"
    if op.startswith("**") and values[0] < 0 and not float(op[2:]).is_integer():
        return "a negative base takes whole exponents only"
    if op.startswith("**") and abs(values[0]) < 1:
        return "the base is too near 0"
    return "the result is too large for a float"


def _result(op: str, rule: Callable[..., tuple[float, ...]], *inputs: Scalar) -> Scalar:
    values = [x.value for x in inputs]
    try:
        value, *slopes = rule(*values)
    except (ArithmeticError, ValueError):
        value, slopes = math.nan, []
    if not all(map(math.isfinite, (value, *slopes))):
        raise NonFiniteError(
            f"{_formula(op, inputs)} has no finite value and slope; {_mend(op, values)}"
        )
    return _made(value, "", op, inputs, tuple(slopes))


def _scalar(x: Scalar | float) -> Scalar:
    return x if isinstance(x, Scalar) else Scalar(x)


def _made(*fields: Any) -> Scalar:
    return object.__new__(Scalar)._fill(*fields)


def _text(name: Any) -> str:
    if not isinstance(name, str):
        raise ArgumentError(f"a Scalar's name is a text, not {short(name)}")
    return name


# ---- order, and texts --------------------------------------------------------------------------


def _inputs_first(result: Scalar) -> list[Scalar]:
    """All that ``result`` was made of, each after its inputs; itself last."""
    order: list[Scalar] = []
    met: set[Scalar] = set()
    # A stack of our own: a computation may be deeper than Python lets functions call themselves.
    waiting = [(result, False)]
    while waiting:
        node, complete = waiting.pop()
        if complete:
            order.append(node)
        elif node not in met:
            met.add(node)
            waiting.append((node, True))
            waiting += [(x, False) for x in reversed(node.inputs)]
    return order


def _formula(op: str, inputs: tuple[Scalar, ...]) -> str:
    terms = [f"{x.name}={x.value}" if x.name else f"{x.value}" for x in inputs]
    if len(terms) == 2:
        return f" {op} ".join(terms)
    return f"({terms[0]}){op}" if op.startswith("**") else f"{op}({terms[0]})"


_SIGNS = {"*": "\N{MULTIPLICATION SIGN}", "/": "\N{DIVISION SIGN}", "-": "\N{MINUS SIGN}"}


def _node(name: str, scalar: Scalar, gradient: float, uses: int) -> Node:
    # Where lines lead on to several uses, each shows its share: the sum stands in the node.
    total = (f"gradient {_digits(gradient)}",) if uses > 1 else ()
    if scalar.op:
        return Node(name, (_SIGNS.get(scalar.op, scalar.op), *total), "circle")
    return Node(name, (scalar.name or _digits(scalar.value), *total), "text")


def _above(x: Scalar) -> str:
    if not x.op:
        return _digits(x.value) if x.name else ""  # else the node shows its value
    return f"{x.name} = {_digits(x.value)}" if x.name else _digits(x.value)


def _below(gradient: float, slope: float) -> str:
    return f"{_digits(gradient)} {_SIGNS['*']} {_digits(slope)} = {_digits(gradient * slope)}"


def _digits(x: float) -> str:
    """Four digits, or all of a larger number's."""
    return f"{x:.4g}" if abs(x) < 1e4 or abs(x) >= 1e12 else f"{x:,.0f}"
