"""The channel of HTTP carriers against a carrier that answers as told, and the door that carriers post to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from ringback.edges.channels import Declined, Taken, Unclear
from ringback.edges.channels.http import HttpChannel
from ringback.edges.http_carrier.door import LARGEST, CarrierDoor
from ringback.edges.http_carrier.proof import WINDOW, signature
from ringback.effects.messaging import SendText
from ringback.events.messaging import Attachment
from ringback.kernel.errors import Refused
from ringback.kernel.text_carrier import HttpCarrier

SECRET = "0123456789abcdef"


def carrier(**changes: Any) -> HttpCarrier:
    given: dict[str, Any] = {
        "name": "chat", "send_url": "http://127.0.0.1:1/", "token": "send-token", "webhook_secret": SECRET,
        "numbers": ("whatsapp:+15550100",), "throughput": 0, "patience": 5, "timeout": 2,
    }  # fmt: skip
    return HttpCarrier(**given | changes)


def text(**changes: Any) -> SendText:
    given = {
        "from_": "whatsapp:+15550100",
        "to": "whatsapp:+15551230001",
        "body": "hi 😀",
        "channel": "http:chat",
    }
    return SendText(message_sid="SM1", account_sid="AC1", **given | changes)


class Carrier:
    """Answers as its list says, then with the last of it."""

    def __init__(self) -> None:
        self.answers: list[Callable[[web.Request], Any]] = [
            lambda request: web.json_response({"id": "wamid.1"})
        ]
        self.got: list[tuple[Any, dict[str, str]]] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.got.append((await request.json(), dict(request.headers)))
        answer = self.answers[min(len(self.got), len(self.answers)) - 1](request)
        return await answer if asyncio.iscoroutine(answer) else answer


@pytest.fixture
async def far() -> AsyncIterator[Carrier]:
    found = Carrier()
    application = web.Application()
    application.router.add_post("/messages", found.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/messages"
    yield found
    await runner.cleanup()


async def sent(far: Carrier, one: SendText | None = None, **changes: Any) -> Any:
    channel = HttpChannel(carrier(**{"send_url": far.url} | changes))
    await channel.start()
    try:
        return await channel.send(one or text())
    finally:
        await channel.stop()


async def test_a_message_is_posted_with_its_key_and_token(far: Carrier) -> None:
    media = (Attachment(url="https://x.test/a.png", content_type="image/png"),)
    assert await sent(far, text(media=media)) == Taken("wamid.1")
    ((body, headers),) = far.got
    assert body == {
        "id": "SM1", "from": "whatsapp:+15550100", "to": "whatsapp:+15551230001", "body": "hi 😀",
        "media": [{"url": "https://x.test/a.png", "content_type": "image/png"}],
    }  # fmt: skip
    assert (headers["Authorization"], headers["Idempotency-Key"]) == ("Bearer send-token", "SM1")


@pytest.mark.parametrize("status", [429, 503])
async def test_a_carrier_that_asks_to_wait_is_asked_again(far: Carrier, status: int) -> None:
    far.answers.insert(0, lambda request: web.Response(status=status))
    assert await sent(far) == Taken("wamid.1")
    assert len(far.got) == 2


async def test_waiting_has_an_end(far: Carrier) -> None:
    far.answers = [lambda request: web.Response(status=429)]
    outcome = await sent(far, patience=0.2)
    assert isinstance(outcome, Declined)
    assert outcome.error_code == 30001


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (400, {"error": {"code": 63016, "message": "outside the window"}}, 63016, "outside the window"),
        (403, {"code": 30007, "message": "spam"}, 30007, "spam"),
        (404, {"code": 131026, "message": "no"}, 30008, "no"),
        (401, None, 30008, "status 401"),
        (302, None, 30008, "status 302"),
    ],
)
async def test_a_refusal_is_for_good(far: Carrier, status: int, body: Any, code: int, words: str) -> None:
    far.answers = [
        lambda request: web.Response(status=status, text=json.dumps(body), headers={"Location": "/"})
    ]
    outcome = await sent(far)
    assert isinstance(outcome, Declined)
    assert outcome.error_code == code
    assert words in outcome.text
    assert len(far.got) == 1


async def drop(request: web.Request) -> Any:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def stay(request: web.Request) -> Any:
    await asyncio.sleep(1)
    return web.Response()


@pytest.mark.parametrize("answer", [lambda request: web.Response(status=500), drop, stay])
async def test_what_may_have_been_taken_is_unclear_and_not_sent_again(far: Carrier, answer: Any) -> None:
    far.answers = [answer]
    assert isinstance(await sent(far, timeout=0.3), Unclear)
    await asyncio.sleep(0.1)
    assert len(far.got) == 1


async def test_without_a_connection_nothing_was_sent(far: Carrier) -> None:
    outcome = await sent(far, send_url="http://127.0.0.1:9/", patience=0.2)
    assert isinstance(outcome, Declined)
    assert outcome.error_code == 30006


async def test_an_answer_without_an_id_is_taken(far: Carrier) -> None:
    far.answers = [lambda request: web.Response(text="x" * 200_000)]
    assert await sent(far) == Taken("")


def test_what_it_carries() -> None:
    assert HttpChannel(carrier()).carries("whatsapp:+15550100")
    assert not HttpChannel(carrier()).carries("whatsapp:+15550101")
    assert not HttpChannel(carrier()).carries("+15550100")
    assert HttpChannel(carrier(numbers=("whatsapp:*",))).carries("whatsapp:+1")
    assert not HttpChannel(carrier(numbers=("whatsapp:*",))).carries("sms:+1")


# --- the door ------------------------------------------------------------------------------------------------


class Desk:
    """In the post office's place."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.receipts: list[tuple[Any, ...]] = []
        self.refuse: Refused | None = None

    async def arrived(self, channel: str, **fields: Any) -> str:
        if self.refuse is not None:
            raise self.refuse
        self.messages.append({"channel": channel, **fields})
        return "SM9"

    async def receipt(self, channel: str, carrier_id: str, status: str, **fields: Any) -> bool:
        self.receipts.append((channel, carrier_id, status, fields["error_code"], fields["done_at"]))
        return carrier_id == "known"


