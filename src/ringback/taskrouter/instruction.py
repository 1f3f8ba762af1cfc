"""An instruction for a reservation, as both ways of giving it say the same (taskrouter.md §4.1, §8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ringback.kernel.errors import Refused

KINDS = ("accept", "reject", "dequeue", "call", "redirect", "conference", "supervise")
BODY_LIMIT = 64 * 1024
UNKNOWN = 55555
"""No such instruction (errors.md §3.7)."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """What is to be done; ``options`` by the names of the assignment callback (``post_work_activity_sid`` …)."""

    kind: str
    options: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        """An option's text."""
        return self.options.get(name) or default

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean option."""
        value = self.options.get(name)
        return default if not value else value.strip().lower() == "true"

    def seconds(self, name: str, default: int, high: int = 999) -> int:
        """A number of seconds, 1 to ``high``; raises :class:`Refused` 20001."""
        value = self.options.get(name)
        if not value:
            return default
        if not (value.isascii() and value.isdigit() and len(value) < 6 and 1 <= int(value) <= high):
            raise Refused(20001, f"{name} must be 1 to {high} seconds")
        return int(value)

    def events(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """A list of events, separated by commas or blanks."""
        value = self.options.get(name)
        return tuple(value.replace(",", " ").split()) if value else default


def from_answer(body: bytes) -> Instruction | None:
    """What an assignment callback answered; None: nothing is to be done.

    Raises ``ValueError`` for nonsense and :class:`Refused` for an instruction that does not exist.
    """
    if len(body) >= BODY_LIMIT:  # whoever fetched it reads no further than that
        raise ValueError(f"the answer is too long: it has {BODY_LIMIT} bytes or more")
    if not body.strip():
        return None
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"the answer is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError("the answer is not a JSON object")
    kind = value.get("instruction")
    if kind is None:
        return None
    if kind not in KINDS:
        raise Refused(UNKNOWN, f"There is no instruction {str(kind)[:40]!r}; known: {', '.join(KINDS)}")
    return Instruction(kind, {name: _text(each) for name, each in value.items() if each is not None})


def from_params(params: Mapping[str, str]) -> Instruction:
    """The parameters of a reservation's update. Raises :class:`Refused` 20001."""
    kind = params["Instruction"].lower()
    if kind not in KINDS:
        raise Refused(20001, f"Instruction must be one of {', '.join(KINDS)}, not {kind[:40]!r}")
    prefix = {"dequeue": "Dequeue", "call": "Call", "redirect": "Redirect"}.get(kind, "")
    options: dict[str, str] = {}
    for name, value in params.items():
        if prefix and not name.startswith(prefix):
            continue
        options[_snake(name.removeprefix(prefix))] = value
    if kind == "reject":
        options["activity_sid"] = params.get("WorkerActivitySid", "")
    if kind == "redirect":
        options["call_sid"] = params.get("RedirectCallSid", "")
    return Instruction(kind, options)


def _snake(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("_")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(str(each) for each in value)
    return str(value)
