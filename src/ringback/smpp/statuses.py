"""What a ``command_status`` of the SMSC, or the error of a receipt, means for the message: one table each.

Codes 30xxx are those of the platform that we imitate (errors.md, "Messaging").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

OK: Final = 0x00
INVALID_COMMAND: Final = 0x03
SYSTEM_ERROR: Final = 0x08
QUEUE_FULL: Final = 0x14
THROTTLED: Final = 0x58
RECEIVER_LATER: Final = 0x64
"""ESME_RX_T_APPN: our temporary failure; the SMSC comes again."""
RECEIVER_NEVER: Final = 0x65
"""ESME_RX_P_APPN: our permanent failure; it does not."""

AGAIN: Final = frozenset({QUEUE_FULL, THROTTLED})
"""The SMSC has not taken the message and says that it may come again."""

UNREACHABLE, BLOCKED, UNKNOWN_HANDSET, LANDLINE, FILTERED, UNKNOWN = 30003, 30004, 30005, 30006, 30007, 30008
QUEUE_OVERFLOW: Final = 30001


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a status says."""

    name: str
    error_code: int = UNKNOWN


STATUSES: Final[dict[int, Meaning]] = {
    0x01: Meaning("RINVMSGLEN"),
    0x02: Meaning("RINVCMDLEN"),
    0x03: Meaning("RINVCMDID"),
    0x04: Meaning("RINVBNDSTS"),
    0x05: Meaning("RALYBND"),
    0x06: Meaning("RINVPRTFLG"),
    0x07: Meaning("RINVREGDLVFLG"),
    0x08: Meaning("RSYSERR"),
    0x0A: Meaning("RINVSRCADR", FILTERED),
    0x0B: Meaning("RINVDSTADR", UNKNOWN_HANDSET),
    0x0C: Meaning("RINVMSGID"),
    0x0D: Meaning("RBINDFAIL"),
    0x0E: Meaning("RINVPASWD"),
    0x0F: Meaning("RINVSYSID"),
    0x11: Meaning("RCANCELFAIL"),
    0x13: Meaning("RREPLACEFAIL"),
    0x14: Meaning("RMSGQFUL", QUEUE_OVERFLOW),
    0x15: Meaning("RINVSERTYP"),
    0x33: Meaning("RINVNUMDESTS"),
    0x34: Meaning("RINVDLNAME"),
    0x40: Meaning("RINVDESTFLAG"),
    0x42: Meaning("RINVSUBREP"),
    0x43: Meaning("RINVESMCLASS"),
    0x44: Meaning("RCNTSUBDL"),
    0x45: Meaning("RSUBMITFAIL"),
    0x48: Meaning("RINVSRCTON", FILTERED),
    0x49: Meaning("RINVSRCNPI", FILTERED),
    0x50: Meaning("RINVDSTTON", UNKNOWN_HANDSET),
    0x51: Meaning("RINVDSTNPI", UNKNOWN_HANDSET),
    0x53: Meaning("RINVSYSTYP"),
    0x54: Meaning("RINVREPFLAG"),
    0x55: Meaning("RINVNUMMSGS"),
    0x58: Meaning("RTHROTTLED", QUEUE_OVERFLOW),
    0x61: Meaning("RINVSCHED"),
    0x62: Meaning("RINVEXPIRY"),
    0x63: Meaning("RINVDFTMSGID"),
    0x64: Meaning("RX_T_APPN"),
    0x65: Meaning("RX_P_APPN", FILTERED),
    0x66: Meaning("RX_R_APPN", FILTERED),
    0x67: Meaning("RQUERYFAIL"),
    0xC0: Meaning("RINVOPTPARSTREAM"),
    0xC1: Meaning("ROPTPARNOTALLWD"),
    0xC2: Meaning("RINVPARLEN"),
    0xC3: Meaning("RMISSINGOPTPARAM"),
    0xC4: Meaning("RINVOPTPARAMVAL"),
    0xFE: Meaning("RDELIVERYFAILURE"),
    0xFF: Meaning("RUNKNOWNERR"),
}
"""Specification §5.1.3; 0x400 and above are each SMSC's own."""


def meaning(status: int) -> Meaning:
    """What a status says; one of the SMSC's own says nothing but its number."""
    return STATUSES.get(status) or Meaning(f"{status:#x}")


RECEIPT_STATES: Final = {
    "UNDELIV": UNKNOWN,
    "EXPIRED": UNREACHABLE,
    "REJECTD": FILTERED,
    "DELETED": UNKNOWN,
    "UNKNOWN": UNKNOWN,
}
"""The final state of a receipt → the code, when its error says nothing more (Appendix B)."""

GSM_ERRORS: Final = {
    1: UNKNOWN_HANDSET,  # unknown subscriber
    5: UNKNOWN_HANDSET,  # unidentified subscriber
    6: UNREACHABLE,  # absent subscriber for SM
    9: BLOCKED,  # illegal subscriber
    11: LANDLINE,  # teleservice not provisioned
    12: BLOCKED,  # illegal equipment
    13: BLOCKED,  # call barred
    21: LANDLINE,  # facility not supported
    27: UNREACHABLE,  # absent subscriber
    31: UNREACHABLE,  # subscriber busy for MT SMS
    32: UNREACHABLE,  # SM delivery failure
    33: UNREACHABLE,  # message waiting list full
}
"""Errors of the network in a receipt's TLV ``network_error_code`` of type GSM (3GPP TS 29.002 §17.6.6) → the code. The
``err`` of a receipt's text is each SMSC's own, and not looked up."""
