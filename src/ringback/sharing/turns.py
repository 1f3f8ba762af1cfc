"""Whose turn it is: work of many accounts for few seats, so that nobody waits for all that another one has to do.

A seat that becomes free goes to the account that holds the fewest, and among those to the one whose last turn (or
whose coming) is longest ago. With one seat that is a round robin: whoever comes waits for the job under way and for at
most one job of each account that waits. One account alone never holds the last ``reserve`` seats: a newcomer finds
them free. Pure.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Full(Exception):
    """The account has as many jobs in line as it may; the message says how many."""


class Turns(Generic[T]):
    """The lines of all accounts, and who holds how many seats."""

    def __init__(self, seats: int, *, reserve: int = 0, longest: int | None = None) -> None:
        """``reserve``: seats that one account alone never gets (it always may have one); ``longest``: jobs of one
        account that may wait, None: any number."""
        self.seats = seats
        self.most = max(1, seats - reserve)
        """Seats that one account may hold."""
        self.busy = 0
        """Seats that are held."""
        self.waiting = 0
        """Jobs in line, of all accounts."""
        self._longest = longest
        self._lines: dict[str, deque[T]] = {}
        """Accounts with jobs in line; never an empty one."""
        self._held: Counter[str] = Counter()
        self._since: dict[str, tuple[int, bool]] = {}
        """Of the accounts in line: at which turn they came, or had their last one (True), which makes them later."""
        self._turn = 0

    def line_up(self, account: str, job: T) -> None:
        """A job comes; raises :class:`Full`."""
        line = self._lines.get(account)
        if line is None:
            line = self._lines[account] = deque()
            self._since[account] = self._turn, account in self._held
        elif self._longest is not None and len(line) >= self._longest:
            raise Full(f"{len(line)} wait already")
        line.append(job)
        self.waiting += 1

    def take(self) -> tuple[str, T] | None:
        """The job that has its turn now, and its account, which holds one more seat (:meth:`done` gives it back);
        None: no seat is free for any that waits."""
        if not self.waiting or self.busy >= self.seats:
            return None
        able = [account for account in self._lines if self._held[account] < self.most]
        if not able:
            return None
        account = min(able, key=lambda one: (self._held[one], self._since[one]))
        job = self._lines[account].popleft()
        self._turn += 1
        self._since[account] = self._turn, True
        self._shorter(account)
        self._held[account] += 1
        self.busy += 1
        return account, job

    def leave(self, account: str, job: T) -> None:
        """A job goes out of its line; one that has had its turn is fine."""
        line = self._lines.get(account)
        if line is not None and job in line:
            line.remove(job)
            self._shorter(account)

    def done(self, account: str) -> None:
        """A seat of the account is free again."""
        self._held[account] -= 1
        self.busy -= 1
        if not self._held[account]:
            del self._held[account]

    def drain(self) -> list[T]:
        """Everything that waits, taken out of the lines."""
        left = [job for line in self._lines.values() for job in line]
        self._lines.clear()
        self._since.clear()
        self.waiting = 0
        return left

    def _shorter(self, account: str) -> None:
        self.waiting -= 1
        if not self._lines[account]:
            del self._lines[account], self._since[account]
