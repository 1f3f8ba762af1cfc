"""What a NOTIFY of the event package ``refer`` says (RFC 3515 §2.4.4, §2.4.5)."""

import re
from typing import Final

from ringback.sip.message import Request

_STATUS: Final = re.compile(rb"SIP/2\.0[ \t]+([1-6][0-9]{2})\b", re.IGNORECASE)


def notified_code(request: Request) -> int | None:
    """The status of the call that a REFER of ours asked for; None: the NOTIFY is about something else.

    A subscription that is terminated before there is a final status has none to tell: then the last one holds.
    """
    event = (request.headers.get("event") or "").partition(";")[0].strip().lower()
    if event != "refer" or not request.content_type.startswith("message/sipfrag"):
        return None
    found = _STATUS.match(request.body.lstrip())
    return int(found[1]) if found is not None else None
