"""The SMPP channel against an SMSC of another library over TCP."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
import struct
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.smsc import Session, Smsc, text_of

from ringback.edges.channels import Declined, NotYet, Taken, Unclear
from ringback.edges.channels.smpp import SmppChannel
from ringback.effects.messaging import SendText
from ringback.events.messaging import Attachment
from ringback.kernel.errors import Refused
from ringback.kernel.text_carrier import Smpp
from ringback.smpp.parts import header


class Desk:
    """In the post office's place: what was reported."""

    def __init__(self) -> None:
        self.texts: dict[str, tuple[str, str, str]] = {}
        """Carrier id → from, to, body."""
        self.receipts: list[tuple[str, str, int | None]] = []
        self.known: set[str] = set()
        self.refuse: Exception | None = None
        self.slow = asyncio.Event()
        self.slow.set()
        self.committed = 0

    async def arrived(
        self, channel: str, *, from_: str, to: str, body: str = "", media: Sequence[Attachment] = (),
        carrier_id: str = "",
    ) -> str:  # fmt: skip
        assert channel == "smpp:acme"
        await self.slow.wait()
        if self.refuse is not None:
            raise self.refuse
        self.texts.setdefault(carrier_id, (from_, to, body))
        self.committed += 1
        return "SM1"

    async def receipt(
        self, channel: str, carrier_id: str, status: str, *, error_code: int | None = None,
        text: str = "", done_at: float | None = None,
    ) -> bool:  # fmt: skip
        if carrier_id not in self.known:
            return False
        self.receipts.append((carrier_id, status, error_code))
        return True


class Kept:
    """In the store's place: parts in memory (the real one: tests/web/test_text_parts.py)."""

    def __init__(self) -> None:
        self.parts: dict[tuple[str, ...], dict[int, tuple[bytes, int]]] = {}
        self.old: list[str] = []

    async def keep(
        self, channel: str, from_: str, to: str, place: Any, octets: bytes, data_coding: int
    ) -> tuple[Any, Any]:
        key = (from_, to, place.reference)
        found = self.parts.setdefault(key, {})
        found[place.number] = (octets, data_coding)
        if len(found) < place.total:
            return None, None
        from ringback.web.text_parts import Whole

        return Whole(repr(key), repr(key), from_, to, tuple(found[number] for number in sorted(found))), None

    async def done(self, key: str) -> None:
        pass

    async def stuck(self, channel: str) -> list[Any]:
        return []

    async def expire(self, channel: str) -> list[Any]:
        return []

    async def lately(self, channel: str) -> list[str]:
        return self.old


class Place:
    """A channel with its SMSC and desk."""

    def __init__(self, smsc: Smsc) -> None:
        self.smsc, self.desk, self.kept = smsc, Desk(), Kept()
        self.channels: list[SmppChannel] = []

    async def channel(self, **setting: Any) -> SmppChannel:
        given: dict[str, Any] = {
            "name": "acme", "host": "127.0.0.1", "port": self.smsc.port, "system_id": "ringback", "password": "secret",
            "numbers": ("+15550100",), "throughput": 0, "patience": 10, "response_timeout": 5,
        }  # fmt: skip

        async def warn(text: str) -> None:
            pass

        made = SmppChannel(Smpp(**given | setting), self.desk, self.kept, warn)
        self.channels.append(made)
        await made.start()
        return made


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    smsc = await Smsc().start()
    found = Place(smsc)
    yield found
    for each in found.channels:
        await each.stop()
    await smsc.stop()


def text(body: str, **fields: Any) -> SendText:
    given = {"from_": "+15550100", "to": "+15551230001", "channel": "smpp:acme", "body": body}
    return SendText(message_sid="SM1", account_sid="AC1", **given | fields)


def figure(channel: SmppChannel, name: str) -> float:
    return channel.figures()[f"channel_smpp_acme_{name}"]


async def test_a_text_is_submitted_with_its_addresses_and_taken(place: Place) -> None:
    channel = await place.channel()
    assert await channel.send(text("Grüße {1 €}")) == Taken("id1", 1)
    (one,) = place.smsc.submitted
    assert text_of(one) == "Grüße {1 €}"
    assert (one.source_addr, one.source_addr_ton, one.source_addr_npi) == (b"15550100", 1, 1)
    assert (one.destination_addr, one.dest_addr_ton, one.registered_delivery) == (b"15551230001", 1, 1)
    assert (place.smsc.bound[0].system_id, place.smsc.bound[0].password) == (b"ringback", b"secret")
    assert channel.ready == ""
    assert figure(channel, "up") == 1


