"""The configuration of a workflow: its JSON, read and validated whole (taskrouter.md §5)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NoReturn, TypeVar

from ringback.kernel.sid import is_sid
from ringback.taskrouter.expression import (
    Expression,
    ExpressionError,
    OrderBy,
    Scope,
    compile_expression,
    compile_order_by,
)
from ringback.taskrouter.grammar import parse_reference

LARGEST = 1_048_576
"""Bytes of a configuration in UTF-8 (taskrouter.md §12: 1 MB)."""

MOST_FILTERS, MOST_TARGETS = 1_000, 100
"""Filters of a configuration, and targets of one filter."""

_HIGHEST = 2**31 - 1

KnownWorker = tuple[Literal["sid", "friendly_name"], str]
"""What the task says of a worker it knows, and the path of that attribute without ``task.``."""


class ConfigurationError(ValueError):
    """A configuration that cannot be used; the message says where: ``filters[0].targets[1].queue: …``."""


@dataclass(frozen=True, slots=True)
class Target:
    """One place where a task may wait, in the order of its filter."""

    index: int
    """Place among the targets of the filter, from 0; 0 for the default filter."""
    queue: str
    """Queue SID; that of an earlier target where none was given."""
    priority: int | None
    """The task's priority from here on; None keeps it."""
    timeout: int | None
    """Seconds that the task stays; None is until accepted or the end of the task's life."""
    expression: Expression | None
    """Which of the queue's workers may take the task; None for all."""
    order_by: OrderBy | None
    skip_if: Expression | None
    """When to go on at once if nobody can take the task now; None for never."""
    known_worker: KnownWorker | None
    """The one worker who may take the task; None for any."""


DIRECT = Target(
    queue="", priority=None, timeout=None, expression=None, order_by=None, skip_if=None, known_worker=None, index=0
)  # fmt: skip
"""Where a task stands that was routed past the workflow to a queue."""


@dataclass(frozen=True, slots=True)
class Filter:
    """The targets of the tasks for which the expression holds."""

    name: str
    """Friendly name; empty when none was given."""
    expression: Expression
    targets: tuple[Target, ...]
    """At least one."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a workflow does with a task."""

    filters: tuple[Filter, ...]
    default: Target | None
    """For tasks that matched no filter, or skipped out of all."""
    queues: frozenset[str]
    """Every queue SID that is named; the caller checks that they exist."""

    def reads_channels(self) -> bool:
        """Whether a target's expression or order reads figures of workers' channels (``figures.py``)."""
        targets = [target for one in self.filters for target in one.targets]
        asked = [
            ask
            for target in [*targets, *([self.default] if self.default else [])]
            for ask in (target.expression, target.order_by)
        ]
        return any(ask.reads_channels for ask in asked if ask is not None)


@lru_cache(128)
def read_configuration(text: str) -> Configuration:
    """The configuration of the JSON ``text`` (cached).

    Reads the older spellings too: no ``task_routing`` around it, ``friendly_name``, numbers as strings. Unknown keys
    are ignored, and null is the same as absent. Raises ConfigurationError at the first thing that is wrong.
    """
    document = _parsed(text)
    if not document.keys() & {"task_routing", "filters", "default_filter"}:
        raise ConfigurationError("the configuration has neither task_routing, filters nor default_filter")
    root = _object(document["task_routing"], "task_routing") if "task_routing" in document else document
    filters = tuple(
        _filter(one, f"filters[{index}]")
        for index, one in enumerate(_array(root.get("filters"), "filters", 0, MOST_FILTERS))
    )
    default = None if root.get("default_filter") is None else _default(root["default_filter"])
    targets = [target for one in filters for target in one.targets] + ([default] if default else [])
    return Configuration(filters, default, frozenset(target.queue for target in targets))


