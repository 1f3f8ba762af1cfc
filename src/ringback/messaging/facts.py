"""The parameters of requests to the application about a message (webhooks.md; the original's messaging webhooks)."""

from __future__ import annotations

import datetime

from ringback.numbers.plan import region_of
from ringback.numbers.text_address import split
from ringback.resources.api.message import Message

Params = list[tuple[str, str]]


def inbound(message: Message, public_url: str, opt_out: str = "") -> Params:
    """What the SMS URL is asked with. ``opt_out``: STOP, START or HELP, when it is nothing else. A file that has no
    URL of its own is at ours."""
    own = f"{public_url}/2010-04-01/Accounts/{message.account_sid}/Messages/{message.sid}/Media"
    found: Params = [
        ("ToCountry", _country(message.to)),
        ("ToState", ""),
        ("ToCity", ""),
        ("ToZip", ""),
        ("FromCountry", _country(message.from_)),
        ("FromState", ""),
        ("FromCity", ""),
        ("FromZip", ""),
        ("SmsMessageSid", message.sid),
        ("SmsSid", message.sid),
        ("MessageSid", message.sid),
        ("SmsStatus", message.status),
        ("AccountSid", message.account_sid),
        ("From", message.from_),
        ("To", message.to),
        ("Body", message.body),
        ("NumSegments", str(message.num_segments)),
        ("NumMedia", str(message.num_media)),
        ("ApiVersion", message.api_version),
    ]
    if message.messaging_service_sid:
        found.append(("MessagingServiceSid", message.messaging_service_sid))
    if opt_out:
        found.append(("OptOutType", opt_out))
    for index, each in enumerate(message.media):
        url = "" if each.get("sid") else each.get("url", "")  # what we have fetched is asked of us
        found.append((f"MediaUrl{index}", url or f"{own}/{each.get('media_sid', '')}"))
        found.append((f"MediaContentType{index}", each.get("content_type", "")))
    return found


def status(message: Message, done_at: float | None = None) -> Params:
    """What a status callback tells. ``done_at``: when the carrier says that it was."""
    found: Params = [
        ("MessageSid", message.sid),
        ("SmsSid", message.sid),
        ("MessageStatus", message.status),
        ("SmsStatus", message.status),
        ("AccountSid", message.account_sid),
        ("From", message.from_),
        ("To", message.to),
        ("ApiVersion", message.api_version),
    ]
    if message.messaging_service_sid:
        found.append(("MessagingServiceSid", message.messaging_service_sid))
    if message.error_code is not None:
        found += [("ErrorCode", str(message.error_code)), ("ErrorMessage", message.error_message or "")]
    if done_at is not None:
        moment = datetime.datetime.fromtimestamp(done_at, datetime.UTC)
        found.append(("RawDlrDoneDate", moment.strftime("%y%m%d%H%M")))
    return found


def _country(address: str) -> str:
    bare = split(address)[1]
    return (region_of(bare) or "") if bare.startswith("+") else ""
