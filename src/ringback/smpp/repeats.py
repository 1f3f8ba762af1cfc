"""Whether a ``deliver_sm`` is one that we have already: SMPP gives it no id that would last.

An SMSC delivers a message again when it has not seen our response. That is so when the connection ended before
anything showed that it had read on (it answered a request of ours that was written after the response), and when our
response took, or takes, so long that it may have given up. Otherwise nobody says the same again: two equal texts
("yes", "yes") whose responses were read are two messages. So a message is one that we have when its sender, receiver,
alphabet and octets are those of an earlier one that is *doubtful*.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

SLOW: Final = 5.0
"""Seconds after which a response may have come too late for the SMSC."""
DOUBT: Final = 600.0
"""Seconds for which a doubtful message may come again."""
MOST: Final = 10_000
"""Messages that are remembered."""


@dataclass(slots=True)
class Met:
    """A message that came."""

    mark: str
    """Digest of all that makes it the same."""
    carrier_id: str
    """The id that we gave it."""
    session: int
    """The connection that it came by; 0: an earlier process's."""
    came: float
    answered: float = 0.0
    """When our response was written; 0: not yet."""
    until: float = 0.0
    """Until when it is doubtful; 0: it is not."""


class Repeats:
    """What came lately. Times in seconds of one clock."""

    def __init__(self) -> None:
        self._met: dict[str, Met] = {}
        """By mark: the last one of it."""
        self._unread: list[Met] = []
        """Whose responses the SMSC has not shown to have read."""

    def restore(self, known: Iterable[tuple[str, str]], now: float) -> None:
        """Doubtful ones of an earlier process: mark and carrier id."""
        for mark, carrier_id in known:
            self._met[mark] = Met(mark, carrier_id, 0, now, now, now + DOUBT)

    def meet(self, mark: str, new_id: str, session: int, now: float) -> Met:
        """The message that this is: an earlier one, or a new one with the id given."""
        known = self._met.get(mark)
        again = known is not None and (known.until > now or (not known.answered and now - known.came > SLOW))
        carrier_id = known.carrier_id if known is not None and again else new_id
        met = self._met[mark] = Met(mark, carrier_id, session, now)
        self._unread.append(met)
        if len(self._met) > MOST:
            self._sweep(now)
        return met

    def answer(self, met: Met, now: float) -> None:
        """Our response is written: we have it."""
        met.answered = now
        if now - met.came > SLOW:
            met.until = now + DOUBT

    def refuse(self, met: Met) -> None:
        """Our response says that we do not have it."""
        if self._met.get(met.mark) is met:
            del self._met[met.mark]
        self._unread = [each for each in self._unread if each is not met]

    def read(self, session: int, written: float) -> None:
        """The SMSC answered what we wrote at ``written``: it has read all that went before it."""
        self._unread = [
            each
            for each in self._unread
            if each.session != session or not each.answered or each.answered > written
        ]

    def ended(self, session: int, now: float) -> None:
        """The connection is gone: what the SMSC has not shown to have read is doubtful."""
        for each in self._unread:
            if each.session == session:
                each.until = now + DOUBT
        self._unread = [each for each in self._unread if each.session != session]

    def _sweep(self, now: float) -> None:
        waiting = {id(each) for each in self._unread[-MOST // 2 :]}
        self._met = {
            mark: each
            for mark, each in self._met.items()
            if not each.answered or each.until > now or id(each) in waiting
        }
        for mark in list(self._met)[: -MOST // 2]:
            del self._met[mark]
