"""The media store in the running product: in, out, limits, crashes, and who may."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from ringback.effects import Save
from ringback.effects.media import AttachMedia, DropMedia
from ringback.events.messaging import Attachment
from ringback.kernel.errors import Refused
from ringback.resources.api.account import Account
from ringback.resources.conversations.chat_service import ChatService
from ringback.resources.conversations.participant import Participant
from ringback.resources.mcs.media_file import MediaFile
from ringback.sharing.seats import Seats
from ringback.store import DeleteIf, Stale, Unavailable
from ringback.testing.world import World, world
from ringback.web.auth import make_token
from ringback.web.mcs.fetching import MediaFetcher
from ringback.web.mcs.files import ORPHAN_SECONDS, Files

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


class Desk:
    """A service of the first account, and requests to ``/mcs``."""

    def __init__(self, town: World, session: aiohttp.ClientSession, service: str) -> None:
        self.world, self.product, self.service = town, town.product, service
        self.session = session
        self.list = f"{town.url}/mcs/v1/Services/{service}/Media"

    def basic(self) -> dict[str, str]:
        """The account's credentials."""
        known = self.product
        return {"Authorization": aiohttp.encode_basic_auth(known.account_sid, known.auth_token)}

    def token(self, identity: str, service: str = "") -> dict[str, str]:
        """Somebody's access token."""
        known = self.product
        text = make_token(
            account_sid=known.account_sid, key_sid=known.account_sid, secret=known.auth_token, identity=identity,
            grants={"chat": {"service_sid": service or self.service}}, now=known.clock.now(),
        )  # fmt: skip
        return {"X-Twilio-Token": text}

    async def ask(
        self, method: str, url: str, headers: dict[str, str] | None = None, **more: Any
    ) -> tuple[int, Any, aiohttp.ClientResponse]:
        """Status, JSON (or bytes), and the answer."""
        found = {**(self.basic() if headers is None else headers), **more.pop("also", {})}
        async with self.session.request(method, url, headers=found, allow_redirects=False, **more) as answer:
            if answer.content_type == "application/json":
                return answer.status, await answer.json(), answer
            return answer.status, await answer.read(), answer

    async def upload(self, data: bytes = PNG, kind: str = "image/png", query: str = "", **more: Any) -> Any:
        """A file that is taken."""
        status, body, _ = await self.ask(
            "POST", self.list + query, data=data, also={"Content-Type": kind}, **more
        )
        assert status == 201, body
        return body

    def files(self) -> list[str]:
        """Everything in the folder."""
        folder = self.product.settings.data_dir / "media"
        return sorted(each.name for each in folder.rglob("*") if each.is_file())


@pytest.fixture
def settings() -> dict[str, Any]:
    return {}


@pytest.fixture
async def desk(tmp_path: Path, settings: dict[str, Any]) -> AsyncIterator[Desk]:
    async with world(tmp_path, **settings) as town, aiohttp.ClientSession() as session:
        product = town.product
        service = ChatService(sid=product.new_sid("IS"), account_sid=product.account_sid, friendly_name="s")
        await product.store.commit([Save(service)])
        yield Desk(town, session, service.sid)


async def test_what_the_sdk_does(desk: Desk) -> None:
    """Raw, then what is known of it, then the bytes without any header, then it is gone."""
    made = await desk.upload(query="?Category=media&Filename=..%2F..%2Fcat%20%C3%A9.png")
    assert made["sid"].startswith("ME")
    assert {name: made[name] for name in ("service_sid", "size", "content_type", "category", "filename", "author")} == {
        "service_sid": desk.service, "size": len(PNG), "content_type": "image/png", "category": "media",
        "filename": "cat é.png", "author": "system",
    }  # fmt: skip
    assert (made["channel_sid"], made["message_sid"]) == (None, None)
    status, shown, _ = await desk.ask("GET", made["url"])
    assert status == 200
    assert {**shown, "links": None} == {**made, "links": None}
    status, data, answer = await desk.ask("GET", shown["links"]["content_direct_temporary"], {})
    assert (status, data) == (200, PNG)
    assert answer.headers["content-disposition"].startswith("inline")
    assert answer.headers["access-control-allow-origin"] == "*"
    status, _, answer = await desk.ask("GET", shown["links"]["content"])
    assert status == 307
    assert (await desk.ask("GET", answer.headers["location"], {}))[1] == PNG
    assert (await desk.ask("DELETE", made["url"]))[0] == 204
    assert desk.files() == []
    assert (await desk.ask("GET", made["url"]))[0] == 404
    assert (await desk.ask("GET", shown["links"]["content_direct_temporary"], {}))[0] == 403


