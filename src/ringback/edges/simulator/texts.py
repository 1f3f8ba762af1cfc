"""``/sim/v1/Messages``: simulated people write to our numbers, and read what they were sent (surface.md)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ringback.edges.simulator.handsets import Received
from ringback.edges.simulator.reading import Access, Endpoint, Tester, address, read_body
from ringback.events.messaging import Attachment
from ringback.kernel.errors import Refused
from ringback.web.routes import Route, Rule

LONGEST = 10_000
"""Characters of a message: what no network would carry in one piece."""
MOST_MEDIA = 10
_ID = re.compile(r"[!-~]{1,64}\Z")
_WEB = re.compile(r"https?://[^\s\x00-\x1f]{1,4000}\Z", re.IGNORECASE)


class Network(Protocol):
    """The simulated channel."""

    async def write(
        self, from_: str, to: str, body: str, media: Sequence[Attachment] = (), carrier_id: str = ""
    ) -> str:
        """Somebody writes to a number of ours; gives the SID. Raises ``Refused``."""

    def received(self, address: str) -> Sequence[Received]:
        """What a handset has received."""


def message_endpoints(network: Network, access: Access | None) -> list[tuple[Route, Endpoint]]:
    """The endpoints, for ``build_sim``."""
    texts = _Texts(network, access)
    return [
        (Route("POST", "/sim/v1/Messages", Rule.ACCOUNT), texts.write),
        (Route("GET", "/sim/v1/Messages", Rule.ACCOUNT), texts.show),
    ]


class _Texts:
    def __init__(self, network: Network, access: Access | None) -> None:
        self._network = network
        self._access = access

    async def write(self, request: Request, tester: Tester) -> Response:
        """``{"from": "+15551230001", "to": "+15550100", "body": "hi", "media": ["https://…"]}``: a simulated customer
        writes to a number of ours. 201 with ``{"sid": "SM…"}`` once it is kept. ``id`` is the carrier's: the same one
        again is the same message."""
        body = await read_body(request, {"from", "to", "body", "media", "id"})
        from_, to = address(body, "from"), address(body, "to")
        text, carrier_id = body.get("body", ""), body.get("id", "")
        if not isinstance(text, str) or len(text) > LONGEST or "\0" in text:
            raise Refused(20001, f"body must be a text of at most {LONGEST} characters")
        if not isinstance(carrier_id, str) or (carrier_id and not _ID.match(carrier_id)):
            raise Refused(20001, "id must be 1 to 64 visible ASCII characters")
        media = _media(body.get("media", []))
        if not text and not media:
            raise Refused(20001, "body or media is missing")
        owner = await self._access.owner_of_number(to) if self._access is not None else ""
        if owner and not await tester.reaches(owner):
            raise Refused(20003, f"{to} is another account's number", 403)
        return JSONResponse({"sid": await self._network.write(from_, to, text, media, carrier_id)}, 201)

    async def show(self, request: Request, tester: Tester) -> Response:
        """``?address=+15551230001``: what that handset has received, oldest first:
        ``{"messages": [{"sid", "from", "to", "body", "media", "at"}, …]}``."""
        wanted = address({"address": request.query_params.get("address", "").replace(" ", "+")}, "address")
        reached: dict[str, bool] = {}
        shown: list[dict[str, Any]] = []
        for each in self._network.received(wanted):
            if each.account_sid not in reached:
                reached[each.account_sid] = await tester.reaches(each.account_sid)
            if reached[each.account_sid]:
                shown.append(
                    {
                        "sid": each.sid, "from": each.from_, "to": each.to, "body": each.body,
                        "media": list(each.media), "at": each.at,
                    }
                )  # fmt: skip
        return JSONResponse({"messages": shown})


def _media(given: Any) -> list[Attachment]:
    """URLs, or objects with ``url`` and ``content_type``."""
    if not isinstance(given, list) or len(given) > MOST_MEDIA:
        raise Refused(20001, f"media must be a list of at most {MOST_MEDIA} URLs")
    found = []
    for each in given:
        one = each if isinstance(each, dict) else {"url": each}
        url, kind = one.get("url"), one.get("content_type", "")
        if not isinstance(url, str) or not _WEB.match(url) or not isinstance(kind, str) or len(kind) > 127:
            raise Refused(
                20001, "each of media must be an http or https URL, or an object with url and content_type"
            )
        found.append(Attachment(url=url, content_type=kind))
    return found
