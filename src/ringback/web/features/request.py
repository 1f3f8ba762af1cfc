"""Reading a feature's requests: parameters of query, form or JSON, bounded; who may come in (§2)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from ringback.kernel.errors import Refused
from ringback.web.grant import Grant
from ringback.web.signing import SIGNATURE_HEADER, verify

BODY_LIMIT: Final = 256 * 1024
FIELD_LIMIT: Final = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, read."""

    method: str
    path: str
    query: str
    form: list[tuple[str, str]]
    """Of a form body, in order."""
    params: dict[str, str]
    """Query and body together; the body wins."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""


async def read(scope: Any, receive: Any) -> Asked:
    """Read a whole request. Raises ``Refused`` 20413 for a large body, 20001 for a bad one."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    raw = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(20001, "The request ended early")
        raw += message.get("body", b"")
        if len(raw) > BODY_LIMIT:
            raise Refused(20413, "Request entity too large", 413)
        if not message.get("more_body"):
            break
    query = scope["query_string"].decode("latin-1")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    form: list[tuple[str, str]] = []
    given: dict[str, str] = {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=FIELD_LIMIT)
        if kind == "application/json":
            given = _json(bytes(raw))
        elif raw:
            form = parse_qsl(raw.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELD_LIMIT)
    except (ValueError, RecursionError):
        raise Refused(20001, "The parameters cannot be read") from None
    return Asked(scope["method"], scope["path"], query, form, {**dict(pairs), **dict(form), **given}, headers)


def _json(raw: bytes) -> dict[str, str]:
    found = json.loads(raw) if raw.strip() else {}
    json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text: UnicodeEncodeError
    if not isinstance(found, dict) or len(found) > FIELD_LIMIT:
        raise ValueError("no object")
    return {
        str(name): value if isinstance(value, str) else json.dumps(value)
        for name, value in found.items()
        if value is not None
    }


def check_signature(asked: Asked, public_url: str, auth_token: str) -> None:
    """``X-Twilio-Signature`` (webhooks.md §3). Raises ``Refused`` 403."""
    url = public_url.rstrip("/") + asked.path + (f"?{asked.query}" if asked.query else "")
    signature = asked.headers.get(SIGNATURE_HEADER.lower(), "")
    params = asked.form if asked.method == "POST" else []
    if not auth_token or not verify(auth_token, url, signature, params):
        raise Refused(20003, "The request is not signed by the account's auth token", 403)


async def check_agent(asked: Asked, admit: Callable[[str], Awaitable[Grant]]) -> dict[str, str]:
    """Field ``Token``: an agent's access token; gives ``workspaceSid`` and ``workerSid``.

    ``admit`` decides (``web/access.py``). Raises ``Refused`` 401 without a good token, 403 for what it does not allow.
    """
    token = asked.params.get("Token", "")
    if not token:
        raise Refused(20003, "Token is missing", 401)
    grant = await admit(token)
    return {"workspaceSid": grant.workspace_sid, "workerSid": grant.worker_sid}
