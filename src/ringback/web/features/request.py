"""Reading a feature's requests: parameters of query, form or JSON, bounded; who may come in (§2)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from ringback.kernel.errors import Refused
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


async def check_agent(
    asked: Asked, read_token: Callable[[str], Awaitable[Mapping[str, Any]]]
) -> dict[str, str]:
    """Field ``Token``: an access token with the grant for TaskRouter; gives ``workspaceSid`` and ``workerSid``.

    Raises ``Refused`` 401 without a valid token, 403 when it is no agent's.
    """
    token = asked.params.get("Token", "")
    if not token:
        raise Refused(20003, "Token is missing", 401)
    claims = await read_token(token)
    grants = claims.get("grants")
    grant = grants.get("task_router") if isinstance(grants, Mapping) else None
    workspace = grant.get("workspace_sid") if isinstance(grant, Mapping) else None
    if not isinstance(grant, Mapping) or not isinstance(workspace, str) or not workspace:
        raise Refused(20003, "The token is no agent's: it has no grant for TaskRouter", 403)
    return {"workspaceSid": workspace, "workerSid": str(grant.get("worker_sid") or "")}