async def test_a_long_unicode_text_is_put_together_by_the_other_library(place: Place) -> None:
    channel = await place.channel()
    body = "".join("😀é漢" for _ in range(60))
    outcome = await channel.send(text(body))
    parts = place.smsc.submitted
    assert outcome == Taken(f"id{len(parts)}", len(parts))
    assert len(parts) == 4
    assert [one.short_message[3:6][1:] for one in parts] == [bytes([4, each]) for each in (1, 2, 3, 4)]
    assert len({one.short_message[3] for one in parts}) == 1
    assert all(len(one.short_message) <= 140 for one in parts)
    for one in parts:
        text_of(one).encode("utf-16-be")  # raises for half a surrogate pair
    assert "".join(map(text_of, parts)) == body
    assert [one.registered_delivery for one in parts] == [0, 0, 0, 1]


async def test_names_and_short_codes_have_their_types(place: Place) -> None:
    channel = await place.channel()
    await channel.send(text("a", from_="Ringback", to="12345"))
    (one,) = place.smsc.submitted
    assert (one.source_addr, one.source_addr_ton, one.source_addr_npi) == (b"Ringback", 5, 0)
    assert (one.destination_addr, one.dest_addr_ton, one.dest_addr_npi) == (b"12345", 3, 0)


@pytest.mark.parametrize(("status", "code"), [(0x0B, 30005), (0x0A, 30007), (0x45, 30008), (0x401, 30008)])
async def test_a_refusal_is_for_good(place: Place, status: int, code: int) -> None:
    channel = await place.channel()
    place.smsc.on_submit = lambda one, session: (status, "")
    outcome = await channel.send(text("a"))
    assert isinstance(outcome, Declined)
    assert outcome.error_code == code
    assert len(place.smsc.submitted) == 1


@pytest.mark.parametrize("status", [0x58, 0x14])
async def test_throttled_messages_come_again_until_taken(place: Place, status: int) -> None:
    channel = await place.channel()
    place.smsc.on_submit = lambda one, session: (status, "") if len(place.smsc.submitted) < 3 else (0, "id")
    began = asyncio.get_running_loop().time()
    assert await channel.send(text("a")) == Taken("id", 1)
    assert len(place.smsc.submitted) == 3
    assert asyncio.get_running_loop().time() - began > 1.0  # a pause of half a second, then of one
    assert figure(channel, "throttled_total") == 2


async def test_who_is_throttled_too_long_is_declined(place: Place) -> None:
    channel = await place.channel(patience=0.3)
    place.smsc.on_submit = lambda one, session: (0x58, "")
    outcome = await channel.send(text("a"))
    assert isinstance(outcome, Declined)
    assert outcome.error_code == 30001


@pytest.mark.parametrize("connected", [True, False])
async def test_what_waits_when_the_server_stops_is_known_not_to_be_sent(
    place: Place, connected: bool
) -> None:
    """Throttled, or no connection: it goes back into its line."""
    place.smsc.on_submit = lambda one, session: (0x58, "")
    place.smsc.bind_status = 0 if connected else 0x0D
    channel = await place.channel()
    send = asyncio.create_task(channel.send(text("a")))
    if connected:
        await place.smsc.until(lambda: place.smsc.submitted)
        await asyncio.sleep(0.05)
    else:
        await place.smsc.until(lambda: channel.ready)
    await channel.stop()
    async with asyncio.timeout(2):
        assert isinstance(await send, NotYet)
    assert figure(channel, "not_yet_total") == 1


async def test_a_stop_between_the_parts_of_a_text_declines_it(place: Place) -> None:
    """Sent again, its first part would come twice."""
    place.smsc.on_submit = lambda one, session: (0, "id") if len(place.smsc.submitted) < 2 else (0x58, "")
    channel = await place.channel()
    send = asyncio.create_task(channel.send(text("a" * 200)))
    await place.smsc.until(lambda: len(place.smsc.submitted) == 2)
    await asyncio.sleep(0.05)
    await channel.stop()
    outcome = await send
    assert isinstance(outcome, Declined)
    assert "1 of 2 parts were taken" in outcome.text


async def test_a_lost_connection_is_unclear_and_nothing_is_sent_again(place: Place) -> None:
    channel = await place.channel()

    def drop(one: Any, session: Session) -> None:
        session.writer.transport.abort()

    place.smsc.on_submit = drop
    assert isinstance(await channel.send(text("a")), Unclear)
    place.smsc.on_submit = lambda one, session: (0, "later")
    await place.smsc.until(lambda: place.smsc.units.count("bind_transceiver") == 2)
    assert await channel.send(text("b")) == Taken("later", 1)
    assert [text_of(one) for one in place.smsc.submitted] == ["a", "b"]


