"""FrontlineUser: a worker, as the Frontline API shows them (conversations.md §2)."""

from __future__ import annotations

from typing import Literal

from ringback.kernel.resource import Record, field, resource


@resource(
    "/v1/Users",
    product="frontline-api",
    sid="US",
    key="users",
    can=("fetch", "update"),
    stored=False,
    table="frontline_users",
    show={key: key for key in ("sid", "identity", "friendly_name", "avatar", "state", "is_available")},
    tag="Frontline user",
)
class FrontlineUser(Record):
    """A worker: the user of a Conversations service, with what routing must know of them. The path takes their SID or
    their identity."""

    identity: str = field("")
    """Their name in tokens, and of their phone: ``client:`` and this."""
    friendly_name: str | None = field(None, write="update", max_length=256)
    """A name for people."""
    avatar: str | None = field(None, write="update", max_length=2048)
    """URL of a picture."""
    state: Literal["active", "deactivated"] = field("active", write="update")
    """``deactivated``: they get no new conversations. Those that they have stay theirs."""
    is_available: bool = field(False, write="update")
    """Whether pool routing may give them new conversations."""
