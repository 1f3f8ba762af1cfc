"""The general rules of a noun; ``rules.py`` says which nouns have others."""

from __future__ import annotations

from typing import Any

from ringback.kernel.errors import Refused
from ringback.store import Condition
from ringback.web.rest.context import Context


class Rule:
    """The general rules."""

    manages = False
    """Closed to standard API keys."""
    tests = False
    """Open to test credentials."""
    body_limit: int | None = None
    """Bytes of a request's body, where it may be larger than the setting says."""

    async def resolve(self, ctx: Context, sid: str) -> str:
        """The SID for a word of the path."""
        return sid

    async def parent(self, ctx: Context, name: str, word: str) -> str:
        """The SID for a word of the path that names a parent (``name``: ``ConferenceSid`` …)."""
        return word

    def visible(self, ctx: Context, record: Any) -> bool:
        """Whether the record may be seen."""
        return True

    def only(self, ctx: Context) -> list[Condition]:
        """Conditions that every list has."""
        return []

    def lock(self, record: Any) -> str:
        """The key under which creates exclude each other."""
        return str(record.sid)

    async def create(self, ctx: Context) -> dict[str, Any] | None:
        """Carry out a create in a way of its own; gives the answer's JSON. None: the general way."""
        return None

    async def before_save(self, ctx: Context, before: Any) -> None:
        """Complete and check ``ctx.record``; ``before`` is None for a create. Raises ``Refused``."""

    def after_save(self, ctx: Context) -> None:
        """It is committed."""

    def conflict(self, ctx: Context) -> Refused:
        """The refusal when the database says that a unique value is taken (by another process, perhaps)."""
        return Refused(20409, "A resource with the same unique value exists", 409)

    def decorate(self, ctx: Context, record: Any, body: dict[str, Any], *, created: bool) -> None:
        """Add to the JSON of a single record."""