NOW = 1_800_000_000.0
MESSAGE = {"id": "m1", "from": "whatsapp:+15551230001", "to": "whatsapp:+15550100", "body": "hello"}


async def post(
    desk: Desk, what: Any, *, path: str = "/carriers/chat/messages", at: str = "1800000000", secret: str = SECRET,
    method: str = "POST", headers: dict[str, str] | None = None, setting: HttpCarrier | None = None,
) -> tuple[int, Any]:  # fmt: skip
    body = what if isinstance(what, bytes) else json.dumps(what).encode()
    given = {"x-carrier-timestamp": at, "x-carrier-signature": signature(secret, at, body)}
    found = [
        (name.encode(), value.encode()) for name, value in (given if headers is None else headers).items()
    ]
    scope = {
        "type": "http", "method": method, "path": path, "query_string": b"", "headers": found,
        "scheme": "http", "server": ("127.0.0.1", 80), "root_path": "",
    }  # fmt: skip
    out: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        out.append(message)

    door = CarrierDoor([setting or carrier()], desk, lambda: NOW)  # type: ignore[arg-type]
    await door(scope, receive, send)
    return out[0]["status"], json.loads(out[1]["body"])


async def test_a_signed_message_is_taken() -> None:
    desk = Desk()
    media = [{"url": "https://x.test/a.jpg", "content_type": "image/jpeg"}]
    assert await post(desk, MESSAGE | {"media": media}) == (200, {"sid": "SM9"})
    assert desk.messages == [
        {
            "channel": "http:chat", "from_": "whatsapp:+15551230001", "to": "whatsapp:+15550100", "body": "hello",
            "carrier_id": "m1", "media": (Attachment(url="https://x.test/a.jpg", content_type="image/jpeg"),),
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "another-secret-16"},
        {"headers": {}},
        {"headers": {"x-carrier-timestamp": "1800000000", "x-carrier-signature": "sha256=é"}},
        {"headers": {"authorization": f"Bearer {SECRET}"}},
        {"at": str(int(NOW - WINDOW - 1))},
        {"at": str(int(NOW + WINDOW + 1))},
        {"at": "now"},
        {"at": "9" * 40},
        {"path": "/carriers/other/messages"},
    ],
)
async def test_nobody_else_gets_in(wrong: dict[str, Any]) -> None:
    desk = Desk()
    status, answer = await post(desk, MESSAGE, **wrong)
    assert (status, answer["code"]) == (401, 20003)
    assert desk.messages == []


