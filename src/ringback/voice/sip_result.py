"""What a SIP final response means for a call: one table (voice-calls.md §4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Result:
    """How an unanswered call ended."""

    status: str
    sip_code: int
    error_code: int | None = None


_BY_CODE: Final[dict[int, tuple[str, int | None]]] = {
    **dict.fromkeys((486, 600, 603), ("busy", None)),
    **dict.fromkeys((408, 480, 487), ("no-answer", None)),
    **dict.fromkeys((404, 410, 484, 485, 604), ("failed", 13224)),
    **dict.fromkeys((401, 407), ("failed", 32202)),
    403: ("failed", 13225),
    **dict.fromkeys((415, 488, 606), ("failed", 32102)),
}

_BY_CAUSE: Final[dict[str, Result]] = {
    "timeout": Result("failed", 408, 32011),
    "transport": Result("failed", 503, 13254),
    "unregistered": Result("failed", 404, 32009),
}

_BY_OUR_REASON: Final[dict[str, str]] = {
    "ring-timeout": "no-answer",
    "dial-timeout": "no-answer",
    "other-answered": "no-answer",
    "parent-ended": "no-answer",
    "star": "no-answer",
    "time-limit": "no-answer",
    "api": "canceled",
    "shutdown": "canceled",
}


def outcome(sip_code: int, by: str, our_reason: str = "") -> Result:
    """Map a ``LegFailed`` to a status.

    ``by`` as in the event; ``our_reason``: why we had asked for the end ourselves, empty when we had not.
    A refusal that crossed our CANCEL keeps its own meaning.
    """
    if our_reason and (by == "us" or sip_code == 487):
        return Result(_BY_OUR_REASON.get(our_reason, "failed"), 487)
    if by in _BY_CAUSE:
        return _BY_CAUSE[by]
    status, error = _BY_CODE.get(sip_code, ("failed", 32011))
    return Result(status, sip_code, error)
