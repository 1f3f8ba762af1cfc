"""Where a request is: its workspace, and what of it the path and ``TaskChannel`` name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringback.web.rest.context import Context
from ringback.web.rest.generic import not_found


def workspace_of(ctx: Context, workspaces: Mapping[str, Any]) -> Any:
    """The workspace of the path; raises 20404 when there is none, or it is another account's."""
    workspace = workspaces.get(normal(ctx.args["WorkspaceSid"]))
    if workspace is None or workspace.record.account_sid != ctx.account.sid:
        raise not_found(ctx.path)
    return workspace


def named(ctx: Context, known: Mapping[str, Any], name: str) -> str:
    """The SID that a part of the path gives; raises 20404 for one that is not known."""
    sid = normal(ctx.args[name])
    if sid not in known:
        raise not_found(ctx.path)
    return sid


def channel(ctx: Context, workspace: Any) -> str | None:
    """SID of the task channel that ``TaskChannel`` names by SID or unique name; raises 20001."""
    word = last(ctx, "TaskChannel")
    return str(workspace.channel(word).sid) if word else None


def last(ctx: Context, name: str) -> str:
    """The last value of a parameter; empty when it is not given."""
    return ctx.params.get(name, [""])[-1]


def normal(sid: str) -> str:
    """A SID with its digits in lower case."""
    return sid[:2] + sid[2:].lower()


def head(ctx: Context, workspace: Any) -> dict[str, Any]:
    """What every answer begins with."""
    return {
        "account_sid": ctx.account.sid,
        "workspace_sid": workspace.record.sid,
        "url": f"{ctx.services.settings.public_url}/taskrouter{ctx.path}",
    }
