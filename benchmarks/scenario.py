"""SIPp scenarios from their steps, for the benchmarks and for the end-to-end tests."""

from __future__ import annotations

CALLER = "+15551230001"
_REPEATS = ' retrans="500"'
_THEIRS = "Via From To Call-ID CSeq"
"""Headers that a reply repeats."""


def scenario(*steps: str) -> str:
    """The file."""
    return (
        '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="s">\n'
        + "\n".join(steps)
        + "\n</scenario>\n"
    )


def send(text: str, *, repeats: bool = False) -> str:
    """Send a message; ``repeats``: until it is answered, as UDP needs it."""
    return f"<send{_REPEATS if repeats else ''}><![CDATA[\n{text}\n]]></send>"


def sdp(media: int | str) -> str:
    """A body: G.711 and RFC 4733 at a port."""
    return f"""v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio {media} RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
"""


def _end(body: str) -> str:
    return (
        f"Content-Type: application/sdp\nContent-Length: [len]\n\n{body}" if body else "Content-Length: 0\n\n"
    )


def reply(line: str, *, tag: str = "", headers: str = "", body: str = "") -> str:
    """A response to the last request; ``tag`` of To when it has none yet, ``headers`` as whole lines."""
    given = "".join(
        f"[last_{name}:]{f';tag={tag}' if tag and name == 'To' else ''}\n" for name in _THEIRS.split()
    )
    return f"SIP/2.0 {line}\n{given}{headers}{_end(body)}"


def contact(user: str) -> str:
    """A Contact header."""
    return f"Contact: <sip:{user}@[local_ip]:[local_port];transport=[transport]>\n"


def _request(line: str, to: str, cseq: str, caller: str, rest: str) -> str:
    return f"""{line} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:{caller}@[local_ip]:[local_port]>;tag=[pid]t[call_number]
{to}
Call-ID: [call_id]
CSeq: {cseq}
Max-Forwards: 70
{rest}"""


def invite(number: str, media: int | str, caller: str = CALLER) -> str:
    """The caller's INVITE."""
    there = f"sip:{number}@[remote_ip]:[remote_port]"
    rest = contact("caller") + _end(sdp(media))
    return _request(f"INVITE {there}", f"To: <{there}>", "1 INVITE", caller, rest)


def within(method: str, cseq: int, *, body: str = "", caller: str = CALLER) -> str:
    """The caller's request in the dialog of its INVITE, whose response had ``rrs``."""
    rest = (contact("caller") if body else "") + _end(body)
    return _request(f"{method} [next_url]", "[routes]\n[last_To:]", f"{cseq} {method}", caller, rest)


def call(number: str, media: int | str, *rest: str, caller: str = CALLER) -> str:
    """A caller's scenario: INVITE, wait for the answer (whose time is taken), ACK, and then ``rest``."""
    return scenario(
        send(invite(number, media, caller), repeats=True),
        *(f'<recv response="{code}" optional="true"/>' for code in (100, 180, 183)),
        '<recv response="200" rtd="true" rrs="true"/>',
        send(within("ACK", 1, caller=caller)),
        *rest,
    )


def ended(milliseconds: int = 0) -> str:
    """The other side hangs up, within so many milliseconds (0: whenever it likes)."""
    patience = f' timeout="{milliseconds}"' if milliseconds else ""
    return f'<recv request="BYE"{patience}/>' + send(reply("200 OK"))


def hang_up(milliseconds: int, caller: str = CALLER) -> str:
    """The caller hangs up after a while."""
    bye = send(within("BYE", 2, caller=caller), repeats=True)
    return f'<pause milliseconds="{milliseconds}"/>{bye}<recv response="200"/>'
