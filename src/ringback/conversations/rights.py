"""Whether somebody with an identity may write what they want to write: asked here, and nowhere else."""

from __future__ import annotations

from collections.abc import Collection

from ringback.conversations.permissions import Rights, check
from ringback.conversations.work import Work


def require(
    work: Work,
    noun: str,
    operation: str,
    changed: Collection[str] = (),
    *,
    own: bool = False,
    joins: bool = False,
) -> None:
    """Whoever acts with account credentials may do everything. Raises ``Refused`` 403 (50107, 50430) for an identity
    whose roles (looked up as ``known["rights"]``: of the participant, of the user) do not allow it."""
    if not work.identity:
        return
    given = work.known.get("rights", {})
    rights = Rights(
        participant=any(each.identity == work.identity for each in work.participants),
        conversation=given.get("conversation", ()),
        service=given.get("service", ()),
    )
    check(noun, operation, rights, changed, own=own, joins=joins)
