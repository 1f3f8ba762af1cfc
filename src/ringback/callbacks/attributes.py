"""The attributes of callback and voicemail tasks (callback-voicemail.md §4.1, §4.2)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ringback.kernel.errors import Refused
from ringback.numbers.withheld import is_withheld
from ringback.numbers.written import e164, to_call

LIMIT = 4096
"""Characters of a task's attributes (taskrouter.md §12)."""
NOT_INHERITED = ("call_sid", "reservation_attributes", "conference")
NOT_INHERITED_IN_CONVERSATIONS = ("abandoned", "hang_up_by")
OF_THE_CALL = (
    "account_sid", "api_version", "call_status", "to", "caller", "called", "worker_call_sid", "outbound_to",
    "parentTask", "autoClose",
)  # fmt: skip
"""What describes the leg that has ended; left out when the attributes would not fit otherwise."""
WITHHELD = "anonymous"
"""The caller who has no number, in a number's place."""
WITHHELD_NAME = "Withheld number"
_ADDRESS = re.compile(r"(sips?|client):[^\s<>\"]{1,300}\Z", re.IGNORECASE)


def normal_number(given: str) -> str:
    """What the network says of a caller or a called number, in E.164, or a ``sip:``/``client:`` address.

    Empty when it is neither, or withheld. A ``+`` that was not url-encoded arrives as a blank (§6).
    """
    text = given.strip()
    if is_withheld(text):
        return ""
    if _ADDRESS.match(text):
        return text
    try:
        return e164(text)
    except ValueError:
        return ""


def number_to_call(given: str, region: str) -> str:
    """What people or applications give as the number to call, read by :func:`to_call`, or such an address.

    Raises ``ValueError``, which says why it cannot be called.
    """
    if is_withheld(given):
        raise ValueError("is withheld: there is no number to call")
    text = given.strip()
    return text if _ADDRESS.match(text) else to_call(given, region)


def read_object(text: Any) -> dict[str, Any]:
    """The object of a JSON text; anything else is empty."""
    if isinstance(text, Mapping):
        return dict(text)
    try:
        found = json.loads(text) if isinstance(text, str) and text else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def inner(attributes: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object within the attributes; empty when there is none."""
    found = attributes.get(name)
    return dict(found) if isinstance(found, Mapping) else {}


def make(
    params: Mapping[str, str],
    original: Mapping[str, Any] | None,
    original_sid: str,
    *,
    zone: str,
    now_iso: str,
) -> dict[str, Any]:
    """The attributes of a new callback or voicemail task.

    ``params``: those of §4.1 in their first spelling; ``original``: the attributes that are inherited, None for
    none. ``now_iso``: the time of receipt when nobody knows another. Without ``numberToCall`` the caller (``caller``:
    what was said of them) has left a message, but cannot be called back; ``callBackData`` says so.
    """
    customer = params.get("numberToCall", "")
    caller = customer or params.get("caller") or WITHHELD
    kept = {key: value for key, value in (original or {}).items() if key not in NOT_INHERITED}
    before = inner(original or {}, "callBackData")
    data: dict[str, Any] = {
        "numberToCall": customer,
        "numberToCallFrom": params.get("numberToCallFrom", ""),
    }
    if not customer:
        data |= {"withheld": is_withheld(caller), "callBackEnabled": False}
    for name in ("recordingSid", "recordingUrl", "transcriptSid", "transcriptText"):
        value = params.get(name) or before.get(name)
        if value:
            data[name] = value
    data["mainTimeZone"] = before.get("mainTimeZone") or zone
    data["utcDateTimeReceived"] = (
        params.get("utcDateTimeReceived") or before.get("utcDateTimeReceived") or now_iso
    )
    data["isDeleted"] = params.get("isDeleted", "").lower() == "true" or bool(before.get("isDeleted"))
    data["attempts"] = attempts(params.get("attempts", ""), before, bool(original and before))
    if params.get("source"):
        data["source"] = params["source"]
    conversations = {
        key: value
        for key, value in inner(original or {}, "conversations").items()
        if key not in NOT_INHERITED_IN_CONVERSATIONS
    }
    conversation = params.get("conversation_id") or conversations.get("conversation_id") or original_sid
    if conversation:
        conversations["conversation_id"] = conversation
    made: dict[str, Any] = {
        **kept,
        "from": WITHHELD if is_withheld(caller) else caller,
        "name": WITHHELD_NAME if is_withheld(caller) else caller,
        "taskType": "voicemail" if data.get("recordingSid") else "callback",
        "direction": "inbound",
        "callBackData": data,
    }
    flow = params.get("flexFlowSid") or kept.get("flow_execution_sid")
    if flow:
        made["flow_execution_sid"] = flow
    if conversations:
        made["conversations"] = conversations
    else:
        made.pop("conversations", None)
    return made


def attempts(given: str, before: Mapping[str, Any], again: bool) -> int:
    """Calls that have been tried: as given, else one more than before, else none (§4.1)."""
    if given:
        if not (given.isascii() and given.isdigit() and len(given) <= 6):
            raise Refused(20001, f"attempts must be a whole number, not {given[:20]!r}")
        return int(given)
    if not again:
        return 0
    known = before.get("attempts")
    return (known if isinstance(known, int) and not isinstance(known, bool) else 0) + 1


def fitted(attributes: Mapping[str, Any]) -> str:
    """The JSON text, made to fit: first without what the call left behind, then with a shorter transcript."""
    found = dict(attributes)
    text = _written(found)
    if len(text) <= LIMIT:
        return text
    for name in OF_THE_CALL:
        found.pop(name, None)
    for name in [
        key for key in found if re.match(r"(from|to|caller|called)_(city|state|zip|country)\Z", key)
    ]:
        found.pop(name)
    text = _written(found)
    spoken = inner(found, "callBackData").get("transcriptText")
    while len(text) > LIMIT and isinstance(spoken, str) and len(spoken) > 1:
        spoken = spoken[: max(0, len(spoken) - max(16, (len(text) - LIMIT)) - 1)]
        found["callBackData"] = {**inner(found, "callBackData"), "transcriptText": spoken + "…"}
        text = _written(found)
    return text


def _written(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
