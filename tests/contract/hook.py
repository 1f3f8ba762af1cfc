"""The request hook: the official client, unmodified, against a Ringback."""

from __future__ import annotations

import re
from typing import Any

from twilio.http.http_client import TwilioHttpClient


class RingbackClient(TwilioHttpClient):
    """``Client(sid, token, http_client=RingbackClient("http://127.0.0.1:8080"))``."""

    def __init__(self, base: str, **options: Any) -> None:
        super().__init__(**options)
        self.base = base

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """``https://api.twilio.com/…`` becomes ``<base>/api/…``."""
        url = re.sub(r"^https://([a-z-]+)[a-z0-9.-]*\.twilio\.com", self.base + r"/\1", url)
        return super().request(method, url, *args, **kwargs)
