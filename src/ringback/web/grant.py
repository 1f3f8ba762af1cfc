"""Who asks: what the access token of an agent (taskrouter-js.md §2), or of a web visitor, allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ringback.kernel.errors import Refused

ROLES = ("worker", "supervisor", "admin")
WEB_CHAT = "web_chat"
"""Our own grant: its ``conversation_sid`` is the only conversation that the token of a web visitor is for."""


class TaskRouter(Protocol):
    """Where workspaces and workers are looked for."""

    @property
    def workspaces(self) -> Mapping[str, Any]:
        """Workspace SID → ``.record`` (its ``account_sid``) and ``.workers`` (by SID)."""


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
    issuer: str = ""
    """SID of the key, or account, that signed the token."""
    identity: Any = None
    """Who the token says that it is for."""

    @property
    def leads(self) -> bool:
        """Whether the whole workspace is open to it, not the worker's own things alone."""
        return self.role != "worker"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who writes in a browser, by a token that has been checked."""

    account_sid: str
    chat_service_sid: str
    identity: str
    conversation_sid: str
    """The only one that the token is for; empty: all in which the identity takes part."""


def read_chat_grant(grants: Mapping[str, Any]) -> tuple[str, str]:
    """Service and identity of a token's grants. Raises ``Refused`` 403/20003 when it has none for a service."""
    chat, identity = grants.get("chat"), grants.get("identity")
    service = chat.get("service_sid") if isinstance(chat, dict) else None
    if not isinstance(service, str) or not isinstance(identity, str) or not identity:
        raise Refused(20003, "The access token has no grant for a Conversations service", 403)
    return service, identity


def read_grant(claims: Mapping[str, Any], taskrouter: TaskRouter | None) -> Grant:
    """The grant for TaskRouter in a verified token's claims.

    Raises ``Refused`` 403/20003 when it has none, or none that fits: the workspace must exist and belong to the
    token's account, and a named worker must be in it. None: workspaces are another platform's.
    """
    grants = claims.get("grants")
    if not isinstance(grants, dict):
        grants = {}
    found = grants.get("task_router")
    if not isinstance(found, dict):
        raise Refused(20003, "The access token has no grant for TaskRouter", 403)
    record, worker = found.get("workspace_sid"), found.get("worker_sid") or ""
    role = found.get("role") or "worker"
    if not isinstance(record, str) or not isinstance(worker, str) or role not in ROLES:
        raise Refused(20003, "The access token's grant for TaskRouter is not valid", 403)
    if taskrouter is not None:
        workspace = taskrouter.workspaces.get(record)
        if workspace is None or workspace.record.account_sid != claims.get("sub"):
            raise Refused(20003, "The access token's workspace was not found", 403)
        if worker and worker not in workspace.workers:
            raise Refused(20003, "The access token's worker was not found", 403)
    if not worker and role == "worker":
        raise Refused(20003, "The access token names no worker", 403)
    return Grant(
        account_sid=str(claims["sub"]), workspace_sid=record, worker_sid=worker, role=str(role),
        expires=float(claims["exp"]), issuer=str(claims.get("iss") or ""),
        identity=grants.get("identity"),
    )  # fmt: skip
