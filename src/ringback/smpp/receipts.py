"""Delivery receipts: what became of a message, in optional parameters or in the text that every SMSC writes in its own
way (specification Appendix B: ``id:… sub:… dlvrd:… submit date:… done date:… stat:… err:… text:…``)."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from ringback.smpp.statuses import GSM_ERRORS, RECEIPT_STATES, UNKNOWN

Status = Literal["sent", "delivered", "undelivered", "failed"]
IdForm = Literal["auto", "same", "hex", "decimal"]
"""How receipts write ids that ``submit_sm_resp`` wrote otherwise: ``hex``, the receipts' are hexadecimal; ``decimal``,
the receipts' are decimal; ``same``: alike; ``auto``: as they are, then, for long ones, converted either way."""

RECEIPTED_ID, MESSAGE_STATE, NETWORK_ERROR, PAYLOAD = 0x001E, 0x0427, 0x0423, 0x0424

_STATES: Final = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
    9: "REJECTD",  # skipped (SMPP 5)
}
"""``message_state`` (§5.2.28) → the word of the text form."""
_WORDS: Final[dict[str, Status]] = {
    "ENROUTE": "sent",
    "ACCEPTD": "sent",
    "DELIVRD": "delivered",
    "EXPIRED": "undelivered",
    "UNDELIV": "undelivered",
    "UNKNOWN": "undelivered",
    "DELETED": "failed",
    "REJECTD": "failed",
}
_FIELD: Final = re.compile(
    r"(?:^|(?<=[\s,;]))(id|sub|dlvrd|submit[ _]date|done[ _]date|stat|err|text)[:=]\s?([^\s,;]*)",
    re.IGNORECASE,
)
_LONG_ID: Final = 6
"""Characters from which on an id that nobody knows is tried in the other base as well: short ones would meet others."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt says."""

    ids: tuple[str, ...]
    """The carrier's id of the message, in the forms in which we may know it: the first that is known is it."""
    status: Status
    error_code: int | None = None
    """30xxx; ``None``: nothing went wrong."""
    text: str = ""
    """State and error in the SMSC's own words."""
    done_at: float | None = None
    """Unix seconds; the SMSC's clock and zone, which it does not name: taken for UTC."""


def is_receipt(esm_class: int, tags: Mapping[int, bytes], text: str) -> bool:
    """Whether a ``deliver_sm`` is a receipt: by its type, and by what it says where an SMSC does not set the type."""
    kind = esm_class & 0x3C
    if kind in (0x04, 0x20):  # receipt, intermediate notification
        return True
    if kind:
        return False
    if RECEIPTED_ID in tags and MESSAGE_STATE in tags:
        return True
    found = _fields(text)
    return text.lower().startswith("id:") and {"id", "stat", "done date"} <= found.keys()


def read(tags: Mapping[int, bytes], text: str, form: IdForm = "auto") -> Receipt | None:
    """What a receipt says; ``None`` when it names no message or no state that there is."""
    found = _fields(text)
    name = tags.get(RECEIPTED_ID, b"").split(b"\0", 1)[0].decode("latin-1").strip() or found.get("id", "")
    state = _STATES.get(int.from_bytes(tags.get(MESSAGE_STATE, b""), "big"), "") or _word(
        found.get("stat", "")
    )
    if not name or not state:
        return None
    status = _WORDS[state]
    error, code = found.get("err", ""), None
    network = tags.get(NETWORK_ERROR, b"")
    if status in ("undelivered", "failed"):
        code = RECEIPT_STATES.get(state, UNKNOWN)
        if len(network) == 3 and network[0] == 3:
            error = f"GSM {int.from_bytes(network[1:], 'big')}"
            code = GSM_ERRORS.get(int.from_bytes(network[1:], "big"), code)
    told = state if not error.strip("0") else f"{state}, error {error}"
    return Receipt(_ids(name, form), status, code, told, _date(found.get("done date", "")))


def _fields(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in _FIELD.finditer(text[:1000]):
        found.setdefault(one[1].lower().replace("_", " "), one[2])
        if one[1].lower() == "text":
            break  # the message's own words, which may say anything
    return found


def _word(stat: str) -> str:
    """The state, however it is cut or spelled (``DELIVRD``, ``DELIVERED``, ``delivrd``, ``2``)."""
    if stat.isdigit():
        return _STATES.get(int(stat[:3]), "")
    return next((word for word in _WORDS if stat.upper()[:5] == word[:5]), "")


def _ids(name: str, form: IdForm) -> tuple[str, ...]:
    forms = [name]
    if form != "same":
        bare = name.lstrip("0")
        if bare and bare != name and form == "auto":
            forms.append(bare)
        if form in ("decimal", "auto") and name.isascii() and name.isdigit() and _long(name, form):
            number = f"{int(name):x}"
            forms += [number, number.upper(), number.zfill(8), number.upper().zfill(8)]
        if form in ("hex", "auto") and re.fullmatch(r"[0-9A-Fa-f]{1,32}", name) and _long(name, form):
            forms += [str(int(name, 16)), str(int(name, 16)).zfill(10)]
    if form in ("hex", "decimal"):
        forms = [*forms[1:], name]
    return tuple(dict.fromkeys(forms))


def _long(name: str, form: str) -> bool:
    return len(name) <= 32 and (form != "auto" or len(name.lstrip("0")) >= _LONG_ID)


def _date(written: str) -> float | None:
    """``YYMMDDhhmm`` with or without seconds, or with four digits of the year."""
    for size, how in ((10, "%y%m%d%H%M"), (12, "%y%m%d%H%M%S"), (14, "%Y%m%d%H%M%S")):
        if len(written) == size and written.isdigit():
            try:
                return float(calendar.timegm(datetime.strptime(written, how).timetuple()))  # noqa: DTZ007 - UTC
            except ValueError:
                return None
    return None
