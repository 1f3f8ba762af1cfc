"""The reader against good, odd and hostile documents."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.voice.twiml import TwimlError, read

BOMB = b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><Response><Say>&b;</Say></Response>'


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"", "text/xml", 11770), (b" \n", "text/xml", 11770), (b"x" * 65537, "text/xml", 11750),
        (b" <?xml version='1.0'?><Response/>", "text/xml", 12100), (b"<Response>", "text/xml", 12100),
        (b"<Response>a & b</Response>", "text/xml", 12100), (BOMB, "text/xml", 12100),
        (b'<!DOCTYPE r SYSTEM "file:///etc/passwd"><Response/>', "text/xml", 12100),
        (b"<response/>", "text/xml", 12102), (b"<?xml version='1.1'?><Response/>", "text/xml", 12101),
        (b"<Response/>", "application/json", 12300),
        (b"<Response>" + b"<a>" * 13 + b"</a>" * 13 + b"</Response>", "text/xml", 12100),
        (b"<Response>" + b"<a/>" * 1001 + b"</Response>", "text/xml", 12100),
        (b"<Response><a " + b" ".join(b"a%d='1'" % i for i in range(65)) + b"/></Response>", "text/xml", 12100),
    ],
)  # fmt: skip
def test_refused(body: bytes, kind: str, code: int) -> None:
    with pytest.raises(TwimlError) as error:
        read(body, kind)
    assert error.value.code == code


def test_good() -> None:
    verbs = read(
        b"<?xml version='1.0' encoding='UTF-8'?>\n<Response><!-- x -->\n <Say> hi <break/> you</Say></Response>"
    )
    assert (verbs[0].tag, verbs[0].inner, verbs[0].line) == ("Say", "hi <break/> you", 3)
    assert read(b"just words", "text/plain")[0].text == "just words"
    assert read(b"<Response/>", "text/html; charset=utf-8") == []


@given(st.binary(max_size=200) | st.text("<>/=&;!? Responseay'\"\n", max_size=80).map(str.encode))
def test_never_crashes(body: bytes) -> None:
    for document in (body, b"<Response>" + body + b"</Response>"):
        try:
            read(document)
        except TwimlError as error:
            assert error.code  # noqa: PT017


def test_places_are_those_of_the_source() -> None:
    verbs = read(
        b"\xef\xbb\xbf<?xml version='1.0'?>\r\n<Response><!-- <a/>\n -->\n\t<Gather>\n"
        b"    <Say>\xc3\xa9</Say><Play/></Gather><Hangup/>\n</Response>"
    )
    gather, hangup = verbs
    assert [(one.tag, one.line, one.column) for one in [gather, *gather.children, hangup]] == [
        ("Gather", 4, 2),
        ("Say", 5, 5),
        ("Play", 5, 17),
        ("Hangup", 5, 33),
    ]


@given(st.integers(0, 50), st.integers(0, 30), st.booleans())
def test_any_place(lines: int, spaces: int, cdata: bool) -> None:
    before = "<Say><![CDATA[<Pause/>]]></Say>" if cdata else "<Say>x</Say>"
    body = f"<Response>{before}" + "\n" * (lines + 1) + " " * spaces + "<Pause/></Response>"
    pause = read(body.encode())[-1]
    assert (pause.tag, pause.line, pause.column) == ("Pause", lines + 2, spaces + 1)


def test_other_encodings_have_places_too() -> None:
    for encoding in ("utf-16", "iso-8859-1"):
        body = f"<?xml version='1.0' encoding='{encoding}'?>\n<Response>\n <Say>\u00e9</Say></Response>"
        say = read(body.encode(encoding))[0]
        assert (say.text, say.line, say.column) == ("\u00e9", 3, 2)
