"""Builds debugger entries (voice-calls.md §12; levels and titles: kernel/error_codes.py)."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from ringback.effects import Save
from ringback.kernel.error_codes import level, title
from ringback.resources.api.alert import Alert


def alert(
    new_sid: Callable[[str], str],
    now: float,
    *,
    account_sid: str,
    call_sid: str,
    code: int,
    text: str = "",
    url: str | None = None,
    method: str | None = None,
    params: list[tuple[str, str]] | None = None,
    body: str | None = None,
    resource_sid: str | None = None,
) -> Save:
    """One entry about ``call_sid``; ``text`` says what is wrong and what to do about it."""
    heading = title(code)
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
            more_info=f"https://www.twilio.com/docs/errors/{code}",
            call_sid=call_sid,
            resource_sid=resource_sid or call_sid,
            request_url=url,
            request_method=method,
            request_variables=urlencode(params) if params is not None else None,
            response_body=body,
        )
    )
