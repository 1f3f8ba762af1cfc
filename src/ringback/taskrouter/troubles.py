"""Debugger entries of the desk (errors.md; taskrouter.md §8)."""

from __future__ import annotations

from ringback.effects import Save
from ringback.kernel.error_codes import level, title
from ringback.resources.api.alert import Alert, explained
from ringback.taskrouter.floor import Floor


def trouble(
    floor: Floor, code: int, text: str, resource_sid: str, *, url: str = "", answer: bytes = b""
) -> None:
    """Write one debugger entry about ``resource_sid``."""
    floor.do(
        Save(
            Alert(
                sid=floor.new_sid("NO"), account_sid=floor.workspace.account_sid, date_created=floor.now,
                date_updated=floor.now, error_code=code, message_text=f"{title(code)}. {text}",
                log=1 if level(code) == "warning" else 0,
                message_date=floor.now, resource_sid=resource_sid, more_info=explained(code),
                request_url=url or None, response_body=answer[:2000].decode("utf-8", "replace") or None,
            )
        )
    )  # fmt: skip
