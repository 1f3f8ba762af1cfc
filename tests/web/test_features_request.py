"""Reading requests of features: bounds, spellings, signatures, tokens (callback-voicemail.md §2)."""

from __future__ import annotations

from typing import Any

import pytest

from ringback.kernel.errors import Refused
from ringback.web.features.request import BODY_LIMIT, Asked, check_agent, check_signature, read
from ringback.web.grant import Grant
from ringback.web.signing import sign

PATH = "/features/callback-and-voicemail/studio/create-callback"
OWN = "https://own.test"


async def asked(
    body: bytes = b"", query: bytes = b"", kind: bytes = b"application/x-www-form-urlencoded", **headers: str
) -> Asked:
    """Read one."""
    pieces = [body[at : at + 1000] for at in range(0, len(body), 1000)] or [b""]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    found = [
        (b"Content-Type", kind),
        *((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()),
    ]
    scope = {"method": "POST", "path": PATH, "query_string": query, "headers": found}
    return await read(scope, receive)


async def test_query_form_and_json() -> None:
    one = await asked(b"a=1&b=%2B5&c=", b"a=0&d=4")
    assert one.params == {"a": "1", "b": "+5", "c": "", "d": "4"}
    other = await asked(b'{"a":"x","n":5,"z":null}', kind=b"application/json; charset=utf-8")
    assert other.params == {"a": "x", "n": "5"}


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"x" * (BODY_LIMIT + 1), b"text/plain", 413), (b"[1]", b"application/json", 400),
        (b"{", b"application/json", 400),
        (b"\xff\xfe=1", b"application/x-www-form-urlencoded", 400),
        (b"&".join(b"a%d=1" % n for n in range(500)), b"application/x-www-form-urlencoded", 400),
        (b"[" * 100_000, b"application/json", 400),
    ],
)  # fmt: skip
async def test_what_is_refused(body: bytes, kind: bytes, status: int) -> None:
    with pytest.raises(Refused) as refusal:
        await asked(body, kind=kind)
    assert refusal.value.status == status


async def test_signatures() -> None:
    good = sign("token", f"{OWN}{PATH}?x=%2B1", [("a", "1")])
    request = await asked(b"a=1", b"x=%2B1", X_Twilio_Signature=good)
    check_signature(request, OWN + "/", "token")
    for url, token in ((OWN, "other"), (OWN, ""), ("http://own.test", "token")):
        with pytest.raises(Refused) as refusal:
            check_signature(request, url, token)
        assert refusal.value.status == 403
    with pytest.raises(Refused):
        check_signature(await asked(b"a=2", b"x=%2B1", X_Twilio_Signature=good), OWN, "token")
    with pytest.raises(Refused):
        check_signature(await asked(b"a=1", b"x=%2B1"), OWN, "token")


async def test_agents() -> None:
    """Who is in the token counts, not who is in the form."""

    async def admit(token: str) -> Grant:
        if token != "T":
            raise Refused(20101, "Invalid Access Token", 401)
        return Grant(account_sid="AC1", workspace_sid="WS1", worker_sid="WK1", role="worker", expires=9.0)

    found = await check_agent(await asked(b"Token=T&workspaceSid=WS2&workerSid=WK2"), admit)
    assert found == {"workspaceSid": "WS1", "workerSid": "WK1"}
    for body in (b"", b"Token=U"):
        with pytest.raises(Refused) as refusal:
            await check_agent(await asked(body), admit)
        assert refusal.value.status == 401