async def test_a_response_that_does_not_come_is_unclear_and_late_ones_are_counted(place: Place) -> None:
    channel = await place.channel(response_timeout=0.2)
    place.smsc.on_submit = lambda one, session: None
    assert isinstance(await channel.send(text("a")), Unclear)
    session = await place.smsc.session()
    session.send("submit_sm_resp", place.smsc.submitted[0].sequence, message_id="late")
    session.send("submit_sm_resp", 4711, message_id="to nothing")
    await place.smsc.until(lambda: figure(channel, "responses_unexpected_total") == 2)
    place.smsc.on_submit = lambda one, session: (0, "fine")
    assert await channel.send(text("b")) == Taken("fine", 1)


async def test_responses_out_of_order_and_twice_find_their_messages(place: Place) -> None:
    channel = await place.channel(window=10)
    place.smsc.on_submit = lambda one, session: None
    sends = [asyncio.create_task(channel.send(text(f"m{number}"))) for number in range(5)]
    await place.smsc.until(lambda: len(place.smsc.submitted) == 5)
    session = await place.smsc.session()
    for one in reversed(place.smsc.submitted):
        session.send("submit_sm_resp", one.sequence, message_id=f"id-{text_of(one)}")
        session.send("submit_sm_resp", one.sequence, message_id="twice")
    assert await asyncio.gather(*sends) == [Taken(f"id-m{number}", 1) for number in range(5)]


async def test_the_window_is_kept(place: Place) -> None:
    channel = await place.channel(window=2)
    place.smsc.on_submit = lambda one, session: None
    sends = [asyncio.create_task(channel.send(text(f"m{number}"))) for number in range(4)]
    await place.smsc.until(lambda: len(place.smsc.submitted) == 2)
    await asyncio.sleep(0.1)
    assert len(place.smsc.submitted) == 2
    session = await place.smsc.session()
    for number in range(4):
        await place.smsc.until(lambda number=number: len(place.smsc.submitted) > number)
        session.send("submit_sm_resp", place.smsc.submitted[number].sequence, message_id="x")
    await asyncio.gather(*sends)


async def test_the_throughput_is_kept(place: Place) -> None:
    channel = await place.channel(throughput=20)
    began = asyncio.get_running_loop().time()
    await asyncio.gather(*(channel.send(text("a")) for _ in range(11)))
    assert 0.45 < asyncio.get_running_loop().time() - began < 3


async def test_a_message_waits_for_the_connection(place: Place) -> None:
    place.smsc.bind_status = 0x0E
    channel = await place.channel()
    send = asyncio.create_task(channel.send(text("a")))
    await place.smsc.until(lambda: "RINVPASWD" in channel.ready)
    assert figure(channel, "up") == 0
    place.smsc.bind_status = 0
    assert await send == Taken("id1", 1)
    assert channel.ready == ""


async def test_without_a_connection_a_message_is_declined_in_the_end(place: Place) -> None:
    place.smsc.bind_status = 0x0D
    channel = await place.channel(patience=0.2)
    outcome = await channel.send(text("a"))
    assert isinstance(outcome, Declined)
    assert outcome.error_code == 30006
    assert "RBINDFAIL" in outcome.text


async def test_a_silent_smsc_is_given_up_and_bound_again(place: Place) -> None:
    place.smsc.lively = False
    await place.channel(enquire_link=0.2)
    await place.smsc.until(lambda: "enquire_link" in place.smsc.units)
    place.smsc.lively = True
    await place.smsc.until(lambda: place.smsc.units.count("bind_transceiver") == 2)


async def test_after_their_unbind_we_bind_again(place: Place) -> None:
    channel = await place.channel()
    session = await place.smsc.session()
    session.send("unbind")
    await place.smsc.until(lambda: "unbind_resp" in place.smsc.units)
    session.writer.close()
    await place.smsc.until(lambda: place.smsc.units.count("bind_transceiver") == 2)
    assert await channel.send(text("a")) == Taken("id1", 1)


async def test_a_stop_unbinds(place: Place) -> None:
    channel = await place.channel()
    await place.smsc.until(lambda: not channel.ready)
    await channel.stop()
    assert place.smsc.units[-1] == "unbind"


