"""Answers: JSON, errors, files; and sending them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from starlette.responses import FileResponse

from ringback.kernel.errors import Refused

_dump = msgspec.json.Encoder().encode
JSON = b"application/json"
RETRY_AFTER = {429: b"1", 503: b"2"}
"""Seconds after which the caller may come again (RFC 9110 §10.2.3), by status."""


@dataclass(slots=True)
class Answer:
    """What goes back."""

    status: int
    body: bytes = b""
    content_type: bytes = JSON
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    file: Path | None = None
    """Sent with ranges, instead of ``body``."""


def json_answer(status: int, value: Any) -> Answer:
    """A JSON answer."""
    return Answer(status, _dump(value))


def error_answer(error: Refused, public_url: str) -> Answer:
    """The error envelope (errors.md §1). Official libraries put "Unable to create record: " before the message."""
    envelope = {
        "code": error.code,
        "message": error.message,
        "more_info": f"{public_url}/docs/errors/{error.code}",
        "status": error.status,
    }
    answer = json_answer(error.status, envelope)
    if error.status == 401:
        answer.headers.append((b"www-authenticate", b'Basic realm="Twilio API"'))
    if error.status in RETRY_AFTER:
        answer.headers.append((b"retry-after", RETRY_AFTER[error.status]))
    return answer


async def send_answer(answer: Answer, request_id: str, scope: Any, receive: Any, send: Any) -> None:
    """Send it; ``HEAD`` without the body, 204 and 304 without a content type."""
    extra = [(b"twilio-request-id", request_id.encode()), *answer.headers]
    if answer.file is not None:
        response = FileResponse(answer.file, answer.status, media_type=answer.content_type.decode())
        response.raw_headers.extend(extra)
        await response(scope, receive, send)
        return
    headers = extra
    if answer.status not in (204, 304):
        headers = [
            (b"content-type", answer.content_type),
            (b"content-length", str(len(answer.body)).encode()),
            *extra,
        ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else answer.body
    await send({"type": "http.response.body", "body": body})
