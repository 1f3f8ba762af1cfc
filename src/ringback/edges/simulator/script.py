"""Script steps of simulated parties (surface.md, The simulator): reading and checking them. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

MAX_STEPS = 500
MAX_TEXT = 4096
MAX_SECONDS = 30 * 86400.0
_KEYS = frozenset("0123456789*#ABCDabcdwW")


class BadScript(ValueError):
    """A script that cannot be run; the message names the step and what is wrong."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys, 0.1 s apart; ``w`` waits 0.5 s and ``W`` 1 s."""

    keys: str


@dataclass(frozen=True, slots=True)
class Say:
    """Speak."""

    text: str


@dataclass(frozen=True, slots=True)
class Play:
    """Play a sound into the call: an http(s) URL, or a WAV file of this machine."""

    source: str


@dataclass(frozen=True, slots=True)
class Expect:
    """Listen until the text (or the kind, such as ``beep``) is heard; give up after ``within`` seconds."""

    text: str
    within: float = 30.0


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""


Step = Wait | Press | Say | Play | Expect | HangUp


def read_script(script: Any) -> list[Step]:
    """Read a JSON script; raises :class:`BadScript`."""
    if not isinstance(script, list):
        raise BadScript("script must be a list of steps")
    if len(script) > MAX_STEPS:
        raise BadScript(f"a script has at most {MAX_STEPS} steps")
    return [_step(number, step) for number, step in enumerate(script)]


def _step(number: int, step: Any) -> Step:
    where = f"script[{number}]"
    if not isinstance(step, dict):
        raise BadScript(f'{where} must be an object such as {{"wait": 1}}')
    names = set(step)
    if names - {"expect", "within"} and len(names) == 1:
        ((name, value),) = step.items()
        if name == "wait":
            return Wait(_seconds(f"{where}.wait", value))
        if name == "press":
            keys = _text(f"{where}.press", value)
            if set(keys) - _KEYS:
                raise BadScript(f"{where}.press may have 0-9 * # A-D w W only")
            return Press(keys)
        if name == "say":
            return Say(_text(f"{where}.say", value))
        if name == "play":
            return Play(_text(f"{where}.play", value))
        if name == "hangup":
            if value is not True:
                raise BadScript(f"{where}.hangup must be true")
            return HangUp()
    elif "expect" in names and names <= {"expect", "within"}:
        within = _seconds(f"{where}.within", step.get("within", 30.0))
        return Expect(_text(f"{where}.expect", step["expect"]), within)
    raise BadScript(f"{where} must have exactly one of wait, press, say, play, expect (with within), hangup")


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > MAX_TEXT:
        raise BadScript(f"{where} must be a text of 1 to {MAX_TEXT} characters")
    return value


def _seconds(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadScript(f"{where} must be a number of seconds")
    if not math.isfinite(value) or not 0 <= value <= MAX_SECONDS:
        raise BadScript(f"{where} must be between 0 and {MAX_SECONDS:.0f} seconds")
    return float(value)