async def test_a_form(desk: Desk) -> None:
    """The file of a form, with the type and name that its part has; other parts are no file."""
    form = aiohttp.FormData()
    form.add_field("note", "x")
    form.add_field("anything", PNG * 100, filename="a.png", content_type="image/png")
    form.add_field("second", b"y", filename="b.txt")
    status, made, _ = await desk.ask("POST", desk.list, data=form)
    assert status == 201
    assert (made["filename"], made["content_type"], made["size"]) == ("a.png", "image/png", len(PNG) * 100)
    assert (await desk.ask("GET", made["links"]["content_direct_temporary"], {}))[1] == PNG * 100


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"no form"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n'),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; filename="a"\r\n\r\nx'),
        ("image/png", b""),
    ],
)  # fmt: skip
async def test_what_holds_no_file(desk: Desk, kind: str, body: bytes) -> None:
    status, answer, _ = await desk.ask("POST", desk.list, data=body, also={"Content-Type": kind})
    assert (status, answer["code"]) == (400, 20001)
    assert desk.files() == []


@pytest.mark.parametrize(
    "data",
    [
        b"<html><script>alert(document.domain)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"alert(1)",
        b"%PDF-1.4 x",
    ],
)
async def test_what_a_browser_could_run_is_a_download(desk: Desk, data: bytes) -> None:
    """Although it says that it is a JPEG."""
    made = await desk.upload(data, "image/jpeg", "?Filename=cat.jpg")
    assert made["content_type"] != "image/jpeg"
    _, got, answer = await desk.ask("GET", made["links"]["content_direct_temporary"], {})
    assert got == data
    assert answer.headers["content-disposition"] == 'attachment; filename="cat.jpg"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["content-type"].partition(";")[0] in (
        "application/octet-stream", "text/plain", "application/pdf",
    )  # fmt: skip


async def test_ranges(desk: Desk) -> None:
    """RFC 9110 §14: a piece, an end, one that there is not."""
    url = (await desk.upload())["links"]["content_direct_temporary"]
    status, data, answer = await desk.ask("GET", url, {"Range": "bytes=8-15"})
    assert (status, data) == (206, PNG[8:16])
    assert answer.headers["content-range"] == f"bytes 8-15/{len(PNG)}"
    assert (await desk.ask("GET", url, {"Range": "bytes=-4"}))[1] == PNG[-4:]
    assert (await desk.ask("GET", url, {"Range": "bytes=999999-"}))[0] == 416
    status, data, answer = await desk.ask("HEAD", url, {})
    assert (status, data, answer.headers["content-length"]) == (200, b"", str(len(PNG)))


async def test_a_url_expires(desk: Desk) -> None:
    url = (await desk.upload())["links"]["content_direct_temporary"]
    await desk.world.advance(299)
    assert (await desk.ask("GET", url, {}))[0] == 200
    await desk.world.advance(1)
    status, body, _ = await desk.ask("GET", url, {})
    assert (status, body["code"]) == (403, 20003)


async def test_several_at_once(desk: Desk) -> None:
    one, two = (await desk.upload())["sid"], "ME" + "0" * 32
    url = desk.list.replace("/Media", "/MediaSet")
    asked = {"command": "get", "list": [{"media_sid": one}, {"media_sid": two}]}
    status, found, _ = await desk.ask("POST", url, json=asked)
    assert status == 200
    assert [each["code"] for each in found] == [200, 404]
    assert found[0]["media_record"]["sid"] == one
    for bad in ("[]", "x", "[" * 9000, '{"command":"delete","list":[]}', '{"command":"get","list":1}'):
        assert (await desk.ask("POST", url, data=bad.encode()))[0] == 400


