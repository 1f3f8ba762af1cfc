"""Entries of the debugger about what happened to a customer, and not to a request of the operator."""

from __future__ import annotations

from collections.abc import Callable

from ringback.kernel.error_codes import title
from ringback.resources.api.alert import Alert, explained


def alert(
    new_sid: Callable[[str], str], now: float, *, account_sid: str, code: int, text: str, resource_sid: str
) -> Alert:
    """``code`` with its title and ``text``, about the resource."""
    return Alert(
        sid=new_sid("NO"), account_sid=account_sid, date_created=now, date_updated=now, error_code=code,
        message_text=f"{title(code)}. {text}", message_date=now, more_info=explained(code),
        resource_sid=resource_sid,
    )  # fmt: skip