@pytest.mark.parametrize(
    "garbage", [b"HTTP/1.1 400 Bad Request\r\n\r\n", struct.pack(">I", 3), b"\x7f\xff\xff\xff"]
)
async def test_garbage_lengths_end_the_connection_alone(place: Place, garbage: bytes) -> None:
    channel = await place.channel()
    (await place.smsc.session()).writer.write(garbage)
    await place.smsc.until(lambda: place.smsc.units.count("bind_transceiver") == 2)
    assert figure(channel, "garbage_total") == 1
    assert await channel.send(text("a")) == Taken("id1", 1)


async def test_a_pair_of_connections_shares_the_work(place: Place) -> None:
    channel = await place.channel(bind="pair")
    receiver = await place.smsc.session("bind_receiver")
    await place.smsc.session("bind_transmitter")
    assert await channel.send(text("a")) == Taken("id1", 1)
    assert await receiver.deliver(short_message=b"in") == 0
    assert list(place.desk.texts.values()) == [("+15551230001", "+15550100", "in")]


async def test_media_are_refused_truthfully(place: Place) -> None:
    channel = await place.channel()
    outcome = await channel.send(text("a", media=(Attachment(url="http://x.test/a.png"),)))
    assert isinstance(outcome, Declined)


def certificate(folder: Path, host: str) -> tuple[ssl.SSLContext, str]:
    """Of a server at an address, and the file that trusts it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    public = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(private + public)
    (folder / "ca.pem").write_bytes(public)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context, str(folder / "ca.pem")


@pytest.mark.parametrize(
    ("host", "trusted"), [("127.0.0.1", True), ("127.0.0.2", True), ("127.0.0.1", False)]
)
async def test_tls_checks_the_certificate(tmp_path: Path, host: str, trusted: bool) -> None:
    context, ca = certificate(tmp_path, host)
    place = Place(await Smsc().start(tls=context))
    channel = await place.channel(tls=True, tls_ca=ca if trusted else "", patience=2)
    try:
        if host == "127.0.0.1" and trusted:
            assert await channel.send(text("a")) == Taken("id1", 1)
        else:
            await place.smsc.until(lambda: "certificate" in channel.ready.lower())
            assert place.smsc.units == []
    finally:
        await channel.stop()
        await place.smsc.stop()


# --- in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "coding", "body"),
    [
        (b"\x1be \x00", 0, "€ @"),
        (b"caf\xe9", 3, "café"),
        (b"plain", 1, "plain"),
        ("漢😀".encode("utf-16-be"), 8, "漢😀"),
        ("漢".encode("utf-16-be"), 0x18, "漢"),
    ],
)
async def test_texts_arrive_in_every_alphabet(place: Place, octets: bytes, coding: int, body: str) -> None:
    await place.channel()
    session = await place.smsc.session()
    assert await session.deliver(short_message=octets, data_coding=coding) == 0
    assert list(place.desk.texts.values()) == [("+15551230001", "+15550100", body)]


async def test_a_message_payload_is_a_text(place: Place) -> None:
    await place.channel()
    session = await place.smsc.session()
    assert await session.deliver(short_message=b"", message_payload=b"y" * 3000) == 0
    assert [body for _, _, body in place.desk.texts.values()] == ["y" * 3000]


async def test_binary_is_refused_for_good(place: Place) -> None:
    channel = await place.channel()
    session = await place.smsc.session()
    assert await session.deliver(short_message=b"\x01\x02", data_coding=4) == 0x65
    assert place.desk.texts == {}
    assert figure(channel, "inbound_refused_total") == 1


async def test_nothing_is_acknowledged_before_it_is_kept(place: Place) -> None:
    await place.channel()
    place.desk.slow.clear()
    session = await place.smsc.session()
    delivery = asyncio.create_task(session.deliver())
    await asyncio.sleep(0.2)
    assert not delivery.done()
    place.desk.slow.set()
    assert await delivery == 0
    assert place.desk.committed == 1


@pytest.mark.parametrize(("status", "told"), [(503, 0x64), (404, 0x65)])
async def test_what_we_cannot_take_is_refused(place: Place, status: int, told: int) -> None:
    await place.channel()
    place.desk.refuse = Refused(20404, "no such number", status)
    assert await (await place.smsc.session()).deliver() == told


async def test_equal_texts_are_two_messages_and_an_unread_response_is_one(place: Place) -> None:
    await place.channel()
    session = await place.smsc.session()
    assert await session.deliver(short_message=b"yes") == 0
    assert await session.deliver(short_message=b"yes") == 0
    assert len(place.desk.texts) == 2
    place.smsc.drop()
    session = await place.smsc.session()
    assert await session.deliver(short_message=b"yes") == 0  # they may not have read our last response
    assert len(place.desk.texts) == 2


@pytest.mark.parametrize(("slow", "messages"), [(0.05, 1), (5.0, 2)])
async def test_the_same_again_is_one_when_our_answer_was_slow(
    place: Place, monkeypatch: pytest.MonkeyPatch, slow: float, messages: int
) -> None:
    monkeypatch.setattr("ringback.smpp.repeats.SLOW", slow)
    await place.channel()
    place.desk.slow.clear()
    session = await place.smsc.session()
    both = [asyncio.create_task(session.deliver(short_message=b"once")) for _ in range(2)]
    await asyncio.sleep(0.2)
    place.desk.slow.set()
    assert await asyncio.gather(*both) == [0, 0]
    assert len(place.desk.texts) == messages


async def test_an_smsc_that_gives_ids_is_believed(place: Place) -> None:
    await place.channel()
    session = await place.smsc.session()
    for _ in range(2):
        assert await session.deliver(short_message=b"yes", receipted_message_id="mo-17") == 0
    assert list(place.desk.texts) == ["mo-17"]


async def test_parts_out_of_order_become_one_message(place: Place) -> None:
    await place.channel()
    session = await place.smsc.session()
    octets = "a😀b".encode("utf-16-be")
    cut = [octets[:4], octets[4:6], octets[6:]]  # within the surrogate pair
    for number in (3, 1, 2):
        short = header(0x1234, 3, number, wide=True) + cut[number - 1]
        assert await session.deliver(short_message=short, esm_class=0x40, data_coding=8) == 0
    assert [body for _, _, body in place.desk.texts.values()] == ["a😀b"]


async def test_sar_parameters_make_a_whole(place: Place) -> None:
    await place.channel()
    session = await place.smsc.session()
    for number in (2, 1):
        sar = {"sar_msg_ref_num": 7, "sar_total_segments": 2, "sar_segment_seqnum": number}
        assert await session.deliver(short_message=b"ab"[number - 1 : number], **sar) == 0
    assert [body for _, _, body in place.desk.texts.values()] == ["ab"]


RECEIPT = b"id:%s sub:001 dlvrd:001 submit date:2611291200 done date:2611291201 stat:%s err:%s text:hi"


@pytest.mark.parametrize(
    ("fields", "known", "reported"),
    [
        ({"short_message": RECEIPT % (b"id1", b"DELIVRD", b"000")}, "id1", ("id1", "delivered", None)),
        ({"short_message": RECEIPT % (b"id1", b"UNDELIV", b"012")}, "id1", ("id1", "undelivered", 30008)),
        ({"short_message": RECEIPT % (b"id1", b"REJECTD", b"000")}, "id1", ("id1", "failed", 30007)),
        (
            {"short_message": RECEIPT % (b"0012345678", b"DELIVRD", b"0")},
            "bc614e",
            ("bc614e", "delivered", None),
        ),
        (
            {"short_message": RECEIPT % (b"BC614E", b"DELIVRD", b"0")},
            "12345678",
            ("12345678", "delivered", None),
        ),
        (
            {
                "short_message": b"",
                "receipted_message_id": "id1",
                "message_state": 5,
                "network_error_code": b"\3\0\1",
            },
            "id1",
            ("id1", "undelivered", 30005),
        ),
    ],
)
async def test_receipts(
    place: Place, fields: dict[str, Any], known: str, reported: tuple[str, str, int]
) -> None:
    channel = await place.channel()
    place.desk.known.add(known)
    assert await (await place.smsc.session()).deliver(esm_class=4, **fields) == 0
    assert place.desk.receipts == [reported]
    assert figure(channel, "receipts_unknown_total") == 0


async def test_a_receipt_of_an_unknown_id_is_counted(place: Place) -> None:
    channel = await place.channel()
    receipt = RECEIPT % (b"nobody", b"DELIVRD", b"000")
    assert await (await place.smsc.session()).deliver(esm_class=4, short_message=receipt) == 0
    assert figure(channel, "receipts_unknown_total") == 1
    assert place.desk.texts == {}


async def test_what_an_earlier_process_may_not_have_acknowledged_is_known(place: Place) -> None:
    await place.channel()
    session = await place.smsc.session()
    assert await session.deliver(short_message=b"before") == 0
    (carrier_id,) = place.desk.texts
    place.kept.old = [carrier_id]
    await place.channels.pop().stop()
    await place.channel()
    session = await place.smsc.session()
    assert await session.deliver(short_message=b"before") == 0
    assert list(place.desk.texts) == [carrier_id]
