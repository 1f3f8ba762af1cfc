"""Who asks: what an access token allows at the event bridge (taskrouter-js.md §2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringback.kernel.errors import Refused
from ringback.web.event_bridge.workspaces import TaskRouter

ROLES = ("worker", "supervisor", "admin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A token that has been checked."""

    account_sid: str
    workspace_sid: str
    worker_sid: str
    """Empty: a supervisor's or administrator's token may name no worker."""
    role: str
    """One of :data:`ROLES`."""
    expires: float
    """Unix seconds."""

    @property
    def leads(self) -> bool:
        """Whether the whole workspace is open to it, not the worker's own things alone."""
        return self.role != "worker"


def read_grant(claims: Mapping[str, Any], taskrouter: TaskRouter) -> Grant:
    """The grant for TaskRouter in a verified token's claims.

    Raises ``Refused`` 403/20003 when it has none, or none that fits: the workspace must exist and belong to the
    token's account, and a named worker must be in it.
    """
    grants = claims.get("grants")
    found = grants.get("task_router") if isinstance(grants, dict) else None
    if not isinstance(found, dict):
        raise Refused(20003, "The access token has no grant for TaskRouter", 403)
    record, worker = found.get("workspace_sid"), found.get("worker_sid") or ""
    role = found.get("role") or "worker"
    if not isinstance(record, str) or not isinstance(worker, str) or role not in ROLES:
        raise Refused(20003, "The access token's grant for TaskRouter is not valid", 403)
    workspace = taskrouter.workspaces.get(record)
    if workspace is None or workspace.record.account_sid != claims.get("sub"):
        raise Refused(20003, "The access token's workspace was not found", 403)
    if worker and worker not in workspace.workers:
        raise Refused(20003, "The access token's worker was not found", 403)
    if not worker and role == "worker":
        raise Refused(20003, "The access token names no worker", 403)
    return Grant(
        account_sid=str(claims["sub"]), workspace_sid=record, worker_sid=worker, role=str(role),
        expires=float(claims["exp"]),
    )  # fmt: skip
