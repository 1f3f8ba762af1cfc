"""Reading the parameters of TaskRouter's writes: declared attributes, and everything else as text."""

from __future__ import annotations

from typing import Any, Literal

from ringback.kernel.errors import Refused
from ringback.kernel.resource import Noun
from ringback.web.rest.context import Params
from ringback.web.rest.params import read_value
from ringback.web.taskrouter.workspaces import normal

EMPTY_SAYS: dict[str, Any] = {"target_workers": ""}
"""Attributes whose empty parameter is a value: a queue for nobody (taskrouter.md §2.4)."""
EMPTY_IS_NOTHING = frozenset(
    {"virtual_start_time", "default_activity_sid", "timeout_activity_sid", "activity_sid"}
)
"""Attributes whose empty parameter counts as not given: they cannot be cleared."""
_SIDS = ("TaskChannel", "RoutingTarget", "Supervisor")
"""Parameters besides ``…Sid`` that may hold a SID."""


def read(
    noun: Noun, operation: Literal["create", "update"], params: Params
) -> tuple[dict[str, Any], dict[str, str]]:
    """(attribute → value, other parameter → text) of a write.

    Only attributes that this operation may write, and that were given, are among the first; the rest is the last
    value of each parameter, but all values of a list of events (``StatusCallbackEvent``), joined by blanks. Digits
    of SIDs are put in lower case. Raises ``Refused`` for what is missing or makes no sense.
    """
    values: dict[str, Any] = {}
    taken: set[str] = set()
    for field in noun.fields:
        if not getattr(field, operation):
            continue
        taken.add(field.param)
        given = params.get(field.param)
        if given is None:
            if field.required and operation == "create":
                raise Refused(field.missing_code, f"Missing {field.param}")
            continue
        if given[-1] == "" and field.name in EMPTY_SAYS:
            values[field.name] = EMPTY_SAYS[field.name]
        elif given[-1] != "" or field.name not in EMPTY_IS_NOTHING:
            value = read_value(field, given)
            values[field.name] = normal(value) if field.name.endswith("_sid") and value else value
    rest = {name: _text(name, given) for name, given in params.items() if name not in taken}
    return values, rest


def _text(name: str, given: list[str]) -> str:
    if name.endswith(("CallbackEvent", "CallbackEvents")):
        return " ".join(given)
    return normal(given[-1]) if name.endswith("Sid") or name in _SIDS else given[-1]
