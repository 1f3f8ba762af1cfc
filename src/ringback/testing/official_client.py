"""The official Twilio library, pointed at a Ringback of the test kit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twilio.rest import Client  # type: ignore[import-untyped]


def official_client(base: str, account_sid: str, auth_token: str) -> Client:
    """A ``twilio.rest.Client`` that talks to ``base``. It blocks: from a coroutine call it in a thread.

    Raises ``ImportError`` when the package ``twilio`` is not installed.
    """
    from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
    from twilio.rest import Client

    class ToRingback(TwilioHttpClient):  # type: ignore[misc]  # the library has no types
        """Sends ``https://PRODUCT.twilio.com/…`` to ``BASE/PRODUCT/…``."""

        def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:
            url = re.sub(r"^https://([\w-]+)\.([\w-]+\.)*twilio\.com", rf"{base}/\1", url)
            return super().request(method, url, *args, **options)

    return Client(account_sid, auth_token, http_client=ToRingback())


def close_client(client: Client | None) -> None:
    """Close the connections that a client keeps."""
    session = getattr(getattr(client, "http_client", None), "session", None)
    if session is not None:
        session.close()
