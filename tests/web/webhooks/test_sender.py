"""The sender against real local servers (webhooks sheet, section 12)."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twilio.request_validator import RequestValidator

from ringback.web.webhooks.guard import Forbidden, Guard
from ringback.web.webhooks.jar import CookieJar
from ringback.web.webhooks.request import Hook, first_request, redirected
from ringback.web.webhooks.sender import WebhookSender

TOKEN = "ringback-test-token"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def sender() -> AsyncIterator[WebhookSender]:
    one = WebhookSender(allow_private=True)
    yield one
    await one.close()


@asynccontextmanager
async def app(handler: Handler) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", handler)
    async with TestServer(application) as server:
        yield str(server.make_url("/")).rstrip("/")


@asynccontextmanager
async def raw(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await talk(reader, writer)
        except (asyncio.CancelledError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_form_post_is_signed_for_the_official_validator(sender: WebhookSender) -> None:
    seen: list[tuple[str, dict[str, str], str, str]] = []

    async def handler(request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        seen.append(
            (
                str(request.url),
                form,
                request.headers["X-Twilio-Signature"],
                request.headers["I-Twilio-Idempotency-Token"],
            )
        )
        return web.Response(text="<Response/>", content_type="text/xml")

    async with app(handler) as base:
        got = await sender.send(
            Hook(
                url=f"{base}/voice?lang=en#rt=1000",
                params=[("From", "+15005550006"), ("City", "Füße"), ("Digits", "")],
                auth_token=TOKEN,
                token="t-1",
            )
        )
    assert got.ok
    assert (got.status, got.body, got.content_type) == (200, b"<Response/>", "text/xml")
    url, form, signature, token = seen[0]
    assert form == {"From": "+15005550006", "City": "Füße", "Digits": ""}
    assert token == "t-1"
    assert RequestValidator(TOKEN).validate(url, form, signature)
    assert not RequestValidator("another").validate(url, form, signature)


async def test_get_and_json_are_signed(sender: WebhookSender) -> None:
    results: list[bool] = []

    async def handler(request: web.Request) -> web.Response:
        url = str(request.url.with_path(request.url.raw_path, encoded=True).with_query(None))
        url += "?" + request.rel_url.raw_query_string
        body: object = (await request.text()) if request.method == "POST" else {}
        results.append(RequestValidator(TOKEN).validate(url, body, request.headers["X-Twilio-Signature"]))
        return web.Response(text="ok")

    async with app(handler) as base:
        await sender.send(Hook(url=f"{base}/a?x=1", method="GET", params=[("A", "+1 ü")], auth_token=TOKEN))
        await sender.send(Hook(url=f"{base}/j", json=b'{"a":1}', auth_token=TOKEN))
    assert results == [True, True]


async def test_retries_keep_the_idempotency_token(sender: WebhookSender) -> None:
    tokens: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        tokens.append(request.headers["I-Twilio-Idempotency-Token"])
        return web.Response(status=500 if len(tokens) < 3 else 200, text="x")

    async with app(handler) as base:
        got = await sender.send(Hook(url=f"{base}/#rc=2&rp=5xx", token="same"))
    assert got.ok
    assert tokens == ["same"] * 3
    assert [attempt.status for attempt in got.attempts] == [500, 500, 200]


async def test_a_status_error_is_not_retried_by_default(sender: WebhookSender) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=503)

    async with app(handler) as base:
        got = await sender.send(Hook(url=base, status_error=15003))
    assert (got.error_code, len(got.attempts)) == (15003, 1)


@pytest.mark.parametrize(
    ("status", "method", "digits"), [(302, "GET", ""), (307, "POST", "5"), (308, "POST", "5")]
)
async def test_redirects(sender: WebhookSender, status: int, method: str, digits: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.path == "/":
            return web.Response(status=status, headers={"Location": "/next?k=v"})
        form = {key: str(value) for key, value in (await request.post()).items()}
        good = RequestValidator(TOKEN).validate(str(request.url), form, request.headers["X-Twilio-Signature"])
        return web.json_response([request.method, form.get("Digits", ""), good])

    async with app(handler) as base:
        got = await sender.send(Hook(url=base, params=[("Digits", "5")], auth_token=TOKEN))
    assert got.body == f'["{method}", "{digits}", true]'.encode()
    assert got.final_url == f"{base}/next?k=v"


async def test_eleven_redirects_are_too_many(sender: WebhookSender) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/again"})

    async with app(handler) as base:
        got = await sender.send(Hook(url=base))
    assert (got.error_code, len(got.attempts)) == (11215, 11)


@pytest.mark.parametrize("location", ["", "ftp://x/", "http://", "http://[::1"])
async def test_bad_redirects(sender: WebhookSender, location: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=301, headers={"Location": location})

    async with app(handler) as base:
        assert (await sender.send(Hook(url=base))).error_code == 11216


async def test_cookies_stay_within_their_call(sender: WebhookSender) -> None:
    async def handler(request: web.Request) -> web.Response:
        answer = web.Response(text=request.cookies.get("s", "none"))
        answer.set_cookie("s", "secret-42")
        return answer

    jar = CookieJar()
    async with app(handler) as base:
        bodies = [(await sender.send(Hook(url=base, jar=one))).body for one in (jar, jar, CookieJar())]
        last = await sender.send(Hook(url=base, jar=jar))
    assert bodies == [b"none", b"secret-42", b"none"]
    ledger = repr([(a.request_headers, a.response_headers) for a in last.attempts])
    assert "secret-42" not in ledger


async def test_basic_credentials_answer_a_challenge_and_are_remembered_and_hidden(
    sender: WebhookSender,
) -> None:
    seen: list[str | None] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        if seen[-1] != "Basic dXNlcjpwQHNz":
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})
        return web.Response(text="in")

    jar = CookieJar()
    async with app(handler) as base:
        with_login = base.replace("http://", "http://user:p%40ss@")
        first = await sender.send(Hook(url=with_login, jar=jar, auth_token=TOKEN))
        second = await sender.send(Hook(url=base, jar=jar))
    assert first.ok
    assert second.ok
    assert seen == [None, "Basic dXNlcjpwQHNz", "Basic dXNlcjpwQHNz"]
    assert "p%40ss" not in repr(first)
    assert "dXNlcj" not in repr(first)


async def test_still_401_is_11200(sender: WebhookSender) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})

    async with app(handler) as base:
        got = await sender.send(Hook(url=base.replace("http://", "http://a:b@")))
    assert (got.error_code, len(got.attempts)) == (11200, 2)


async def test_nothing_listening_is_refused_and_tried_once_more(sender: WebhookSender) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        return

    async with raw(talk) as port:
        pass
    got = await sender.send(Hook(url=f"http://127.0.0.1:{port}/"))
    assert (got.error_code, len(got.attempts)) == (11202, 2)
    got = await sender.send(Hook(url=f"http://127.0.0.1:{port}/#rc=0"))
    assert len(got.attempts) == 1


@pytest.mark.parametrize(
    ("said", "overrides", "code", "attempts"),
    [
        (b"", "tt=150", 11203, 1),
        (b"", "rt=100&rc=1&rp=rt", 11205, 2),
        (b"HTTP/1.1 200 O", "rt=100&rc=2&rp=all", 11205, 1),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "rt=100&rc=2&rp=all", 11205, 1),
    ],
)
async def test_hanging_endpoints(
    sender: WebhookSender, said: bytes, overrides: str, code: int, attempts: int
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await reader.read()
        await asyncio.Event().wait()

    async with raw(talk) as port:
        got = await sender.send(Hook(url=f"http://127.0.0.1:{port}/#{overrides}"))
    assert (got.error_code, len(got.attempts)) == (code, attempts)


@pytest.mark.parametrize(
    ("said", "code", "attempts"),
    [
        (b"", 11205, 2),
        (b"HTTP/1.1 200 OK\r\nContent-Le", 11205, 1),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", 11205, 1),
        (b"SSH-2.0-OpenSSH\r\n\r\n", 11206, 1),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx", 11206, 1),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nxxxx", 11206, 1),
    ],
)
async def test_broken_answers(sender: WebhookSender, said: bytes, code: int, attempts: int) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)

    async with raw(talk) as port:
        got = await sender.send(Hook(url=f"http://127.0.0.1:{port}/#rc=1&rp=all"))
    assert (got.error_code, len(got.attempts)) == (code, attempts)


async def test_a_closed_idle_connection_is_replaced_without_a_retry(sender: WebhookSender) -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
        await reader.readuntil(b"\r\n\r\n")  # a second request on this connection finds it closed

    async with raw(talk) as port:
        url = f"http://127.0.0.1:{port}/#rc=0"
        assert (await sender.send(Hook(url=url))).ok
        got = await sender.send(Hook(url=url))
    assert got.ok
    assert connections == 2


async def test_sizes(sender: WebhookSender) -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.path == "/bomb":
            return web.Response(
                body=gzip.compress(bytes(50_000_000), 1), headers={"Content-Encoding": "gzip"}
            )
        if request.path == "/zip":
            return web.Response(body=gzip.compress(b"<Response/>"), headers={"Content-Encoding": "gzip"})
        return web.Response(body=bytes(65_536 if request.path == "/fits" else 65_537))

    async with app(handler) as base:
        fits, large, bomb, zipped, noted = [
            await sender.send(Hook(url=base + path, kind=kind))
            for path, kind in (
                ("/fits", "document"),
                ("/large", "document"),
                ("/bomb", "document"),
                ("/zip", "document"),
                ("/large", "notification"),
            )
        ]
    assert (len(fits.body), large.error_code, bomb.error_code) == (65_536, 11750, 11750)
    assert zipped.body == b"<Response/>"
    assert noted.ok


async def test_empty_documents(sender: WebhookSender) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=204)

    async with app(handler) as base:
        assert (await sender.send(Hook(url=base))).error_code == 11770
        assert (await sender.send(Hook(url=base, empty_ok=True))).ok
        assert (await sender.send(Hook(url=base, kind="notification"))).ok


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://localhost/",
        "http://[::ffff:10.0.0.1]/",
        "http://169.254.169.254/x",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://[::1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://0/",
    ],
)
async def test_the_guard_refuses_private_addresses(url: str) -> None:
    one = WebhookSender(allow_private=False)
    try:
        got = await one.send(Hook(url=url))
    finally:
        await one.close()
    assert got.error_code == 11210
    assert len(got.attempts) == 1
    assert "RINGBACK_ALLOW_PRIVATE_WEBHOOKS" in got.error_text or "Port" in got.error_text


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://a/",
        "http://",
        "http://a:99999/",
        "http://a:0/",
        "http://a\n/",
        "http://" + "a" * 9_000,
        "//x",
    ],
)
async def test_unusable_urls(sender: WebhookSender, url: str) -> None:
    assert (await sender.send(Hook(url=url))).error_code == 11100


def _certificate(folder: Path, *, name: str, days: int) -> tuple[ssl.SSLContext, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    alternative: x509.GeneralName = (
        x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=9))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([alternative]), False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + public)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    trusted = folder / "trusted.pem"
    trusted.write_bytes(public)
    return context, trusted


@pytest.mark.parametrize(
    ("name", "days", "trust", "code"),
    [
        ("127.0.0.1", 9, True, None),
        ("other.test", 9, True, 11235),
        ("127.0.0.1", -1, True, 11236),
        ("127.0.0.1", 9, False, 11237),
    ],
)
async def test_certificates(tmp_path: Path, name: str, days: int, trust: bool, code: int | None) -> None:
    context, trusted = _certificate(tmp_path, name=name, days=days)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
        await writer.drain()

    mine = ssl.create_default_context(cafile=str(trusted)) if trust else None
    one = WebhookSender(allow_private=True, tls=mine)
    try:
        async with raw(talk, context) as port:
            got = await one.send(Hook(url=f"https://127.0.0.1:{port}/"))
    finally:
        await one.close()
    assert got.error_code == code


async def test_plain_talk_on_a_tls_url_is_a_handshake_error(sender: WebhookSender) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with raw(talk) as port:
        got = await sender.send(Hook(url=f"https://127.0.0.1:{port}/"))
    assert got.error_code == 11220


async def test_the_guard_checks_redirects_and_names() -> None:
    """A public first hop that redirects inwards, and a name that resolves inwards, get no connection."""
    guard = Guard(allow_private=False)
    with pytest.raises(Forbidden, match="RINGBACK_ALLOW_PRIVATE_WEBHOOKS"):
        await guard.resolve("localhost", 80)
    hook = Hook(url="http://93.184.216.34/")
    wire, _, _ = first_request(hook)
    guard.check(wire.target)
    with pytest.raises(Forbidden):
        guard.check(redirected(hook, wire, 302, "http://169.254.169.254/latest").target)