def _parsed(text: str) -> Mapping[str, Any]:
    if len(text) > LARGEST or len(text.encode("utf-8", "surrogatepass")) > LARGEST:
        raise ConfigurationError("the configuration is larger than 1 MB")
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        place = f"at line {error.lineno}, column {error.colno}"
        raise ConfigurationError(f"the configuration is not JSON: {error.msg} {place}") from None
    except RecursionError:
        raise ConfigurationError("the configuration is nested too deeply") from None
    except ValueError as error:
        raise ConfigurationError(f"the configuration is not JSON: {error}") from None
    return _object(document, "the configuration")


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _filter(value: Any, where: str) -> Filter:
    given = _object(value, where)
    name = given.get("filter_friendly_name")
    name = given.get("friendly_name") if name is None else name
    expression = _compiled(given.get("expression"), f"{where}.expression", _expression("task"))
    if expression is None:
        raise ConfigurationError(f"{where}.expression: is required")
    targets: list[Target] = []
    for index, one in enumerate(_array(given.get("targets"), f"{where}.targets", 1, MOST_TARGETS)):
        queue = targets[-1].queue if targets else None
        targets.append(
            _target(_object(one, f"{where}.targets[{index}]"), f"{where}.targets[{index}]", index, queue)
        )
    return Filter(_string(name, f"{where}.filter_friendly_name") or "", expression, tuple(targets))


def _default(value: Any) -> Target:
    """A ``timeout`` is left out: the default filter never times out, but published samples write one (sheet §5)."""
    given = {key: each for key, each in _object(value, "default_filter").items() if key != "timeout"}
    return _target(given, "default_filter", 0, None)


def _target(given: Mapping[str, Any], where: str, index: int, inherited: str | None) -> Target:
    return Target(
        index,
        queue=_queue(given.get("queue"), f"{where}.queue", inherited),
        priority=_number(given.get("priority"), f"{where}.priority", 0),
        timeout=_number(given.get("timeout"), f"{where}.timeout", 1),
        expression=_compiled(given.get("expression"), f"{where}.expression", _expression("target")),
        order_by=_compiled(given.get("order_by"), f"{where}.order_by", compile_order_by),
        skip_if=_compiled(given.get("skip_if"), f"{where}.skip_if", _expression("counts")),
        known_worker=_known_worker(given, where),
    )


def _known_worker(given: Mapping[str, Any], where: str) -> KnownWorker | None:
    sid = _compiled(given.get("known_worker_sid"), f"{where}.known_worker_sid", _task_path)
    name = _compiled(
        given.get("known_worker_friendly_name"), f"{where}.known_worker_friendly_name", _task_path
    )
    if sid is not None and name is not None:
        raise ConfigurationError(f"{where}: has both known_worker_sid and known_worker_friendly_name")
    if sid is not None:
        return "sid", sid
    return None if name is None else ("friendly_name", name)


def _task_path(text: str) -> str:
    """``task.agent_sid`` or ``agent_sid`` → ``agent_sid``; raises ExpressionError."""
    path = str(parse_reference(text))
    return path.removeprefix("task.")


def _queue(value: Any, where: str, inherited: str | None) -> str:
    sid = _string(value, where)
    if sid is None:
        if inherited is None:
            raise ConfigurationError(f"{where}: is required")
        return inherited
    if not is_sid(sid, "WQ"):
        raise ConfigurationError(f"{where}: '{sid[:64]}' is not the SID of a queue (WQ and 32 hex digits)")
    return "WQ" + sid[2:].lower()


def _number(value: Any, where: str, least: int) -> int | None:
    """A whole number, perhaps written as a string or as 10.0; None for null."""
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,10}\s*", value, re.ASCII):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not least <= value <= _HIGHEST:
        raise ConfigurationError(f"{where}: must be a whole number from {least} to {_HIGHEST}")
    return value


Compiled = TypeVar("Compiled")


def _compiled(value: Any, where: str, compile_text: Callable[[str], Compiled]) -> Compiled | None:
    """A string through its compiler; None for null."""
    text = _string(value, where)
    if text is None:
        return None
    try:
        return compile_text(text)
    except ExpressionError as error:
        raise ConfigurationError(f"{where}: {error}") from error


def _expression(scope: Scope) -> Callable[[str], Expression]:
    return lambda text: compile_expression(text, scope)


def _string(value: Any, where: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ConfigurationError(f"{where}: must be a string")
    return value


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ConfigurationError(f"{where}: must be an object")
    return value


def _array(value: Any, where: str, least: int, most: int) -> list[Any]:
    """An array of ``least`` to ``most`` items; null is the empty one."""
    items = [] if value is None else value
    if not isinstance(items, list):
        raise ConfigurationError(f"{where}: must be an array")
    if not least <= len(items) <= most:
        raise ConfigurationError(f"{where}: must have {least} to {most} items, has {len(items)}")
    return items
