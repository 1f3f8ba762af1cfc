"""Debugger entries of TaskRouter (errors.md; taskrouter.md §8)."""

from __future__ import annotations

from ringback.effects import Save
from ringback.kernel.error_codes import level, title
from ringback.resources.api.alert import Alert, explained
from ringback.taskrouter.workspace import LiveWorkspace


def log_alert(
    workspace: LiveWorkspace, code: int, text: str, resource_sid: str, *, url: str = "", answer: bytes = b""
) -> None:
    """Write one debugger entry about ``resource_sid``."""
    workspace.do(
        Save(
            Alert(
                sid=workspace.new_sid("NO"), account_sid=workspace.record.account_sid, date_created=workspace.now,
                date_updated=workspace.now, error_code=code, message_text=f"{title(code)}. {text}",
                log=1 if level(code) == "warning" else 0,
                message_date=workspace.now, resource_sid=resource_sid, more_info=explained(code),
                request_url=url or None, response_body=answer[:2000].decode("utf-8", "replace") or None,
            )
        )
    )  # fmt: skip
