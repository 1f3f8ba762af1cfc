"""What a verb is: its declaration, and the values that its attributes take."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ringback.voice.stage import Stage
from ringback.voice.steps import Outcome, Steps
from ringback.voice.twiml import Element

Attributes = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: how it is read, what holds without it, and the warning when it is bad."""

    read: Callable[[str], Any]
    """Raises ``ValueError`` for a bad value. Its docstring says what is allowed: ``/docs`` shows it."""
    default: Any = None
    code: int = 12200


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb of the registry (contract: ``verbs/__init__.py``)."""

    tag: str
    run: Callable[[Element, Attributes, Stage], Steps[Outcome]]
    attributes: dict[str, Attribute]
    children: frozenset[str] = frozenset()
    child_code: int = 12200
    """Warning for a child that is not allowed."""
    needs_media: Callable[[Attributes], bool] = lambda _: True
    """Whether an unanswered inbound call must be answered before it."""
    whisper: bool = True
    """Whether it may be used in a whisper document."""
    example: str = ""
    """What stands in ``<Response>`` to show it, for ``/docs``."""
    nouns: dict[str, dict[str, Attribute]] = field(default_factory=dict)
    """The elements within it that have attributes of their own."""


def text(value: str) -> str:
    """Text of at most 4096 characters."""
    if len(value) > 4096:
        raise ValueError(value)
    return value


def boolean(value: str) -> bool:
    """``true`` or ``false``."""
    if value not in ("true", "false"):
        raise ValueError(value)
    return value == "true"


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number in a range."""

    def read(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,8}", value.strip()) or not low <= int(value) <= high:
            raise ValueError(value)
        return int(value)

    read.__doc__ = f"A whole number from {low} to {high}."
    return read


def choice(*words: str) -> Callable[[str], str]:
    """One of some words."""

    def read(value: str) -> str:
        if value not in words:
            raise ValueError(value)
        return value

    read.__doc__ = f"One of {', '.join(f'``{word}``' for word in words)}."
    return read


def words(*allowed: str) -> Callable[[str], list[str]]:
    """A space-separated list of some words."""

    def read(value: str) -> list[str]:
        found = value.split()
        if not found or any(word not in allowed for word in found):
            raise ValueError(value)
        return found

    read.__doc__ = f"Some of {', '.join(f'``{word}``' for word in allowed)}, separated by blanks."
    return read


def keys(pattern: str) -> Callable[[str], str]:
    """A text of certain keys (a regular expression)."""
    compiled = re.compile(pattern)

    def read(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(value)
        return value

    read.__doc__ = f"As the pattern ``{pattern}`` says."
    return read


def method(code: int) -> Attribute:
    """GET or POST."""
    return Attribute(choice("GET", "POST"), "POST", code)


def recording_callback() -> dict[str, Attribute]:
    """The three attributes that Record and Dial share."""
    return {
        "recordingStatusCallback": Attribute(text, None, 13256),
        "recordingStatusCallbackMethod": method(12200),
        "recordingStatusCallbackEvent": Attribute(
            words("in-progress", "completed", "absent"), ["completed"], 13621
        ),
        "recordingConfigurationId": Attribute(text),
    }


def read_attributes(
    element: Element, declared: dict[str, Attribute], warn: Callable[[int, str], None]
) -> Attributes:
    """Values by name, defaults filled in; every bad or unknown one is warned of and ignored."""
    found = {name: attribute.default for name, attribute in declared.items()}
    for name, value in element.attributes.items():
        attribute = declared.get(name)
        where = element.place
        if attribute is None:
            warn(12200, f"{where}: <{element.tag}> has no attribute {name[:60]!r}; it is ignored")
            continue
        try:
            found[name] = attribute.read(value)
        except ValueError:
            shown = "nothing" if attribute.default is None else repr(attribute.default)
            warn(attribute.code, f"{where}: {name}={value[:80]!r} of <{element.tag}>; {shown} is used")
    return found


PARAMETER_LIMIT = 32
"""``<Parameter>`` children of one element."""
_PARAMETER = {"name": Attribute(text, ""), "value": Attribute(text, "")}


def parameters(element: Element, warn: Callable[[int, str], None]) -> list[tuple[str, str]]:
    """Name and value of the ``<Parameter>`` children; those without a name and too many are warned of."""
    found: list[tuple[str, str]] = []
    for child in element.children:
        if child.tag == "Parameter":
            own = read_attributes(child, _PARAMETER, warn)
            if not own["name"] or len(found) >= PARAMETER_LIMIT:
                warn(
                    12200, f"{child.place}: a <Parameter> has a name, and there are at most {PARAMETER_LIMIT}"
                )
                continue
            found.append((own["name"], own["value"]))
    return found
