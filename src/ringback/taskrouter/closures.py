"""The tree of a routing expression turned into closures, once, with the references it makes (taskrouter.md §6)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from ringback.kernel.sid import is_sid
from ringback.taskrouter.comparison import NULL, OPERATORS
from ringback.taskrouter.figures import Steps, figure_reader, names_channel
from ringback.taskrouter.grammar import (
    Array,
    Comparison,
    Constant,
    ExpressionError,
    Junction,
    Node,
    Operand,
    Reference,
    clipped,
    spelled,
)

Scope = Literal["worker", "task", "target", "counts"]
"""What references mean: the worker's attributes, the task's, either with its prefix, or head-counts of workers."""

Data = Mapping[str, Any]
"""The attributes of a worker or a task: JSON."""

Test = Callable[[Data, Data, Mapping[str, int]], bool]
"""Whether something holds for a worker, a task, and the head-counts of a queue."""

_Get = Callable[[Data, Data, Mapping[str, int]], Any]


def resolved(reference: Reference, text: str, scope: Scope) -> tuple[str, Steps]:
    """Whose attribute a reference is (task, worker, counts), and the path there.

    Where there is but one whose attributes can be meant the prefix is not needed, and may be there: see
    :func:`path_reader`.
    """
    first, *rest = reference.steps
    if scope in ("worker", "task"):
        bare = tuple(rest)
        return scope, bare if first == scope == "worker" and names_channel(bare) else reference.steps
    if scope == "target":
        if first not in ("task", "worker") or not rest or not isinstance(rest[0], str):
            reason = f"'{clipped(str(reference))}' must begin with task. or worker."
            raise ExpressionError(reason, text, reference.offset)
        return str(first), tuple(rest)
    if first == "workers" and len(rest) == 1 and isinstance(rest[0], str):
        if rest[0] in ("available", "unavailable"):
            return "counts", (rest[0],)
        if is_sid(rest[0], "WA"):
            return "counts", ("WA" + rest[0][2:].lower(),)
    reason = (
        f"'{clipped(str(reference))}' is not workers.available, workers.unavailable or workers.<activity SID>"
    )
    raise ExpressionError(reason, text, reference.offset)


class Link(NamedTuple):
    """A comparison of an attribute of the task with one of the worker that must hold for the whole to hold."""

    task: str
    """Path of the task's attribute, without prefix."""
    how: Literal["==", "in", "has", "<", "<=", ">", ">="]
    """The task's value equals the worker's, is in the worker's array, its array has it, or is less … than it."""
    worker: str
    """Path of the worker's attribute."""


_LINKS: dict[str, tuple[str, str]] = {
    "==": ("==", "=="), "IN": ("in", "has"), "HAS": ("has", "in"), "<": ("<", ">"), "<=": ("<=", ">="),
    ">": (">", "<"), ">=": (">=", "<="),
}  # fmt: skip
"""Operator → how the task's value relates to the worker's when the task is at the left, and at the right."""


class Compiler:
    """Turns the tree of one text into closures, and notes the references on its way."""

    def __init__(self, text: str, scope: Scope) -> None:
        self.text = text
        self.scope = scope
        self.found: dict[str, dict[str, Steps]] = {"task": {}, "worker": {}, "counts": {}}

    def test(self, node: Node) -> Test:
        """The closure that tells whether a node holds."""
        if isinstance(node, Junction):
            return _JOIN[node.word]([self.test(part) for part in node.parts])
        if isinstance(node, Comparison):
            return self._comparison(node)
        get = self._get(node)
        return lambda w, t, c: get(w, t, c) is True

    def _comparison(self, node: Comparison) -> Test:
        compare = OPERATORS[node.operator]
        left, right = self._get(node.left), self._get(node.right)
        if _is_constant(node.left) and _is_constant(node.right):
            return always if compare(_value(node.left), _value(node.right)) else never
        if _is_constant(node.right):
            constant = _value(node.right)
            quick = _QUICK.get((node.operator, type(constant)))
            return quick(left, constant) if quick else lambda w, t, c: compare(left(w, t, c), constant)
        if _is_constant(node.left):
            fixed = _value(node.left)
            return lambda w, t, c: compare(fixed, right(w, t, c))
        return lambda w, t, c: compare(left(w, t, c), right(w, t, c))

    def _get(self, operand: Operand) -> _Get:
        """The closure that gives an operand's value."""
        if isinstance(operand, Reference):
            source, steps = resolved(operand, self.text, self.scope)
            self.found[source][spelled(steps)] = steps
            return _getter(source, steps, self.scope)
        if _is_constant(operand):
            constant = _value(operand)
            return lambda w, t, c: constant
        assert isinstance(operand, Array)
        items = [self._get(item) for item in operand.items]
        return lambda w, t, c: tuple([get(w, t, c) for get in items])

    def links(self, tree: Node) -> Iterator[Link]:
        """The conjuncts that compare an attribute of the task with one of the worker."""
        for node in _required(tree):
            if (
                node.operator in _LINKS
                and isinstance(node.left, Reference)
                and isinstance(node.right, Reference)
            ):
                left, path = resolved(node.left, self.text, self.scope)
                right, other = resolved(node.right, self.text, self.scope)
                if ("worker", True) in ((left, names_channel(path)), (right, names_channel(other))):
                    continue  # the indexes follow attributes, which change less often
                if (left, right) == ("task", "worker"):
                    yield Link(spelled(path), _LINKS[node.operator][0], spelled(other))  # type: ignore[arg-type]
                elif (left, right) == ("worker", "task"):
                    yield Link(spelled(other), _LINKS[node.operator][1], spelled(path))  # type: ignore[arg-type]

    def constants(self, tree: Node) -> Iterator[tuple[str, Any]]:
        """The conjuncts that compare an attribute with a constant. Null is left out: no attribute has it."""
        for node in _required(tree) if self.scope in ("task", "worker") else ():
            if node.operator != "==":
                continue
            for side, fixed in ((node.left, node.right), (node.right, node.left)):
                if isinstance(side, Reference) and isinstance(fixed, Constant) and fixed.value is not None:
                    _, steps = resolved(side, self.text, self.scope)
                    if steps[0] != self.scope and not names_channel(
                        steps
                    ):  # these are read in other places too
                        yield spelled(steps), fixed.value


