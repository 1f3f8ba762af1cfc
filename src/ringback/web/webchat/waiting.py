"""Requests that wait for something new in a conversation: woken by the commits, never by looking again and again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from ringback.effects import Delete, Effect, Save
from ringback.kernel.errors import Refused
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.participant import Participant

MOST: Final = 2000
"""Requests that wait at once."""
MOST_OF_ACCOUNT: Final = 1500
MOST_OF_IDENTITY: Final = 6
"""Those of one customer: a tab each."""


class Waiting:
    """See the module."""

    def __init__(self) -> None:
        self.closed = False
        """The server stops: nobody waits any more."""
        self._there: dict[str, set[asyncio.Event]] = {}
        """Conversation → who waits for it."""
        self._counts: Counter[str] = Counter()
        self._total = 0

    def __len__(self) -> int:
        return self._total

    @contextmanager
    def place(self, conversation_sid: str, account_sid: str, identity: str) -> Iterator[asyncio.Event]:
        """An event that is set by the next commit that concerns the conversation, from now on. Raises ``Refused``
        429/20429 when too many wait."""
        own, account = f"{account_sid}|{identity}", account_sid
        if (
            self._total >= MOST
            or self._counts[account] >= MOST_OF_ACCOUNT
            or self._counts[own] >= MOST_OF_IDENTITY
        ):
            raise Refused(20429, "Too many requests wait for messages; come again without Wait", 429)
        event = asyncio.Event()
        self._there.setdefault(conversation_sid, set()).add(event)
        self._count(own, account, 1)
        try:
            yield event
        finally:
            self._count(own, account, -1)
            left = self._there[conversation_sid]
            left.discard(event)
            if not left:
                del self._there[conversation_sid]

    def follow(self, effects: Iterable[Effect]) -> None:
        """After a commit: a message, a state or who takes part may have changed. (A message changes its conversation's
        record, so this is enough.)"""
        if not self._there:
            return
        for effect in effects:
            if not isinstance(effect, Save | Delete):
                continue
            record = effect.record
            if isinstance(record, Conversation):
                self._wake(record.sid)
            elif isinstance(record, Participant):
                self._wake(record.conversation_sid)

    def close(self) -> None:
        """Let everybody go."""
        self.closed = True
        for sid in list(self._there):
            self._wake(sid)

    def _wake(self, sid: str) -> None:
        for event in self._there.get(sid, ()):
            event.set()

    def _count(self, own: str, account: str, step: int) -> None:
        self._total += step
        for name in (own, account):
            self._counts[name] += step
            if not self._counts[name]:
                del self._counts[name]
