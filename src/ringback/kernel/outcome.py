"""What became of a call attempt: one table, one record, which everybody reads (call-outcomes.md §6, §7).

Calls REST, status callback, reservation, events and notifications never look at a SIP code themselves: the voice
core makes an :class:`Outcome` when the leg ends, stores it with the call in the same commit, and they read that.
Pure; rows marked *ours* are decisions where the sheets are silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from ringback.kernel.error_codes import title

By = Literal["us", "carrier", "callee"]

BUSY, NO_ANSWER, UNREACHED, INTERNAL_TIMEOUT = 45303, 45305, 45301, 45304
GONE, CANCELED, NOT_ALLOWED = 45302, 45306, 45307
MALFORMED: Final = 13223
"""An instruction whose number is none (call-outcomes.md §7, wire facts)."""

REASONS: Final[Mapping[int, str]] = {
    UNREACHED: "The participant could not be connected",
    GONE: "A participant disconnected before the call was set up",
    BUSY: "The participant is busy",
    INTERNAL_TIMEOUT: "Nothing was heard from the network in time",
    NO_ANSWER: "The participant did not answer",
    CANCELED: "The call was canceled before it was answered",
    NOT_ALLOWED: "The participant may not be added",
    45308: "The participant may not be added",
}
"""TaskRouter's and Flex's own codes (errors.md §3.7)."""

GENERIC: Final = "OutboundCallCanceledGeneric"
SUPPRESSED: Final = frozenset({GONE, CANCELED, NOT_ALLOWED})
"""Ordinary disconnects: nobody is notified (call-outcomes.md §7)."""
NOTIFICATIONS: Final[Mapping[int, str]] = {
    BUSY: "OutboundCallCanceledBusy",
    NO_ANSWER: "OutboundCallCanceledNoAnswer",
    **dict.fromkeys((13223, 21211), "OutboundCallCanceledInvalidNumber"),
    **dict.fromkeys((13227, 21215), "OutboundCallCanceledDisabledCountry"),
    21210: "OutboundCallCanceledFromNumberUnverified",
    21216: "OutboundCallCanceledToNumberBlocked",
    21219: "OutboundCallCanceledToNumberUnverified",
}
"""Reason code → notification id; every other code that is not suppressed: :data:`GENERIC`."""


def notification_of(reason_code: int | None) -> str | None:
    """The notification that a reason code leads to; None: none (no code, or a suppressed one)."""
    if reason_code is None or reason_code in SUPPRESSED:
        return None
    return NOTIFICATIONS.get(reason_code, GENERIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one attempt ended."""

    status: str
    """Terminal status of the call."""
    by: By | None = None
    """Who refused or ended it before the answer; None: nobody, it was answered."""
    sip_code: int | None = None
    """None: no SIP was spoken."""
    sip_reason: str = ""
    error_code: int | None = None
    """``ErrorCode`` of the status callback and ``error_code`` of the call (errors.md)."""
    reason_code: int | None = None
    """``canceled_reason_code`` of the reservation that an outbound call belongs to; None: a normal end."""

    @property
    def notification(self) -> str | None:
        """Id of the notification that tells an agent; None: none."""
        return notification_of(self.reason_code)

    @property
    def advice(self) -> str:
        """What to do about it, for whoever placed the call."""
        # 32011 says little: a reason that says more goes before it
        for code in (
            None if self.error_code == 32011 else self.error_code,
            self.reason_code,
            self.error_code,
        ):
            if code is not None and code in ADVICE:
                return ADVICE[code]
        if self.error_code is not None:
            return f"{title(self.error_code)}: look at the call's entries in the debugger."
        return STATUS_ADVICE.get(self.status, "")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; :func:`from_json` is the inverse."""
        return {
            "status": self.status,
            "by": self.by,
            "sip_code": self.sip_code,
            "sip_reason": self.sip_reason,
            "error_code": self.error_code,
            "reason_code": self.reason_code,
        }


def from_json(data: Mapping[str, Any]) -> Outcome:
    """Read a stored outcome; keys of a newer version are ignored."""
    known: dict[str, Any] = {name: data[name] for name in Outcome.__slots__ if name in data}
    return Outcome(**known)


# --- the table -------------------------------------------------------------------------------------------------

Row = tuple[str, int | None, int | None]
"""Status, ``ErrorCode``, reason code."""

BY_SIP: Final[Mapping[int, Row]] = {
    **dict.fromkeys((486, 600, 603), ("busy", None, BUSY)),
    **dict.fromkeys((408, 480, 487), ("no-answer", None, NO_ANSWER)),
    **dict.fromkeys((404, 410, 484, 485, 604), ("failed", 13224, UNREACHED)),
    **dict.fromkeys((401, 407), ("failed", 32202, UNREACHED)),
    403: ("failed", 13225, UNREACHED),
    **dict.fromkeys((415, 488, 606), ("failed", 32102, UNREACHED)),
}
"""Final SIP response of the INVITE → what it means (voice-calls.md §4.1)."""
BY_SIP_OTHERWISE: Final[Row] = ("failed", 32011, UNREACHED)

OUR_POLICY: Final[Mapping[int, int]] = {403: 13227}
"""A refusal that *we* gave as a SIP response → its code: our country policy (voice-calls.md §4.1)."""

BY_CAUSE: Final[Mapping[str, tuple[int, Row, By]]] = {
    "timeout": (408, ("failed", 32011, INTERNAL_TIMEOUT), "carrier"),
    "transport": (503, ("failed", 13254, UNREACHED), "carrier"),
    "unregistered": (404, ("failed", 32009, UNREACHED), "us"),
}
"""No response at all: SIP code that stands for it, what it means, and whose it is."""

BY_OUR_REASON: Final[Mapping[str, tuple[str, int | None, By]]] = {
    "ring-timeout": ("no-answer", NO_ANSWER, "callee"),
    "dial-timeout": ("no-answer", NO_ANSWER, "callee"),
    "other-answered": ("no-answer", None, "us"),  # ours: another destination of the same Dial was reached
    "parent-ended": ("no-answer", GONE, "us"),
    "star": ("no-answer", GONE, "us"),
    "time-limit": ("no-answer", GONE, "us"),
    "api": ("canceled", CANCELED, "us"),
    "shutdown": ("canceled", CANCELED, "us"),
}
"""Why we asked for the end → status, reason code, whose doing that is; the SIP code is 487."""

ADVICE: Final[Mapping[int, str]] = {
    BUSY: "The line was engaged, or the call was declined: try again later.",
    NO_ANSWER: "Nobody picked up: try again at another time, or let it ring longer (Timeout).",
    GONE: "The caller's side left before the call was set up: nothing to do.",
    CANCELED: "It was canceled before an answer: nothing to do.",
    INTERNAL_TIMEOUT: "The network never answered: try again; if it stays so, look at the trunk.",
    13223: "Write the number in E.164, such as +14155550100.",
    21211: "Write the number in E.164, such as +14155550100.",
    21217: "No such number can exist: check its digits.",
    21214: "No carrier of ours reaches this number: check it, or add a trunk for its prefix.",
    21202: "A premium number: such calls are not made.",
    13224: "The number is not in service or not known to the network: check it, do not simply repeat.",
    13225: "The carrier forbids the call: ask it which destinations the trunk may reach.",
    13227: "Enable the country in the dialling permissions.",
    21215: "Enable the country in the dialling permissions.",
    21210: "Show a number of the account, or verify this one as a caller id first.",
    21216: "The number is blocked for this account: take it off the list if that is wrong.",
    21219: "A trial account calls verified numbers only: verify the callee, or upgrade.",
    13254: "The far end's host cannot be reached: check the address and the trunk.",
    15000: "The server stopped while the call was live; whether the callee heard anything is not known: ask.",
    15002: "It waited too long to be dialled: raise calls_per_second or queue_timeout.",
    12400: "A defect of this server: see its log.",
    32009: "The user has no phone registered: sign in there, or call another address.",
    32011: "Signalling failed: try again; if it stays so, look at the trunk.",
    32102: "The two sides have no audio format in common: look at the far end's codecs.",
    32202: "The far end refused the credentials: check user name and password of the trunk or call.",
}
"""``ErrorCode`` or reason code → what to do."""
STATUS_ADVICE: Final[Mapping[str, str]] = {
    "completed": "It was answered, if only by a voicemail or a machine.",
    "no-answer": "Nothing: it was not answered here.",
    "busy": "Try again later.",
    "canceled": "It was canceled before an answer: nothing to do.",
    "failed": "Look at the call's entries in the debugger.",
}
REASON_LIMIT: Final = 100
"""Characters that are kept of a reason phrase: it is the far end's text."""


