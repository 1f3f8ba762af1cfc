"""The eight notifications that tell an agent why an outbound call failed (call-outcomes.md §7, flex-desktop.md §8.2).

A notification holds the *key* of its text. Texts are a flat table, key → template, which the settings override
(``[notifications]`` in ``ringback.toml``); they are looked up when a notification is rendered, so another text leaves
the action and everything else alone. Which code leads to which notification is ``kernel/outcome.py``'s to know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ringback.kernel.outcome import GENERIC, NOTIFICATIONS, notification_of
from ringback.kernel.setting import meant

_PREFIX: Final = "OutboundCallFailedNotification"
REDIAL_KEY: Final = _PREFIX + "Action"
TIMEOUT: Final = 5000
"""Milliseconds that a notification stays."""
TEXT_LIMIT: Final = 1000
"""Characters of an overriding text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One registered notification."""

    id: str
    key: str
    """Of its text."""
    default: str
    """The English text, when nothing overrides it."""
    actions: tuple[str, ...] = ()
    """``redial``: the same destination, queue and caller id once more."""
    context: tuple[str, ...] = ()
    """Names that its template may use; any other placeholder renders empty."""
    type: str = "warning"

    @property
    def codes(self) -> tuple[int, ...]:
        """The reason codes that lead to it; empty for Generic, which has all others."""
        return tuple(code for code, name in NOTIFICATIONS.items() if name == self.id)


REGISTRY: Final[Mapping[str, Kind]] = {
    kind.id: kind
    for kind in (
        Kind(
            id="OutboundCallCanceledBusy",
            key=_PREFIX + "TitleBusy",
            default="The line is busy. Try again in a moment.",
            actions=("redial",),
        ),
        Kind(
            id="OutboundCallCanceledNoAnswer",
            key=_PREFIX + "TitleNoAnswer",
            default="Nobody answered. Try again later.",
            actions=("redial",),
        ),
        Kind(
            id="OutboundCallCanceledInvalidNumber",
            key=_PREFIX + "TitleInvalidNumber",
            default="That is not a valid phone number. Check it and dial again.",
        ),
        Kind(
            id="OutboundCallCanceledDisabledCountry",
            key=_PREFIX + "TitleDisabledCountry",
            default="Calls to that country are switched off. Ask your administrator to enable it.",
        ),
        Kind(
            id="OutboundCallCanceledFromNumberUnverified",
            key=_PREFIX + "TitleFromNumberUnverified",
            default="The call was not placed: the number you are calling from is not a verified caller id.",
        ),
        Kind(
            id="OutboundCallCanceledToNumberBlocked",
            key=_PREFIX + "TitleToNumberBlocked",
            default="That number is blocked. Ask your administrator to unblock it.",
            # So named here (flex-desktop.md §8.2): ``reasonCode`` is given to Generic alone.
            context=("canceledReasonCode",),
        ),
        Kind(
            id="OutboundCallCanceledToNumberUnverified",
            key=_PREFIX + "TitleToNumberUnverified",
            default="A trial account can only call verified numbers, and the one you dialed is not verified.",
        ),
        Kind(
            id=GENERIC,
            key=_PREFIX + "Title",
            default="The call could not be connected. Try again, or ask for help. [{{reasonCode}}]",
            context=("reasonCode",),
        ),
    )
}
"""Id → notification, in the order of the sheet."""

DEFAULTS: Final[Mapping[str, str]] = {
    **{kind.key: kind.default for kind in REGISTRY.values()},
    REDIAL_KEY: "Redial",
}
"""Key → English text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One failure, as an agent is to see it."""

    id: str
    key: str
    type: str
    text: str
    """Rendered."""
    reason_code: int
    timeout: int = TIMEOUT
    """Milliseconds."""
    context: Mapping[str, str] = field(default_factory=dict)
    """What the template was given."""
    actions: tuple[Mapping[str, str], ...] = ()
    """``name``, ``key`` and ``label`` of each button."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "id": self.id,
            "key": self.key,
            "type": self.type,
            "text": self.text,
            "timeout": self.timeout,
            "reason_code": self.reason_code,
            "context": dict(self.context),
            "actions": [dict(action) for action in self.actions],
        }


def texts(overrides: Mapping[str, object]) -> dict[str, str]:
    """The whole table of texts. Raises ``ValueError`` for a key that there is not, or a text that is none."""
    known = ", ".join(DEFAULTS)
    for key, text in overrides.items():
        if key not in DEFAULTS:
            raise ValueError(f"there is no text {key[:80]!r}{meant(key, DEFAULTS) or f'; known: {known}'}")
        if not isinstance(text, str) or not 1 <= len(text) <= TEXT_LIMIT:
            raise ValueError(f"{key}: write a text of 1 to {TEXT_LIMIT} characters")
    return {**DEFAULTS, **{key: str(text) for key, text in overrides.items()}}


def render(code: int | None, table: Mapping[str, str] = DEFAULTS) -> Notification | None:
    """The notification of a reservation's ``canceled_reason_code``; None: nobody is notified.

    A key that ``table`` lacks has its English text.
    """
    name = notification_of(code)
    if code is None or name is None:
        return None
    kind = REGISTRY[name]
    context = dict.fromkeys(kind.context, str(code))
    label = table.get(REDIAL_KEY, DEFAULTS[REDIAL_KEY])
    return Notification(
        id=kind.id,
        key=kind.key,
        type=kind.type,
        text=fill(table.get(kind.key, kind.default), context),
        reason_code=code,
        context=context,
        actions=tuple({"name": each, "key": REDIAL_KEY, "label": label} for each in kind.actions),
    )


def fill(template: str, context: Mapping[str, str]) -> str:
    """Put values in place of ``{{name}}`` (or ``{{{name}}}``); names without a value render empty."""
    return _PLACEHOLDER.sub(lambda found: context.get(found[1] or found[2], ""), template)


_PLACEHOLDER: Final = re.compile(r"\{\{\{\s*([\w.]+)\s*\}\}\}|\{\{\s*([\w.]+)\s*\}\}")
