"""The official Twilio library for Python, pointed at Ringback: copy the class into your program."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client


class ToRingback(TwilioHttpClient):
    """Sends a request for ``https://PRODUCT.twilio.com/…`` to ``RINGBACK_URL/PRODUCT/…``."""

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        """Replace the host name; everything else stays."""
        base = os.environ.get("RINGBACK_URL", "http://127.0.0.1:8080")
        return super().request(
            method, re.sub(r"^https://([\w-]+)\.([\w-]+\.)*twilio\.com", rf"{base}/\1", url), *args, **kwargs
        )


def credentials() -> tuple[str, str]:
    """Account SID and auth token: from the environment, or those that the first start made."""
    if "RINGBACK_AUTH_TOKEN" in os.environ:
        return os.environ["RINGBACK_ACCOUNT_SID"], os.environ["RINGBACK_AUTH_TOKEN"]
    path = Path(os.environ.get("RINGBACK_DATA_DIR", "./var")) / "credentials.json"
    kept = json.loads(path.read_text("utf-8"))
    return kept["account_sid"], kept["auth_token"]


def connect() -> Client:
    """The official client, talking to Ringback."""
    return Client(*credentials(), http_client=ToRingback())


if __name__ == "__main__":
    for call in connect().calls.list(limit=10):
        print(call.sid, call.direction, call.from_formatted, "->", call.to, call.status)