async def test_people(desk: Desk) -> None:
    """With a token: their own uploads, then those of their conversations; another service's token opens nothing."""
    made = await desk.upload(headers=desk.token("alice"))
    assert made["author"] == "alice"
    assert (await desk.ask("GET", made["url"], desk.token("alice")))[0] == 200
    assert (await desk.ask("GET", made["url"], desk.token("bob")))[0] == 404
    assert (await desk.ask("GET", made["url"], desk.token("alice", "IS" + "0" * 32)))[0] == 403
    assert (await desk.ask("GET", made["url"], {"X-Twilio-Token": "x"}))[0] == 401
    store, product = desk.product.store, desk.product
    record = await store.get(MediaFile, made["sid"])
    assert record is not None
    record.conversation_sid, record.message_sid = product.new_sid("CH"), product.new_sid("IM")
    bob = Participant(
        sid=product.new_sid("MB"), account_sid=product.account_sid, conversation_sid=record.conversation_sid,
        identity="bob",
    )  # fmt: skip
    await store.commit([Save(record), Save(bob)])
    status, shown, _ = await desk.ask("GET", made["url"], desk.token("bob"))
    assert (status, shown["channel_sid"]) == (200, record.conversation_sid)
    assert (await desk.ask("GET", made["url"], desk.token("carol")))[0] == 404
    assert (await desk.ask("DELETE", made["url"], desk.token("bob")))[0] == 403
    assert (await desk.ask("DELETE", made["url"], desk.token("alice")))[0] == 403


async def test_browsers_may_ask_from_other_pages(desk: Desk) -> None:
    headers = {
        "Origin": "https://shop.test",
        "Access-Control-Request-Headers": "x-twilio-token, content-type",
    }
    status, _, answer = await desk.ask("OPTIONS", desk.list, headers)
    assert status == 200
    assert "x-twilio-token" in answer.headers["access-control-allow-headers"]
    assert (await desk.ask("POST", desk.list, {}))[2].headers["access-control-allow-origin"] == "*"


async def test_by_host(desk: Desk) -> None:
    """As the SDK's region names it."""
    url = desk.list.replace("/mcs", "")
    for host in ("mcs.localhost", "mcs.us1.localhost"):
        status, _, _ = await desk.ask("POST", url, data=PNG, also={"Host": host})
        assert status == 201


@pytest.mark.parametrize("settings", [{"media_megabytes": "0.02", "account_media_megabytes": "0.05"}])
async def test_too_much(desk: Desk) -> None:
    """One file, and all of an account together, also while others are still coming in."""
    status, body, _ = await desk.ask("POST", desk.list, data=PNG * 2)
    assert (status, body["code"]) == (413, 20413)
    answers = await asyncio.gather(*(desk.ask("POST", desk.list, data=PNG) for _ in range(8)))
    statuses = sorted(status for status, _, _ in answers)
    assert set(statuses) == {201, 413}
    assert 1 <= statuses.count(201) <= 4  # 10 KB each; those that were refused were coming in, too
    while (await desk.ask("POST", desk.list, data=PNG))[0] == 201:
        pass
    assert len(desk.files()) == 4
    url = next(body["url"] for status, body, _ in answers if status == 201)
    await desk.ask("DELETE", url)
    assert (await desk.ask("POST", desk.list, data=PNG))[0] == 201  # there is room again


@pytest.mark.parametrize("settings", [{"media_types": "image/*, text/plain"}])
async def test_types_that_are_not_taken(desk: Desk) -> None:
    await desk.upload(b"hello", "text/plain")
    status, body, _ = await desk.ask(
        "POST", desk.list, data=b"<html><body>", also={"Content-Type": "image/png"}
    )
    assert (status, "text/html" in body["message"]) == (415, True)
    assert len(desk.files()) == 1