def completed() -> Outcome:
    """Connected, then over: no code, whoever hung up."""
    return Outcome(status="completed", sip_code=200)


def refused(code: int) -> Outcome:
    """Refused by ourselves before anything was dialled; the code of the refusal is every other code, too."""
    return Outcome(status="failed", by="us", error_code=code, reason_code=code)


def expired(code: int) -> Outcome:
    """It waited too long as ``queued``, and nothing was dialled."""
    return Outcome(status="failed", by="us", sip_code=408, error_code=code, reason_code=INTERNAL_TIMEOUT)


def lost(code: int, *, answered: bool) -> Outcome:
    """It ended with a fault of ours (15000 after a restart, 12400): ``completed`` only when it was answered."""
    if answered:
        return Outcome(status="completed", error_code=code)
    return Outcome(status="failed", by="us", error_code=code, reason_code=UNREACHED)


def inbound(status: str, sip_code: int, by: By, sip_reason: str = "") -> Outcome:
    """Somebody called us and was not connected: no reason code, that is of calls that we make."""
    return Outcome(status=status, by=by, sip_code=sip_code, sip_reason=sip_reason[:REASON_LIMIT])


def unfit(sip_code: int, reason: str) -> Outcome:
    """Somebody called us and we could not take the call as it came: no audio format in common (488), a fault (500)."""
    status, error_code, _ = BY_SIP.get(sip_code, BY_SIP_OTHERWISE)
    if status != "failed":
        return inbound(status, sip_code, "callee", reason)
    return Outcome(
        status=status, by="us", sip_code=sip_code, error_code=error_code, sip_reason=reason[:REASON_LIMIT]
    )


