"""What the simulator's endpoints share: who asks, and the JSON that they send."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from ringback.kernel.errors import Refused
from ringback.web.routes import Rule

BODY_LIMIT = 1024 * 1024
_ADDRESS = re.compile(r"[^\s\x00-\x1f]{1,255}\Z")


class Tester(Protocol):
    """Who asks: an account, by good credentials."""

    @property
    def account_sid(self) -> str:
        """Its SID."""

    @property
    def operates(self) -> bool:
        """Whether it sees to the whole installation."""

    async def reaches(self, account_sid: str) -> bool:
        """Whether that account is this one, or belongs to it."""


class Access(Protocol):
    """Who may ask, and whose things are (``web/simulator_access.py``)."""

    async def admit(self, authorization: str, rule: Rule) -> Tester:
        """Raises ``Refused`` for whoever may not."""

    async def owner_of_number(self, number: str) -> str:
        """SID of the account that has it; empty: nobody has."""

    async def owner_of_call(self, sid: str) -> str:
        """SID of the account whose call it is; empty: the product knows no such call."""


Endpoint = Callable[[Request, Tester], Awaitable[Response]]


async def read_body(request: Request, names: set[str]) -> dict[str, Any]:
    """The JSON object of a request; refuses anything else, unknown names and more than 1 MiB."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > BODY_LIMIT:
            raise Refused(20001, f"the body has more than {BODY_LIMIT} bytes", 413)
    try:
        body = json.loads(bytes(raw) or b"{}")
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        raise Refused(20001, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused(20001, "the body must be a JSON object")
    unknown = set(body) - names
    if unknown:
        raise Refused(20001, f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(sorted(names))}")
    return body


def address(body: Any, name: str) -> str:
    """The number or address of that name; raises ``Refused``."""
    value = body.get(name)
    if not isinstance(value, str) or not _ADDRESS.match(value):
        raise Refused(20001, f"{name} must be a phone number such as +15550100, or a sip: address")
    return value