async def test_a_full_disk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing half written stays, and the answer says why."""
    finish = Files.finish

    def full(self: Files, sid: str, file: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Files, "finish", full)
    status, body, _ = await desk.ask("POST", desk.list, data=PNG)
    assert (status, body["code"], "No space left" in body["message"]) == (503, 20503, True)
    assert desk.files() == []
    monkeypatch.setattr(Files, "finish", finish)
    monkeypatch.setattr(desk.product.media, "_full", lambda: "the disk is full")
    assert (await desk.ask("POST", desk.list, data=PNG))[0] == 503
    assert desk.files() == []
    assert await desk.product.store.count(MediaFile, account_sid=desk.product.account_sid) == 0


async def test_a_row_that_cannot_be_written_leaves_no_file(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(writes: Any) -> Any:
        raise Unavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(desk.product.store, "commit", broken)
        assert (await desk.ask("POST", desk.list, data=PNG))[0] == 503
    assert desk.files() == []


async def test_a_request_that_breaks_off(desk: Desk) -> None:
    """Half a body and no more."""

    async def half() -> AsyncIterator[bytes]:
        yield PNG
        raise ConnectionResetError

    with pytest.raises((aiohttp.ClientError, ConnectionResetError)):
        await desk.ask("POST", desk.list, data=half())
    for _ in range(200):
        if not desk.product.media.figures()["media_uploads"]:
            break
        await asyncio.sleep(0.01)
    assert desk.files() == []


async def test_uploads_that_no_message_takes(desk: Desk) -> None:
    """A day and an hour; an upload is not to be attached any more an hour before it goes."""
    loose, taken = (await desk.upload())["sid"], (await desk.upload())["sid"]
    store, media = desk.product.store, desk.product.media
    record, kept = await store.get(MediaFile, loose), await store.get(MediaFile, taken)
    assert record is not None
    assert kept is not None
    kept.message_sid = desk.product.new_sid("IM")
    await store.commit([Save(kept)])
    assert (media.attachable(record), media.attachable(kept)) == (True, False)
    await desk.world.advance(24 * 3600 + 1)
    assert not media.attachable(record)
    await media.look()
    assert desk.files() == sorted([loose, taken])
    await desk.world.advance(3600)
    await media.look()
    assert desk.files() == [taken]
    assert await store.get(MediaFile, loose) is None


async def test_what_a_crash_leaves(desk: Desk, tmp_path: Path) -> None:
    """A file without a row goes once it is old; a part of one at the next start."""
    kept, media = (await desk.upload())["sid"], desk.product.media
    orphan, young = desk.product.new_sid("ME"), desk.product.new_sid("ME")
    for sid in (orphan, young):
        path = media.files.path(sid)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    for sid in (orphan, kept):
        path = media.files.path(sid)
        old = path.stat().st_mtime - ORPHAN_SECONDS - 1
        os.utime(path, (old, old))
    await media.look()
    assert desk.files() == sorted([kept, young])
    part = tmp_path / "other" / "new" / orphan
    part.parent.mkdir(parents=True)
    part.write_bytes(b"half")
    Files(tmp_path / "other")
    assert not part.exists()


def test_names_from_outside_are_no_paths(tmp_path: Path) -> None:
    files = Files(tmp_path)
    for name in ("", "../x", "ME" + "/" * 32, "ME" + "0" * 31, "RE" + "0" * 32):
        with pytest.raises(ValueError, match="no media"):
            files.path(name)


@pytest.mark.parametrize("settings", [{"keep_media_days": 1.0}])
async def test_retention(desk: Desk) -> None:
    """``keep_media_days``: the row and the file; not an hour sooner."""
    sid = (await desk.upload())["sid"]
    record = await desk.product.store.get(MediaFile, sid)
    assert record is not None
    record.message_sid = desk.product.new_sid("IM")
    await desk.product.store.commit([Save(record)])
    await desk.world.advance(23 * 3600)
    await desk.product.retention.look()
    assert len(desk.files()) == 1
    await desk.world.advance(2 * 3600)
    await desk.product.retention.look()
    assert desk.files() == []
    assert await desk.product.store.get(MediaFile, sid) is None


async def test_a_suspended_account_keeps_and_shows_nothing(desk: Desk) -> None:
    made = await desk.upload()
    account = await desk.product.store.get(Account, desk.product.account_sid)
    assert account is not None
    account.status = "suspended"
    await desk.product.store.commit([Save(account)])
    desk.product.authenticator.forget()
    for method, url, headers in (
        ("POST", desk.list, desk.basic()), ("GET", made["url"], desk.basic()),
        ("GET", made["url"], desk.token("alice")), ("GET", made["links"]["content_direct_temporary"], {}),
    ):  # fmt: skip
        assert (await desk.ask(method, url, headers))[0] == 403, (method, url)


async def test_too_many_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    media = desk.product.media
    monkeypatch.setattr(media, "_uploads", Seats(1, longest=1))

    async def never() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    under_way = [asyncio.ensure_future(media.take("AC", never(), lambda: ("", ""))) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Refused, match="Too many") as refused:
        await media.take("AC", never(), lambda: ("", ""))
    assert refused.value.status == 429
    for each in under_way:
        each.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)
    assert desk.files() == []


async def test_a_message_takes_an_upload_and_goes_with_it(desk: Desk) -> None:
    """Once only; the row in the message's transaction, the bytes after it."""
    product, media = desk.product, desk.product.media
    sid = (await desk.upload())["sid"]
    (facts,) = await media.find(product.account_sid, desk.service, [sid])
    assert facts == {
        "sid": sid, "category": "media", "content_type": "image/png", "filename": None, "size": len(PNG),
    }  # fmt: skip
    read = await product.store.get_versioned(MediaFile, sid)
    assert read is not None
    for message in ("IM" + "1" * 32, "IM" + "2" * 32):
        taken = AttachMedia(
            media_sid=sid,
            message_sid=message,
            conversation_sid="CH" + message[2:],
            chat_service_sid=desk.service,
        )
        await product.store.commit([taken])
    record = await product.store.get(MediaFile, sid)
    assert record is not None
    assert (record.message_sid, record.conversation_sid) == ("IM" + "1" * 32, "CH" + "1" * 32)
    with pytest.raises(Stale):  # as if it expired at the same moment
        await product.store.commit([DeleteIf(*read)])
    for account, service, asked, status in (
        (product.account_sid, desk.service, sid, 400), (product.account_sid, desk.service, "ME" + "0" * 32, 404),
        (product.account_sid, "IS" + "0" * 32, sid, 404), ("AC" + "0" * 32, desk.service, sid, 404),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            await media.find(account, service, [asked])
        assert refused.value.status == status
    drop = DropMedia(media_sid=sid)
    await product.store.commit([drop])
    media.follow([drop])
    await media.close()
    assert desk.files() == []
    assert await product.store.get(MediaFile, sid) is None


async def test_a_carriers_file_is_fetched_and_kept(desk: Desk) -> None:
    """What it is, by its bytes; one that cannot be had keeps its URL, and one that is too large is not kept in part."""
    town = desk.world
    good = town.app("/cat.jpg", lambda _: web.Response(body=PNG, content_type="image/jpeg"))
    gone = town.app("/gone.jpg", lambda _: web.Response(status=404))
    large = town.app("/large.jpg", lambda _: web.Response(body=b"x" * 60_000_000))
    lost: list[tuple[Any, ...]] = []

    async def told(*about: Any) -> None:
        lost.append(about)

    fetcher = MediaFetcher(desk.product.media, desk.product.sender, told)
    kept = await fetcher.keep(
        desk.product.account_sid,
        [
            Attachment(url=good + "#rp=all"),
            Attachment(url=gone),
            Attachment(url=large),
            Attachment(sid="ME1"),
        ],
        "MM1",
    )
    assert kept[0].content_type == "image/png"
    assert (kept[0].size, kept[0].filename) == (len(PNG), "cat.jpg")
    assert kept[1:] == (Attachment(url=gone), Attachment(url=large), Attachment(sid="ME1"))
    assert [each[:2] for each in lost] == [(desk.product.account_sid, "MM1")] * 2
    assert all(each[2] > 10_000 and "127.0.0.1 is not kept" in each[3] for each in lost)
    assert desk.files() == [kept[0].sid]
    (out,) = await desk.product.media.located(desk.product.account_sid, (kept[0], kept[3]), 60)
    assert (await desk.ask("GET", out.url, {}))[1] == PNG
