"""``/carriers/{Name}/messages`` and ``/receipts``: what a carrier posts to us (how-to/sms-carriers.md).

A message is answered with 200 once it is stored; 503 asks the carrier to come again. The same id twice is one message.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast, get_args

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from ringback.edges.channels import ReceiptStatus, Reports
from ringback.edges.http_carrier import proof
from ringback.events.messaging import Attachment
from ringback.kernel.errors import Refused
from ringback.kernel.text_carrier import HttpCarrier, carried
from ringback.web.routes import Route, Rule

PREFIX: Final = "carriers"
LARGEST: Final = 128 * 1024
"""Bytes of a request."""
LONGEST_TEXT: Final = 16_384
MOST_MEDIA: Final = 10
LONGEST_WAIT: Final = 10.0
"""Seconds that a receipt waits for the answer by which we learn its message's id."""
Form = tuple[re.Pattern[str], str]
"""What a text must look like, and what to write."""
_ID: Final[Form] = (re.compile(r"[!-~]{1,128}\Z"), "1 to 128 printable ASCII characters")
_ADDRESS: Final[Form] = (
    re.compile(r"([a-z][a-z0-9_]{1,19}:\S|[+0-9A-Za-z])[^\s:]{1,127}\Z"),
    "an address such as whatsapp:+15551230001, or a number",
)
_URL: Final[Form] = (re.compile(r"https?://[^\s\x00-\x1f]{1,2000}\Z"), "an http(s) URL")


class CarrierDoor:
    """The ASGI application."""

    def __init__(self, carriers: Sequence[HttpCarrier], reports: Reports, now: Callable[[], float]) -> None:
        """``now`` gives Unix seconds."""
        self._carriers = {each.name: each for each in carriers}
        self._reports, self._now = reports, now
        self._figures = dict.fromkeys(("messages", "receipts", "refused"), 0)

    def routes(self) -> list[Route]:
        """Both need the carrier's proof."""
        return [
            Route("POST", f"/{PREFIX}/{{CarrierName}}/{what}", Rule.CARRIER)
            for what in ("messages", "receipts")
        ]

    def figures(self) -> Mapping[str, float]:
        """Numbers for ``/metrics``."""
        return {f"channel_http_door_{name}_total": float(count) for name, count in self._figures.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        request = Request(scope, receive)
        response: Response
        try:
            response = await self._answer(request)
        except Refused as error:
            self._figures["refused"] += 1
            response = JSONResponse({"code": error.code, "message": error.message}, error.status)
            if error.status == 503:
                response.headers["Retry-After"] = "5"
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        parts = request.url.path.strip("/").split("/")
        if len(parts) != 3 or parts[2] not in ("messages", "receipts"):
            raise Refused(20404, f"The requested resource {request.url.path} was not found", 404)
        if request.method != "POST":
            raise Refused(20004, "Method not allowed", 405)
        body = await _body(request)
        carrier = self._carriers.get(parts[1])
        if carrier is None:  # as for a bad signature: nobody learns which names there are
            raise Refused(20003, "The request is not signed with the carrier's secret", 401)
        proof.check(carrier.webhook_secret, carrier.webhook_auth, request.headers, body, self._now())
        told = _object(body)
        if parts[2] == "messages":
            return await self._message(carrier, told)
        return await self._receipt(carrier, told)

    async def _message(self, carrier: HttpCarrier, told: dict[str, Any]) -> Response:
        to, from_ = _text(told, "to", form=_ADDRESS), _text(told, "from", form=_ADDRESS)
        if not carried(carrier.numbers, to):
            raise Refused(21606, f"{to} is not one of this carrier's numbers", 404)
        if from_.rpartition(":")[0] != to.rpartition(":")[0]:
            raise Refused(20001, "from and to are of different channels")
        sid = await self._reports.arrived(
            f"http:{carrier.name}", from_=from_, to=to, body=_text(told, "body", LONGEST_TEXT, needed=False),
            media=_media(told.get("media")), carrier_id=_text(told, "id", form=_ID),
        )  # fmt: skip
        self._figures["messages"] += 1
        return JSONResponse({"sid": sid})

    async def _receipt(self, carrier: HttpCarrier, told: dict[str, Any]) -> Response:
        status = told.get("status")
        if status not in get_args(ReceiptStatus):
            raise Refused(20001, f"status: write one of {', '.join(get_args(ReceiptStatus))}")
        code, at = told.get("error_code"), told.get("timestamp")
        if code is not None and (type(code) is not int or not 30000 <= code <= 64999):
            raise Refused(20001, "error_code: write a number from 30000 to 64999, or leave it out")
        if at is not None and (isinstance(at, bool) or not isinstance(at, int | float) or not 0 <= at < 1e11):
            raise Refused(20001, "timestamp: write Unix seconds, or leave it out")
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                known = await self._reports.receipt(
                    f"http:{carrier.name}", _text(told, "id", form=_ID), cast("ReceiptStatus", status),
                    error_code=code, text=_text(told, "text", 1000, needed=False),
                    done_at=None if at is None else float(at),
                )  # fmt: skip
        except TimeoutError:
            raise Refused(20503, "Come again: the message's own answer is not here yet", 503) from None
        self._figures["receipts"] += 1
        return JSONResponse({"known": known})


async def _body(request: Request) -> bytes:
    """All of it. Raises ``Refused``."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST:
                raise Refused(20413, f"The request has more than {LARGEST} bytes", 413)
    except ClientDisconnect:
        raise Refused(20001, "The request ended early") from None
    return bytes(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        raise Refused(20001, "The request is no JSON") from None
    if not isinstance(found, dict):
        raise Refused(20001, "The request is no JSON object")
    return found


def _text(
    told: Mapping[str, Any], name: str, longest: int = 255, *, needed: bool = True, form: Form | None = None
) -> str:
    found = told.get(name)
    if found is None and not needed:
        return ""
    if not isinstance(found, str) or len(found) > longest or (form is not None and not form[0].match(found)):
        raise Refused(
            20001, f"{name}: write {form[1] if form else f'a text of at most {longest} characters'}"
        )
    return found


def _media(told: Any) -> tuple[Attachment, ...]:
    if told is None:
        return ()
    if (
        not isinstance(told, list)
        or len(told) > MOST_MEDIA
        or not all(isinstance(each, dict) for each in told)
    ):
        raise Refused(20001, f"media: write a list of at most {MOST_MEDIA} objects")
    return tuple(map(_attachment, told))


def _attachment(told: Mapping[str, Any]) -> Attachment:
    return Attachment(
        url=_text(told, "url", 2048, form=_URL),
        content_type=_text(told, "content_type", needed=False),
        filename=_text(told, "filename", needed=False),
    )