async def test_a_carrier_may_have_plain_numbers() -> None:
    desk, setting = Desk(), carrier(numbers=("+15550100",))
    plain = MESSAGE | {"from": "+15551230001", "to": "+15550100"}
    assert (await post(desk, plain, setting=setting))[0] == 200
    assert (desk.messages[0]["from_"], desk.messages[0]["to"]) == ("+15551230001", "+15550100")
    assert HttpChannel(setting).carries("+15550100")
    assert (await post(desk, MESSAGE, setting=setting))[0] == 404


async def test_a_signature_is_of_its_body_alone() -> None:
    body = json.dumps(MESSAGE).encode()
    headers = {
        "x-carrier-timestamp": "1800000000",
        "x-carrier-signature": signature(SECRET, "1800000000", body),
    }
    status, _ = await post(Desk(), MESSAGE | {"body": "other"}, headers=headers)
    assert status == 401


async def test_a_carrier_may_bring_the_secret_itself() -> None:
    setting = carrier(webhook_auth="bearer")
    headers = {"authorization": f"Bearer {SECRET}"}
    assert (await post(Desk(), MESSAGE, setting=setting, headers=headers))[0] == 200
    headers = {"authorization": "Bearer x"}
    assert (await post(Desk(), MESSAGE, setting=setting, headers=headers))[0] == 401


@pytest.mark.parametrize(
    ("what", "status"),
    [
        (b"{", 400), (b"[]", 400), (b"[" * 50_000, 400), (b'{"id": "\\ud800"}', 400), (b"x" * (LARGEST + 1), 413),
        ({}, 400), (MESSAGE | {"id": ""}, 400), (MESSAGE | {"id": 7}, 400), (MESSAGE | {"id": "x" * 129}, 400),
        (MESSAGE | {"from": "+15551230001"}, 400), (MESSAGE | {"from": "a b"}, 400),
        (MESSAGE | {"from": "sms:+15551230001"}, 400),
        (MESSAGE | {"to": "whatsapp:+15559999999"}, 404), (MESSAGE | {"body": ["x"]}, 400),
        (MESSAGE | {"body": "x" * 16_385}, 400), (MESSAGE | {"media": {}}, 400), (MESSAGE | {"media": [1]}, 400),
        (MESSAGE | {"media": [{"url": "file:///etc/passwd"}]}, 400), (MESSAGE | {"media": [{}] * 11}, 400),
    ],
)  # fmt: skip
async def test_a_bad_message_is_refused(what: Any, status: int) -> None:
    desk = Desk()
    assert (await post(desk, what))[0] == status
    assert desk.messages == []


async def test_methods_and_paths() -> None:
    assert (await post(Desk(), MESSAGE, method="GET"))[0] == 405
    assert (await post(Desk(), MESSAGE, path="/carriers/chat"))[0] == 404
    assert (await post(Desk(), MESSAGE, path="/carriers/chat/other"))[0] == 404


@pytest.mark.parametrize("status", [404, 503])
async def test_what_we_cannot_take_is_said(status: int) -> None:
    desk = Desk()
    desk.refuse = Refused(20503, "not now", status)
    assert await post(desk, MESSAGE) == (status, {"code": 20503, "message": "not now"})


async def test_receipts() -> None:
    desk = Desk()
    told = {"id": "known", "status": "undelivered", "error_code": 30003, "timestamp": 1_799_999_999}
    assert await post(desk, told, path="/carriers/chat/receipts") == (200, {"known": True})
    told = {"id": "nobody", "status": "read"}
    assert await post(desk, told, path="/carriers/chat/receipts") == (200, {"known": False})
    assert desk.receipts == [
        ("http:chat", "known", "undelivered", 30003, 1_799_999_999.0),
        ("http:chat", "nobody", "read", None, None),
    ]


@pytest.mark.parametrize(
    "wrong",
    [{"status": "gone"}, {"status": ["read"]}, {"error_code": "30003"}, {"error_code": 7}, {"error_code": True},
     {"timestamp": "now"}, {"timestamp": -1}, {"id": None}, {"text": 5}],
)  # fmt: skip
async def test_a_bad_receipt_is_refused(wrong: dict[str, Any]) -> None:
    desk = Desk()
    told = {"id": "known", "status": "delivered"} | wrong
    assert (await post(desk, told, path="/carriers/chat/receipts"))[0] == 400
    assert desk.receipts == []
