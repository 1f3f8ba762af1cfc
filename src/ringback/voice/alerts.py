"""Builds debugger entries (voice-calls.md §12; levels and titles: kernel/error_codes.py)."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from ringback.effects import FetchDocument, Save
from ringback.events import DocumentFetched
from ringback.kernel.error_codes import level, title
from ringback.resources.api.alert import Alert, explained

EXCERPT = 2_000
"""Bytes of an answer that are kept."""


def alert(
    new_sid: Callable[[str], str],
    now: float,
    *,
    account_sid: str,
    call_sid: str,
    code: int,
    text: str = "",
    request: FetchDocument | None = None,
    answer: DocumentFetched | None = None,
    resource_sid: str | None = None,
) -> Save:
    """One entry about ``call_sid``; ``text`` says what is wrong and what to do about it.

    ``request`` and ``answer``: the exchange with the
    application behind it; variables and headers are kept
    URL-encoded, of the body its start (voice-calls.md §12).
    """
    heading = title(code)
    if answer is not None and answer.status is not None and str(answer.status) not in text:
        text = f"{text} (HTTP {answer.status})"
    return Save(
        Alert(
            sid=new_sid("NO"),
            account_sid=account_sid,
            date_created=now,
            date_updated=now,
            log=1 if level(code) == "warning" else 0,
            error_code=code,
            message_text=f"{heading}. {text}" if text else heading,
            message_date=now,
            more_info=explained(code),
            call_sid=call_sid,
            resource_sid=resource_sid or call_sid,
            request_url=None if request is None else shown_url(request.url),
            request_method=None if request is None else request.method,
            request_variables=None if request is None else urlencode(request.params),
            response_headers=None if answer is None else urlencode(answer.headers),
            response_body=None if answer is None else _start(answer),
        )
    )


def shown_url(url: str) -> str:
    """``url`` without credentials and connection overrides: what may be kept and shown."""
    try:
        parts = urlsplit(url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()
    except ValueError:
        return ""


def _start(answer: DocumentFetched) -> str | None:
    if answer.excerpt:
        return answer.excerpt
    return answer.body[:EXCERPT].decode("utf-8", "replace") or None
