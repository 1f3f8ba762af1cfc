# ruff: noqa: E501 - messages read better unbroken
"""The torture messages of RFC 4475, rewritten as data: name → (bytes, what the reader must do).

`ok` reads; a number is the status of the answer that can be formed; `drop` cannot be answered.
Long runs are shortened. Messages that need a dialog or a UA to judge are marked `ok` here: they are well formed.
"""

from typing import Literal

Verdict = Literal["ok", "drop"] | int

_VIA = "Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKkdjuw"
_PARTS = {
    "via": _VIA,
    "from": "From: <sip:caller@example.net>;tag=34525",
    "to": "To: <sip:user@example.com>",
    "id": "Call-ID: torture@192.0.2.15",
    "cseq": "CSeq: 8 INVITE",
    "max": "Max-Forwards: 70",
    "contact": "Contact: <sip:caller@host5.example.net>",
}


def message(start: str, *extra: str, body: str = "", length: str | None = None, **parts: str) -> bytes:
    """A message of the usual headers, some replaced by name (empty: left out), some added."""
    lines = [start, *(line for line in (_PARTS | parts).values() if line), *extra]
    lines.append(f"Content-Length: {len(body)}" if length is None else length)
    return ("\r\n".join(line for line in lines if line) + "\r\n\r\n" + body).encode(
        "utf-8", "surrogateescape"
    )


INVITE = "INVITE sip:user@example.com SIP/2.0"
OPTIONS = "OPTIONS sip:user@example.com SIP/2.0"
O_CSEQ = {"cseq": "CSeq: 8 OPTIONS"}
R_CSEQ = {"cseq": "CSeq: 8 REGISTER"}

