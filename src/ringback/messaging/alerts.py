"""Debugger entries about messages (levels and titles: kernel/error_codes.py)."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from ringback.effects import Save
from ringback.events import DocumentFetched
from ringback.kernel.error_codes import level, title
from ringback.resources.api.alert import Alert, explained

EXCERPT = 2_000
"""Bytes of an answer that are kept."""


def alert(
    new_sid: Callable[[str], str], now: float, *, account_sid: str, message_sid: str, code: int, text: str = "",
    answer: DocumentFetched | None = None, method: str = "", params: list[tuple[str, str]] | None = None,
) -> Save:  # fmt: skip
    """One entry about a message; ``answer``, ``method``, ``params``: the exchange with the application behind it."""
    heading = title(code)
    return Save(
        Alert(
            sid=new_sid("NO"), account_sid=account_sid, date_created=now, date_updated=now,
            log=1 if level(code) == "warning" else 0, error_code=code,
            message_text=f"{heading}. {text}" if text else heading, message_date=now, more_info=explained(code),
            resource_sid=message_sid,
            request_url=None if answer is None else shown_url(answer.url), request_method=method or None,
            request_variables=None if params is None else urlencode(params),
            response_headers=None if answer is None else urlencode(answer.headers),
            response_body=None if answer is None else _start(answer),
        )
    )  # fmt: skip


def shown_url(url: str) -> str:
    """``url`` without credentials and connection overrides: what may be kept and shown."""
    try:
        parts = urlsplit(url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()
    except ValueError:
        return ""


def _start(answer: DocumentFetched) -> str | None:
    return answer.excerpt or answer.body[:EXCERPT].decode("utf-8", "replace") or None