def _required(tree: Node) -> Iterator[Comparison]:
    """The comparisons without which the tree cannot hold: those that only AND leads to."""
    if isinstance(tree, Junction) and tree.word == "AND":
        for part in tree.parts:
            yield from _required(part)
    elif isinstance(tree, Comparison):
        yield tree


def _is_constant(operand: Operand) -> bool:
    if isinstance(operand, Array):
        return all(_is_constant(item) for item in operand.items)
    return isinstance(operand, Constant)


def _value(operand: Operand) -> Any:
    """The value of an operand that is constant."""
    if isinstance(operand, Array):
        return tuple([_value(item) for item in operand.items])
    assert isinstance(operand, Constant)
    return NULL if operand.value is None else operand.value


def reader(steps: Steps) -> Callable[[Data], Any]:
    """A function that reads a path in the attributes of one task or worker; None where it leads nowhere."""
    first, rest = str(steps[0]), steps[1:]
    if not rest:
        return lambda data: data.get(first)

    def read(data: Data) -> Any:
        value = data.get(first)
        for step in rest:
            if isinstance(step, str):
                value = value.get(step) if isinstance(value, dict) else None
            else:
                value = value[step] if isinstance(value, list | tuple) and step < len(value) else None
        return value

    return read


def path_reader(source: str, steps: Steps, scope: Scope) -> Callable[[Data], Any]:
    """A function that reads what a reference of that scope means by a path of a task's or worker's.

    That is an attribute, or a figure of a worker's channel. ``worker.lang`` where references need no prefix is the
    attribute ``lang``, which people write as in a target; of whoever has an attribute called ``worker``, its ``lang``.
    """
    whole = reader(steps)
    if source == "worker" and names_channel(steps):
        return figure_reader(steps, whole)
    if steps[0] != scope or len(steps) == 1 or not isinstance(steps[1], str):
        return whole
    bare = reader(steps[1:])
    return lambda data: whole(data) if scope in data else bare(data)


def _getter(source: str, steps: Steps, scope: Scope) -> _Get:
    name = str(steps[0])
    if source == "counts":
        return lambda w, t, c: c.get(name, 0)
    if len(steps) == 1:
        return (lambda w, t, c: w.get(name)) if source == "worker" else (lambda w, t, c: t.get(name))
    read = path_reader(source, steps, scope)
    return (lambda w, t, c: read(w)) if source == "worker" else (lambda w, t, c: read(t))


def always(worker: Data, task: Data, counts: Mapping[str, int]) -> bool:
    """Holds for everybody."""
    return True


def never(worker: Data, task: Data, counts: Mapping[str, int]) -> bool:
    """Holds for nobody."""
    return False


def _all(parts: list[Test]) -> Test:
    if len(parts) == 2:
        one, other = parts
        return lambda w, t, c: one(w, t, c) and other(w, t, c)

    def test(w: Data, t: Data, c: Mapping[str, int]) -> bool:
        for part in parts:  # noqa: SIM110 (a generator would double the time)
            if not part(w, t, c):
                return False
        return True

    return test


def _any(parts: list[Test]) -> Test:
    if len(parts) == 2:
        one, other = parts
        return lambda w, t, c: one(w, t, c) or other(w, t, c)

    def test(w: Data, t: Data, c: Mapping[str, int]) -> bool:
        for part in parts:  # noqa: SIM110 (a generator would double the time)
            if part(w, t, c):
                return True
        return False

    return test


_JOIN: dict[str, Callable[[list[Test]], Test]] = {"AND": _all, "OR": _any}


def _quick_equal(get: _Get, constant: Any) -> Test:
    return lambda w, t, c: bool(get(w, t, c) == constant)


def _quick_has(get: _Get, constant: Any) -> Test:
    def test(w: Data, t: Data, c: Mapping[str, int]) -> bool:
        array = get(w, t, c)
        return isinstance(array, list | tuple) and constant in array

    return test


def _quick_order(compare: Callable[[Any, Any], bool]) -> Callable[[_Get, Any], Test]:
    def make(get: _Get, constant: Any) -> Test:
        def test(w: Data, t: Data, c: Mapping[str, int]) -> bool:
            value = get(w, t, c)
            kind = type(value)
            return (kind is int or kind is float) and compare(value, constant)

        return test

    return make


_ORDERS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
# The commonest comparisons with a constant at the right, where the general operator would ask for its type each time.
_QUICK: dict[tuple[str, type], Callable[[_Get, Any], Test]] = {
    ("==", str): _quick_equal,
    ("HAS", str): _quick_has,
    **{(symbol, kind): _quick_order(order) for symbol, order in _ORDERS.items() for kind in (int, float)},
}
