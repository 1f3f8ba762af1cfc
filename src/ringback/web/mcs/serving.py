"""Giving a file out so that nothing in it is ever run: whoever made it may be anybody.

Pictures, sound and video of kinds that hold no program are shown in place; everything else is a download. No browser
guesses another type (``nosniff``), and what it shows is in a sandbox of its own (CSP 3 §6.4) without any right.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.responses import FileResponse

from ringback.resources.mcs.media_file import MediaFile
from ringback.web.mcs.sniffing import ACTIVE

SHOWN: Final = (
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/bmp",
    "image/avif",
    "audio/",
    "video/",
)
"""What a browser may show in place."""
CORS: Final = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "authorization, content-type, range, x-twilio-token",
    "access-control-allow-methods": "DELETE, GET, HEAD, OPTIONS, POST",
    "access-control-expose-headers": "content-length, content-range, content-disposition, twilio-request-id",
    "access-control-max-age": "600",
}
"""Browsers' SDKs ask from pages of other origins; credentials go in headers, so no cookie is at stake."""


def file_answer(record: MediaFile, path: Path) -> FileResponse:
    """The bytes, with ranges."""
    shown = record.content_type.startswith(SHOWN)
    kind = "application/octet-stream" if record.content_type in ACTIVE else record.content_type
    return FileResponse(
        path,
        filename=record.filename or record.sid,
        content_disposition_type="inline" if shown else "attachment",
        headers={
            **CORS,
            "content-type": kind,  # as a header: Starlette adds a charset to text that it does not know
            "x-content-type-options": "nosniff",
            "content-security-policy": "default-src 'none'; sandbox",
            "cross-origin-resource-policy": "cross-origin",
            "referrer-policy": "no-referrer",
            "cache-control": "private, max-age=300",
        },
    )
