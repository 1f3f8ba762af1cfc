"""Filters of lists: what a query's declared conditions and a request's other parameters come to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from ringback.kernel.errors import Refused
from ringback.store import Condition, Query
from ringback.web.rest.context import Params
from ringback.web.rest.memory import matches
from ringback.web.rest.params import read_bool
from ringback.web.taskrouter.workspaces import Compile, Expression, normal

Test = Callable[[Any], bool]
_PLACED = ("account_sid", "workspace_sid")
"""Conditions that the choice of the workspace has met."""


def given(params: Params, name: str) -> str:
    """The last value of a parameter; empty when it was not given."""
    return params.get(name, [""])[-1]


def declared(
    query: Query, without: Collection[str] = (), record: Callable[[Any], Any] = lambda entry: entry.record
) -> list[Test]:
    """One test for all conditions of the declared filters, but those ``without``; SIDs in any case of digits."""
    conditions = [
        Condition(one.name, one.operator, normal(one.value) if isinstance(one.value, str) else one.value)
        for one in query.conditions
        if one.name not in _PLACED and one.name not in without
    ]
    return [lambda entry: matches(record(entry), conditions)] if conditions else []


def several(params: Params, name: str, known: Collection[str]) -> frozenset[str]:
    """The values of a repeatable parameter, commas allowed; raises ``Refused`` 20001 for unknown ones."""
    found = {word.strip() for value in params.get(name, ()) for word in value.split(",")} - {""}
    for word in sorted(found - set(known)):
        raise Refused(20001, f"{name} must be one of {', '.join(known)}, not {word[:40]!r}")
    return frozenset(found)


def flag(params: Params, name: str) -> bool | None:
    """A boolean parameter, ``1`` and ``yes`` allowed; None when not given. Raises ``Refused`` 20001."""
    text = given(params, name).strip()
    if not text:
        return None
    if text.lower() in ("1", "yes", "0", "no"):
        return text.lower() in ("1", "yes")
    try:
        return read_bool(text)
    except ValueError as error:
        raise Refused(20001, f"Invalid {name}: {error}") from None


def expression(compile_expression: Compile, params: Params, name: str, scope: str) -> Expression | None:
    """The expression of a parameter; None when not given. Raises ``Refused`` 20001 with the position."""
    text = given(params, name)
    if not text.strip():
        return None
    try:
        return compile_expression(text, scope)
    except ValueError as error:
        raise Refused(20001, f"Invalid {name}: {error}") from None


def json_object(params: Params, name: str) -> dict[str, Any] | None:
    """A parameter with a JSON object; None when not given. Raises ``Refused`` 20001."""
    text = given(params, name)
    if not text.strip():
        return None
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refused(20001, f"{name} is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise Refused(20001, f"{name} is not a JSON object")
    return value


def named(entries: Mapping[str, Any], name: str) -> frozenset[str]:
    """SIDs of the queues or workflows with a friendly name."""
    return frozenset(sid for sid, entry in entries.items() if entry.record.friendly_name == name)
