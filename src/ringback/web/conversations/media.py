"""Files of messages: their facts, by the SIDs that a request names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ringback.kernel.errors import Refused

FindMedia = Callable[[str, str, Sequence[str]], Awaitable[list[dict[str, Any]]]]
"""(account, service, SIDs) → ``sid``, ``content_type``, ``filename``, ``size``, ``category`` of each. Raises
``Refused`` for one that there is not."""


async def no_media(account_sid: str, chat_service_sid: str, sids: Sequence[str]) -> list[dict[str, Any]]:
    """Of a server without a media store: there is no such file."""
    if sids:
        raise Refused(20404, f"The media {sids[0][:34]} was not found", 404)
    return []
