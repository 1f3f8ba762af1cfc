"""From the SDK's JSON parameters to a write that TaskRouter understands (taskrouter-js.md §4).

Declared fields are read and checked as REST reads them; everything else goes on as text. The SDK sends
attributes as an object, booleans and numbers as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from ringback.events.taskrouter import Actor, WorkspaceWriteRequested
from ringback.kernel.errors import Refused
from ringback.kernel.resource import Noun
from ringback.resources.taskrouter.task import Task
from ringback.resources.taskrouter.worker import Worker
from ringback.web.grant import Grant
from ringback.web.rest.params import read_value

_NOUNS: Final[Mapping[str, Noun]] = {"Worker": Worker.__noun__, "Task": Task.__noun__}
"""Nouns with fields that may be written; the others have parameters only."""
_RENAMED: Final = {"TaskChannelUniqueName": "TaskChannel", "TaskChannelSid": "TaskChannel"}
PARAMS_LIMIT: Final = 100


def read_params(given: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as text; null ones are left out. Raises ``Refused`` 20001."""
    if len(given) > PARAMS_LIMIT:
        raise Refused(20001, f"More than {PARAMS_LIMIT} parameters")
    found = {_RENAMED.get(name, name): _text(value) for name, value in given.items() if value is not None}
    if any("\0" in each for pair in found.items() for each in pair):
        raise Refused(20001, "A parameter contains a NUL character")
    return found


def request(
    noun: str,
    operation: Literal["create", "update"],
    sid: str,
    params: Mapping[str, str],
    grant: Grant,
    *,
    if_match: str | None = None,
    ip: str = "",
) -> WorkspaceWriteRequested:
    """The write. Raises ``Refused`` with the field's code for a value that is not valid."""
    values: dict[str, Any] = {}
    rest = dict(params)
    if noun in _NOUNS:
        for field in _NOUNS[noun].fields:
            if getattr(field, operation) and field.param in rest:
                values[field.name] = read_value(field, [rest.pop(field.param)])
    if grant.worker_sid:
        actor = Actor(type="worker", sid=grant.worker_sid, source="event-bridge", ip=ip)
    else:
        actor = Actor(type="account", sid=grant.account_sid, source="event-bridge", ip=ip)
    return WorkspaceWriteRequested(
        workspace_sid=grant.workspace_sid, account_sid=grant.account_sid, noun=noun, operation=operation, sid=sid,
        values=values, params=rest, if_match=if_match, actor=actor,
    )  # fmt: skip


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and all(isinstance(each, str | int | float) for each in value):
        return " ".join(_text(each) for each in value)
    return msgspec.json.encode(value).decode()
