"""Checks of single values; each raises ``Refused``. Limits as the sheet has them (conversations.md §1), else ours."""

from __future__ import annotations

import json
import re
from typing import Any

from ringback.kernel.errors import Refused

ATTRIBUTES = 16 * 1024
"""Bytes of JSON text."""
NAME = 256
"""Characters of a friendly or unique name."""
ADDRESS = 256
BODY = 1600
"""Characters of a message (conversations.md §1)."""
DEEPEST = 32
"""Levels of nested JSON."""

_E164 = re.compile(r"\+[1-9]\d{1,14}\Z", re.ASCII)
_SID = re.compile(r"CH[0-9a-fA-F]{32}\Z")


def text(values: dict[str, Any], name: str, longest: int, param: str) -> str | None:
    """A text; None when it is empty. Raises 20001 when it is too long."""
    value = values[name]
    if value is not None and not isinstance(value, str):
        raise Refused(20001, f"Invalid {param}: must be a text", 400)
    if value and len(value) > longest:
        raise Refused(20001, f"Invalid {param}: is longer than {longest} characters", 400)
    return value or None


def unique_name(value: Any) -> str | None:
    """A name that may stand for the SID. Raises 50390 for one that looks like a SID."""
    found = text({"it": value}, "it", NAME, "UniqueName")
    if found is not None and _SID.match(found):
        raise Refused(50390, "UniqueName looks like the SID of a conversation", 400)
    return found


def attributes(value: Any) -> str:
    """JSON text of an object (or any other JSON value) of bounded size and depth; empty: ``{}``."""
    if value in (None, ""):
        return "{}"
    if not isinstance(value, str):
        raise Refused(20001, "Invalid Attributes: must be JSON text", 400)
    if len(value.encode()) > ATTRIBUTES:
        raise Refused(20001, f"Invalid Attributes: more than {ATTRIBUTES} bytes", 400)
    try:
        found = json.loads(value, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Refused(20001, "Invalid Attributes: is not valid JSON", 400) from None
    if _depth(found) > DEEPEST:
        raise Refused(20001, f"Invalid Attributes: more than {DEEPEST} levels", 400)
    return value


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _depth(value: Any) -> int:
    inside: list[Any] = []
    if isinstance(value, dict):
        inside = list(value.values())
    elif isinstance(value, list):
        inside = value
    return 1 + max(map(_depth, inside), default=0) if isinstance(value, (dict, list)) else 0


def channel_of(address: str) -> str:
    """``sms`` for a number, else what stands before the colon: ``whatsapp``, ``messenger`` …"""
    head, colon, _ = address.partition(":")
    return head if colon else "sms"


def address(value: Any, code: int, param: str) -> str:
    """A number in E.164, or one behind the name of a channel. Raises ``code``."""
    if not isinstance(value, str) or not value or len(value) > ADDRESS:
        raise Refused(code, f"Invalid {param}: must be an address of at most {ADDRESS} characters", 400)
    found = value.strip()
    channel, _, rest = found.rpartition(":")
    if channel and (not channel.isascii() or not channel.isalpha() or not rest):
        raise Refused(code, f"Invalid {param}: {found} is no address", 400)
    if channel in ("", "whatsapp") and not _E164.match(rest):
        raise Refused(code, f"Invalid {param}: {found} is no number in E.164", 400)
    return found


def body(value: Any) -> str | None:
    """The text of a message. Raises 50504 when it is too long."""
    if value is not None and not isinstance(value, str):
        raise Refused(20001, "Invalid Body: must be a text", 400)
    if value and len(value) > BODY:
        raise Refused(50504, f"Invalid Body: is longer than {BODY} characters", 400)
    return value or None
