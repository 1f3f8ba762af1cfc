"""What became of a webhook: the answer, and the ledger of every exchange that led to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ringback.web.webhooks.overrides import Trouble

EXCERPT_BYTES = 2_000


@dataclass(frozen=True, slots=True)
class Attempt:
    """One HTTP exchange (a redirect hop and an answered challenge each are one of their own).

    Holds no secrets: credentials, cookies and authentication headers are left out of everything here.
    """

    url: str
    """As sent: without fragment and credentials."""
    method: str
    started: float
    """Unix time in seconds."""
    seconds: float
    status: int | None
    """None: no answer came."""
    error_code: int | None
    error_text: str
    request_headers: dict[str, str]
    response_headers: dict[str, str]
    body_excerpt: str
    """At most 2,000 bytes of the answer, undecodable bytes replaced."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The outcome of one logical webhook."""

    ok: bool
    """A 2xx answer (or 304 to a conditional request) that was read completely."""
    final_url: str
    """After redirects; the base for relative URLs in the document. Without fragment and credentials."""
    status: int | None
    headers: dict[str, str]
    """Lower-case names; repeated headers are joined with a comma, `set-cookie` is left out."""
    body: bytes
    """Decoded, whole, within the limit; empty when a sink took it."""
    error_code: int | None
    """A number of the errors sheet, section 3.1; None when ok."""
    error_text: str
    attempts: tuple[Attempt, ...]
    warnings: tuple[Trouble, ...] = field(default=())
    form: str | None = None
    """The form as it was first sent, when it went in a body: so that the ledger need not write it again."""

    @property
    def content_type(self) -> str:
        """The media type in lower case without parameters; empty when there was none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def seconds(self) -> float:
        """Time spent in exchanges, all attempts together."""
        return sum(attempt.seconds for attempt in self.attempts)


def excerpt(body: bytes) -> str:
    """The start of a body as text for the ledger."""
    return body[:EXCERPT_BYTES].decode("utf-8", "replace")
