"""Answer first, then the event: what a request has caused is told to others once its answer is written.

A client that awaits the answer and only then listens must not miss the event that its own request has caused. So the
HTTP server makes an :class:`Answering` for every request, ``Runtime.ask`` notes it with the event that it hands in, and
whoever tells the outside of the consequences (web sockets, callbacks) waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Final


class Answering:
    """One request's answer."""

    __slots__ = ("_after", "written")

    def __init__(self) -> None:
        self.written = False
        """Whether it has been handed to the network, or never will be."""
        self._after: list[Callable[[], None]] = []

    def then(self, do: Callable[[], None]) -> None:
        """Do it when the answer is written; at once when it is."""
        if self.written:
            do()
        else:
            self._after.append(do)

    def write(self) -> None:
        """It is written: do what waits for that, in order. A second time nothing happens."""
        self.written = True
        after, self._after = self._after, []
        for do in after:
            do()


CURRENT: Final[ContextVar[Answering | None]] = ContextVar("answering", default=None)
"""The request that is being answered in this context; None: none is."""


def open_answers(known: Iterable[Answering | None]) -> list[Answering]:
    """Those that are not written yet, each once."""
    return list(dict.fromkeys(each for each in known if each is not None and not each.written))


def when_written(answers: list[Answering], do: Callable[[], None]) -> None:
    """Do it when all are written; at once when they are."""
    left = open_answers(answers)
    if left:
        left[0].then(lambda: when_written(left, do))
    else:
        do()