TORTURE: dict[str, tuple[bytes, Verdict]] = {
    # 3.1.1 valid messages
    "wsinv": (
        (
            b"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
            b"TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
            b'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n'
            b"MaX-fOrWaRdS: 0068\r\nCall-ID: wsinv.ndaksdj@192.0.2.1\r\nContent-Length   : 4\r\ncseq: 0009\r\n  INVITE\r\n"
            b"Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\ns :\r\n"
            b"NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
            b"UnknownHeaderWithUnusualValue: ;;,,;;,;\r\nContent-Type: application/sdp\r\n"
            b"Route:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n"
            b"v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
            b" SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
            b'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n'
            b"  secondparam ; q = 0.33\r\n\r\nv=0\n"
        ),
        "ok",
    ),
    "intmeth": (
        message(
            "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
            ":&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0",
            cseq="CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~",
        ),
        "ok",
    ),
    "esc01": (message("INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0"), "ok"),
    "escnull": (
        message(
            "REGISTER sip:example.com SIP/2.0",
            **R_CSEQ,
            to="To: sip:null-%00-null@example.com",
            contact="Contact: <sip:%00@host5.example.com>",
        ),
        "ok",
    ),
    "esc02": (message("RE%47IST%45R sip:registrar.example.com SIP/2.0", cseq="CSeq: 29344 RE%47IST%45R"), "ok"),
    "lwsdisp": (message(OPTIONS, **O_CSEQ, **{"from": "From: caller<sip:caller@example.com>;tag=323"}), "ok"),
    "longreq": (
        message(
            INVITE,
            f"Unknown-{'Long' * 20}-Name: {'unknown-' * 20}value",
            to=f'To: "I have a user name of {"extreme " * 12}proportion" <sip:{"amazinglylongcallername" * 6}@example.net>',
            **{"from": f"From: sip:{'amazinglylongcallername' * 6}@example.net;tag=12{'982' * 50}424"},
        ),
        "ok",
    ),
    "dblreq": (message(OPTIONS, **O_CSEQ) + message(INVITE), "ok"),
    "semiuri": (message("OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0", **O_CSEQ), "ok"),
    "transports": (
        message(
            OPTIONS,
            "Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf",
            "Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bK980u",
            **O_CSEQ,
        ),
        "ok",
    ),
    "mpart01": (
        message(
            "MESSAGE sip:kumiko@example.org SIP/2.0",
            "Content-Type: multipart/mixed;boundary=7a9cbec02ceef655",
            cseq="CSeq: 8 MESSAGE",
            body="--7a9cbec02ceef655\r\n\r\nHello\r\n--7a9cbec02ceef655--\r\n",
        ),
        "ok",
    ),
    "unreason": (message("SIP/2.0 200 = 2**3 * 5**2 но сто девяносто девять - простое"), "ok"),
    "noreason": (message("SIP/2.0 100 "), "ok"),
    # 3.1.2 invalid messages
    # empty parameters are tolerated, which RFC 4475 section 3.1.2.1 leaves open
    "badinv01": (
        message(INVITE, to="To: sip:j.user@example.com", contact='Contact: "Joe" <sip:joe@example.org>;;;;')
        .replace(b"branch=z9hG4bKkdjuw", b";;,;,,"),
        "ok",
    ),
    "clerr": (message(INVITE, body="v=0\r\n", length="Content-Length: 9999"), 400),
    "ncl": (message(INVITE, body="v=0\r\n", length="Content-Length: -999"), 400),
    "scalar02": (message("REGISTER sip:example.com SIP/2.0", cseq="CSeq: 36893488147419103232 REGISTER"), 400),
    "scalar02-max": (message(INVITE, max="Max-Forwards: 300"), 400),
    "scalarlg": (message("SIP/2.0 503 Service Unavailable", cseq="CSeq: 9292394834772304023312 OPTIONS"), "drop"),
    "quotbal": (message(INVITE, to='To: "Mr. J. User <sip:j.user@example.com>'), 400),
    "ltgtruri": (message("INVITE <sip:user@example.com> SIP/2.0"), 400),
    "lwsruri": (message("INVITE sip:user@example.com; lr SIP/2.0"), 400),
    "lwsstart": (message("INVITE  sip:user@example.com  SIP/2.0"), 400),
    "trws": (message("OPTIONS sip:remote-target@example.com SIP/2.0  ", **O_CSEQ), "drop"),
    "escruri": (message("INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0"), "ok"),
    "baddate": (message(INVITE, "Date: Fri, 01 Jan 2010 16:00:00 EST"), "ok"),
    "regbadct": (
        message("REGISTER sip:example.com SIP/2.0", **R_CSEQ, contact="Contact: sip:user@example.com?Route=%3Csip:x%3E"),
        "ok",
    ),
    "badaspec": (
        message(OPTIONS, **O_CSEQ, to='To: "Watson, Thomas" < sip:t.watson@example.org >'),
        "ok",
    ),
    "baddn": (message(OPTIONS, **O_CSEQ, **{"from": "From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43"}), 400),
    "badvers": (message("OPTIONS sip:t.watson@example.org SIP/7.0", **O_CSEQ), 505),
    "mismatch01": (message("OPTIONS sip:user@example.com SIP/2.0"), 400),
    "mismatch02": (message("NEWMETHOD sip:user@example.com SIP/2.0"), 400),
    "bigcode": (message("SIP/2.0 4294967301 better not break the receiver"), "drop"),
    # 3.2 transaction layer
    "badbranch": (message(OPTIONS, **O_CSEQ, via="Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK"), "ok"),
    # 3.3 application layer
    "insuf": (message(INVITE, to="", id="", **{"from": ""}), 400),
    "unkscm": (message("OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0", **O_CSEQ), "ok"),
    "novelsc": (message("OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0", **O_CSEQ), "ok"),
    "unksm2": (
        message(
            "REGISTER sip:example.com SIP/2.0",
            **R_CSEQ,
            to="To: isbn:2983792873",
            contact="Contact: <name:John_Smith>",
        ),
        "ok",
    ),
    "bext01": (message(OPTIONS, "Require: nothingSupportsThis, nothingSupportsThisEither", **O_CSEQ), "ok"),
    "invut": (message(INVITE, "Content-Type: application/unknownformat", body="<audio/>"), "ok"),
    "regaut01": (message("REGISTER sip:example.com SIP/2.0", "Authorization: NoOneKnowsThisScheme opaque-data", **R_CSEQ), "ok"),
    "multi01": (
        message(INVITE, "CSeq: 59 INVITE", "Call-ID: multi01.98asdh@192.0.2.2", "From: sip:o@example.com;tag=3", "To: sip:u@x.example"),
        400,
    ),
    "mcl01": (message(OPTIONS, "Content-Length: 13", **O_CSEQ, length="Content-Length: 5", body="There"), 400),
    "bcast": (message("SIP/2.0 200 OK", via="Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23"), "ok"),
    "zeromf": (message(OPTIONS, **O_CSEQ, max="Max-Forwards: 0"), "ok"),
    "cparam01": (
        message("REGISTER sip:example.com SIP/2.0", **R_CSEQ, contact="Contact: sip:+19725552222@gw1.example.net;unknownparam"),
        "ok",
    ),
    "cparam02": (
        message("REGISTER sip:example.com SIP/2.0", **R_CSEQ, contact="Contact: <sip:+19725552222@gw1.example.net;unknownparam>"),
        "ok",
    ),
    "regescrt": (
        message(
            "REGISTER sip:example.com SIP/2.0",
            **R_CSEQ,
            contact="Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>",
        ),
        "ok",
    ),
    "sdp01": (message(INVITE, "Accept: text/nobodyKnowsThis", "Content-Type: application/sdp", body="v=0\r\n"), "ok"),
    # 3.4 backward compatibility
    "inv2543": (
        message(
            "INVITE sip:UserB@example.com SIP/2.0",
            via="Via: SIP/2.0/UDP iftgw.example.com",
            max="",
            contact="",
            **{"from": "From: <sip:+13035551111@ift.client.example.net;user=phone>"},
        ),
        "ok",
    ),
}  # fmt: skip
