"""Offer and answer of G.711 audio."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.sip.sdp import BadSdp, answer_offer, negotiate, parse_sdp, read_answer, write_offer


def offer(*media: str, host: str = "192.0.2.1", extra: str = "") -> bytes:
    return (
        f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n{extra}" + "".join(media)
    ).encode()


AUDIO = "m=audio 4000 RTP/AVP 8 0 96\r\na=rtpmap:96 telephone-event/8000\r\na=ptime:30\r\n"


def test_offer_and_answer_meet() -> None:
    body, ours = answer_offer(write_offer("127.0.0.1", 4000, session_id=1), "127.0.0.1", 5000, session_id=2)
    theirs = read_answer(body)
    assert (ours.remote_port, theirs.remote_port) == (4000, 5000)
    assert (ours.codec, theirs.codec, ours.telephone_event, theirs.telephone_event) == (
        "PCMU",
        "PCMU",
        101,
        101,
    )
    assert ours.direction == theirs.direction == "sendrecv"


def test_the_peers_preference_and_numbers_are_kept() -> None:
    body, result = answer_offer(offer(AUDIO), "127.0.0.1", 5000, session_id=2)
    assert (result.codec, result.payload_type, result.telephone_event, result.ptime) == ("PCMA", 8, 96, 30)
    assert b"m=audio 5000 RTP/AVP 8 96\r\n" in body


def test_other_media_is_refused_in_place() -> None:
    body, _ = answer_offer(
        offer("m=video 6000 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n", AUDIO, "m=audio 7000 RTP/AVP 0\r\n"),
        "127.0.0.1",
        5000,
        session_id=2,
    )
    lines = [line for line in body.decode().split("\r\n") if line.startswith("m=")]
    assert lines == ["m=video 0 RTP/AVP 99", "m=audio 5000 RTP/AVP 8 96", "m=audio 0 RTP/AVP 0"]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("sendrecv", "sendrecv"), ("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")],
)
def test_hold_directions(theirs: str, ours: str) -> None:
    assert negotiate(parse_sdp(offer(AUDIO + f"a={theirs}\r\n")))[1].direction == ours
    assert negotiate(parse_sdp(offer(AUDIO, extra=f"a={theirs}\r\n")))[1].direction == ours


def test_hold_of_rfc_2543() -> None:
    held = negotiate(parse_sdp(offer(AUDIO, host="0.0.0.0")))[1]
    assert held.direction == "inactive"
    held = negotiate(parse_sdp(offer(AUDIO + "a=sendonly\r\n", host="0.0.0.0")))[1]
    assert held.direction == "recvonly"


REFUSED = ["m=video 0 RTP/AVP", "m=video 0 RTP/AVP ", "m=application 0 UDP/BFCP", "m=image 0/2 udptl  t38"]


@pytest.mark.parametrize("refused", REFUSED)
def test_a_refused_stream_needs_no_format(refused: str) -> None:
    """Both ways; our answer keeps its place, with a format as the grammar wants one."""
    body, _ = answer_offer(offer(f"{refused}\r\n", AUDIO), "127.0.0.1", 5000, session_id=2)
    lines = [line.split() for line in body.decode().split("\r\n") if line.startswith("m=")]
    assert [line[:2] for line in lines] == [[refused.split()[0], "0"], ["m=audio", "5000"]]
    assert all(len(line) >= 4 for line in lines)
    assert read_answer(offer(f"{refused}\r\n", AUDIO)).remote_port == 4000


@pytest.mark.parametrize(
    "body",
    [
        offer(AUDIO.replace("audio 4000 RTP/AVP 8", "audio  4000  RTP/AVP  8")),
        offer(AUDIO.replace("audio 4000 RTP/AVP 8 0 96", "audio\t4000 RTP/AVP 8 0 96 ")),
        offer(AUDIO) + b"\0",
        offer(AUDIO) + b"\0\0\r\n\0",
        offer(AUDIO).replace(b"s=-", "s=Caf\x85 \u2028 \v\f\x1c bar".encode()),
        offer(AUDIO).replace(b"\r\n", b"\n"),
        offer(AUDIO).replace(b"\r\n", b"\r"),
        offer(AUDIO, "m=video 0 RTP/AVP 99\r\nc=IN IP4\r\n"),
        offer(AUDIO, "m=video 6000 RTP/AVP 99\r\n", "m=audio 7000 RTP/AVP 0\r\n"),
        offer("m=audio 0 RTP/AVP 0\r\n", AUDIO),
    ],
)
def test_what_real_equipment_sends(body: bytes) -> None:
    """Blanks, line ends, a NUL; and more m-lines in the answer than in our offer."""
    answer = read_answer(body)
    assert (answer.remote_host, answer.remote_port, answer.codec, answer.telephone_event) == (
        "192.0.2.1",
        4000,
        "PCMA",
        96,
    )
    assert answer_offer(body, "127.0.0.1", 5000, session_id=1)[1].remote_port == 4000


@pytest.mark.parametrize(
    "host",
    [
        "224.0.0.1",
        "239.255.1.1",
        "255.255.255.255",
        "169.254.169.254",
        "240.0.0.1",
        "ff02::1",
        "fe80::1",
        "::ffff:224.0.0.1",
    ],
)
def test_audio_goes_to_one_far_end(host: str) -> None:
    """No stranger makes us send to many, to our own link, or to the metadata service of a cloud."""
    body = offer(AUDIO, host=host)
    with pytest.raises(BadSdp):
        answer_offer(body, host if ":" in host else "192.0.2.5", 5000, session_id=1)
    with pytest.raises(BadSdp):
        read_answer(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"v=0\r\nnot a line\r\n",
        offer("m=audio 70000 RTP/AVP 0\r\n"),
        offer("m=audio 4000 RTP/AVP 9\r\n"),
        offer("m=audio 0 RTP/AVP 0\r\n"),
        offer("m=audio 4000 RTP/SAVP 0\r\n"),
        offer(*["m=audio 4000 RTP/AVP 9\r\n"] * 40),
        b"v=0\r\n" + b"a=x\r\n" * 500,
        b"v=0\r\n" + b"a" * 20_000,
    ],
)
def test_unusable(body: bytes) -> None:
    with pytest.raises(BadSdp):
        answer_offer(body, "127.0.0.1", 5000, session_id=1)


@given(st.text(max_size=300), st.binary(max_size=200))
def test_fuzz(text: str, data: bytes) -> None:
    for body in (data, offer(text), offer(AUDIO, text), offer("m=audio " + text + "\r\n", "a=" + text)):
        try:
            answer, _ = answer_offer(body, "127.0.0.1", 5000, session_id=1)
        except BadSdp:
            continue
        parse_sdp(answer)
