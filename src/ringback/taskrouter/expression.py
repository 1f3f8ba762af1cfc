"""Routing expressions and worker orders, compiled once to closures (taskrouter.md §6, order_by in §7).

A reference that leads nowhere (missing key, index out of range, path through a scalar) is null. The closures take
JSON data and never raise.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ringback.taskrouter.closures import (
    Compiler,
    Data,
    Link,
    Scope,
    Test,
    never,
    path_reader,
    reader,
    resolved,
)
from ringback.taskrouter.comparison import frozen
from ringback.taskrouter.figures import names_channel
from ringback.taskrouter.grammar import (
    ExpressionError,
    parse_expression,
    parse_ordering,
    parse_reference,
    spelled,
)

__all__ = [
    "Expression",
    "ExpressionError",
    "Link",
    "OrderBy",
    "Scope",
    "compile_expression",
    "compile_order_by",
    "read_path",
    "read_worker",
]

# One account's hostile texts shall not fill the memory: many short expressions are kept, but few long ones.
_SHORT, _SHORT_KEPT, _LONG_KEPT = 500, 4096, 64


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression; immutable, and equal to every other one of its text and scope."""

    text: str
    scope: Scope
    task_refs: tuple[str, ...] = field(compare=False)
    """The paths of the task's attributes that it reads, without prefix (``lang``, ``a.b[0]``), sorted, unique."""
    worker_refs: tuple[str, ...] = field(compare=False)
    """The same for the worker's attributes, and the figures of their channels."""
    reads_channels: bool = field(compare=False)
    """Whether it reads a figure of a worker's channel (``figures.py``): what it says changes with every task."""
    links: tuple[Link, ...] = field(compare=False)
    """Each comparison of a task's attribute with a worker's (``task.x == worker.y``, ``worker.y HAS task.x``,
    ``worker.y >= task.x``) that must hold for the whole to hold: what demands on workers are indexed by."""
    constants: tuple[tuple[str, Any], ...] = field(compare=False)
    """(path, string, number or boolean) of each ``path == constant`` that must hold, in scope task or worker."""
    _test: Test = field(compare=False, repr=False)
    _task_readers: tuple[Callable[[Data], Any], ...] = field(compare=False, repr=False)

    def __call__(self, worker: Data, task: Data, counts: Mapping[str, int]) -> bool:
        """Tell whether it holds. Never raises, whatever JSON the mappings hold.

        ``worker`` and ``task`` are attributes; the caller puts ``sid``, ``friendly_name``, ``activity_sid`` and
        ``activity_name`` into ``worker``. ``counts`` has ``available``, ``unavailable`` and activity SIDs; a SID
        that it lacks counts no workers. The mappings of other scopes are not looked at.
        """
        return self._test(worker, task, counts)

    def task_values(self, task: Data) -> tuple[Hashable, ...]:
        """The values of ``task_refs``: tasks with equal tuples are treated alike, whoever the worker is."""
        return tuple([frozen(read(task)) for read in self._task_readers])


@dataclass(frozen=True, slots=True)
class OrderBy:
    """A compiled order of workers; equal to every other one of its text."""

    text: str
    clauses: tuple[tuple[str, bool], ...] = field(compare=False)
    """(path of the worker's attribute without prefix, whether descending)."""
    reads_channels: bool = field(compare=False)
    """As for expressions."""
    _readers: tuple[tuple[Callable[[Data], Any], bool], ...] = field(compare=False, repr=False)

    def key(self, worker: Data) -> tuple[int, ...]:
        """What to sort workers by: two integers a clause. Attributes that are no integer come last either way."""
        key: list[int] = []
        for read, descending in self._readers:
            value = read(worker)
            if type(value) is not int:
                key += (1, 0)
            else:
                key += (0, -value if descending else value)
        return tuple(key)


def compile_expression(text: str, scope: Scope) -> Expression:
    """The expression of ``text`` (cached); raises ExpressionError with the position of what is wrong.

    Blank text matches nobody in the scope ``worker`` (a queue without target workers) and is an error elsewhere.
    """
    return (_compile if len(text) <= _SHORT else _compile_long)(text, scope)


@lru_cache(1024)
def compile_order_by(text: str) -> OrderBy:
    """The order of ``worker.level DESC, worker.x`` (ascending unless said); raises ExpressionError."""
    clauses = []
    for reference, descending in parse_ordering(text):
        source, steps = resolved(reference, text, "target")
        if source != "worker":
            raise ExpressionError("only attributes of the worker can be sorted by", text, reference.offset)
        clauses.append((steps, descending))
    return OrderBy(
        text,
        tuple((spelled(steps), descending) for steps, descending in clauses),
        any(names_channel(steps) for steps, _ in clauses),
        tuple((path_reader("worker", steps, "target"), descending) for steps, descending in clauses),
    )


@lru_cache(4096)
def read_path(path: str) -> Callable[[Data], Any]:
    """A function that reads the value at a path without prefix, as in ``task_refs`` (None where it leads nowhere).

    Raises ExpressionError for what is no path.
    """
    # Behind a prefix every word is a name: ``task.in`` leads to the path ``in``.
    return reader(parse_reference(f"task.{path}").steps[1:])


@lru_cache(4096)
def read_worker(path: str) -> Callable[[Data], Any]:
    """A function that reads a path of ``worker_refs``: an attribute of the worker, or a figure of a channel."""
    return path_reader("worker", parse_reference(f"worker.{path}").steps[1:], "worker")


def _compiled(text: str, scope: Scope) -> Expression:
    if scope == "worker" and not text.strip():
        return Expression(text, scope, (), (), False, (), (), never, ())
    if not text.strip():
        raise ExpressionError("the expression is empty", text, 0)
    tree = parse_expression(text)
    compiler = Compiler(text, scope)
    test = compiler.test(tree)
    tasks = sorted(compiler.found["task"].items())
    return Expression(
        text,
        scope,
        task_refs=tuple(path for path, _ in tasks),
        worker_refs=tuple(sorted(compiler.found["worker"])),
        reads_channels=any(names_channel(steps) for steps in compiler.found["worker"].values()),
        links=tuple(dict.fromkeys(compiler.links(tree))),
        constants=tuple(compiler.constants(tree)),
        _test=test,
        _task_readers=tuple(path_reader("task", steps, scope) for _, steps in tasks),
    )


_compile = lru_cache(_SHORT_KEPT)(_compiled)
_compile_long = lru_cache(_LONG_KEPT)(_compiled)
