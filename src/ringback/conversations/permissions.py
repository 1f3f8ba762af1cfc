"""Who may do what (conversations.md §1.5): asked here, and nowhere else."""

from __future__ import annotations

from ringback.conversations.work import Work
from ringback.kernel.errors import Refused


def require(work: Work, *needed: str) -> None:
    """Whoever acts with account credentials may do everything; an identity needs one of these permissions, which its
    roles give (looked up as ``known["permissions"]``). Raises ``Refused`` 403."""
    if work.identity and not set(needed) & set(work.known.get("permissions", ())):
        raise Refused(50107, f"{work.identity} has no permission {' or '.join(needed)}", 403)