def outbound(sip_code: int, by: str, our_reason: str = "", sip_reason: str = "") -> Outcome:
    """An outbound leg that was not answered.

    ``by`` as in ``LegFailed``; ``our_reason``: why we had asked for the end, empty when we had not. A refusal that
    crossed our CANCEL keeps its own meaning.
    """
    text = sip_reason[:REASON_LIMIT]
    if our_reason and (by == "us" or sip_code == 487):
        status, reason, whose = BY_OUR_REASON.get(our_reason, ("failed", UNREACHED, "us"))
        return Outcome(status=status, by=whose, sip_code=487, sip_reason=text, reason_code=reason)
    if by in BY_CAUSE:
        stands_for, (status, error, reason), whose = BY_CAUSE[by]
        return Outcome(
            status=status, by=whose, sip_code=stands_for, sip_reason=text, error_code=error, reason_code=reason
        )  # fmt: skip
    who: By = "carrier" if by == "carrier" else "us" if by == "us" else "callee"
    status, error, reason = BY_SIP.get(sip_code, BY_SIP_OTHERWISE)
    if who == "us" and sip_code in OUR_POLICY:
        error = reason = OUR_POLICY[sip_code]
    return Outcome(
        status=status, by=who, sip_code=sip_code, sip_reason=text, error_code=error, reason_code=reason
    )  # fmt: skip


def remembered(
    status: str, sip_code: int | None, error_code: int | None, *, outbound_call: bool = True
) -> Outcome:
    """The outcome of a call that was stored before there were outcomes: as much as its columns say."""
    if status == "completed" or not outbound_call:
        return Outcome(status=status, sip_code=sip_code, error_code=error_code)
    reason = {"busy": BUSY, "no-answer": NO_ANSWER, "canceled": CANCELED}.get(status, UNREACHED)
    if error_code in NOTIFICATIONS:
        reason = error_code or reason
    return Outcome(status=status, sip_code=sip_code, error_code=error_code, reason_code=reason)
