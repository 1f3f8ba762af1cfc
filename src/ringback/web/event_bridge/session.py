"""One worker's web socket: what goes out on it, in order, and nothing twice (taskrouter-js.md §3).

The client connects, hears ``init``, loads its lists by POST and only then listens to events: whatever came in
between would be lost. So a session has three states::

    waiting  another socket of the same worker is loading; ``init`` is not sent yet
    loading  ``init`` is sent; events are held, and the lists that are asked for are remembered
    live     events go out at once

When loading ends, what was held goes out, but for what the lists already showed (by version).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

from ringback.kernel.clock import Alarm
from ringback.web.event_bridge.news import ENDED, News
from ringback.web.grant import Grant

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BACKLOG: Final = 1000
"""Messages that may wait for a slow client; it is dropped when there are more."""
SEND_SECONDS: Final = 20.0
"""A client that takes nothing for that long is dropped."""
REMEMBERED: Final = 50
"""Ended reservations whose tasks' events still go out (the client forgets them after 5 s)."""
STEPS: Final = frozenset({"activities", "channels", "reservations"})
"""Lists that the client loads before it listens; the worker is loaded before them."""


class Session:
    """One socket."""

    def __init__(self, grant: Grant, *, goes_offline: bool, heartbeat: float) -> None:
        """``goes_offline``: the client wants its worker offline when it is gone. ``heartbeat``: seconds of
        silence after which a blank is sent."""
        self.grant = grant
        self.goes_offline = goes_offline
        self.alarm: Alarm
        """Set by the bridge: the end of the token."""
        self.state = "waiting"
        self.closed: tuple[int, str] | None = None
        """Code and reason, once it is to be closed."""
        self._heartbeat = heartbeat
        self._outgoing: deque[str] = deque()
        self._held: list[News] = []
        self._mark = 0
        """So much of what is held came before the list of reservations was shown."""
        self._seen: dict[str, int] = {}
        self._known: dict[str, str] = {}
        """Reservation SID → task SID: what the client knows."""
        self._ended: deque[str] = deque()
        self._listed: set[str] = set()
        """Activities and channels that the client has loaded."""
        self._missing = set(STEPS)
        self._wake = asyncio.Event()
        self._gone = False

    # --- what happens ---------------------------------------------------------------------------------

    def tell(self, news: News) -> None:
        """Send it, or hold it until the client listens."""
        if self.state == "live":
            if self._wanted(news):
                self._put(news.text)
        elif len(self._held) >= BACKLOG:
            self.close(1008, "too many events before the lists were loaded")
        else:
            self._held.append(news)

    def begin(self, init: str) -> None:
        """Send ``init``: the client starts loading."""
        self.state = "loading"
        self._put(init)

    def shown(self, step: str, records: Iterable[Any], *, last: bool) -> bool:
        """The client was shown records (a page of a list, or the worker); True when it has them all."""
        for each in records:
            self._seen[each.sid] = each.version
            if step in ("activities", "channels"):
                self._listed.add(each.sid)
        if step == "reservations" and "reservations" in self._missing:
            self._mark = len(self._held)
        if last:
            self._missing.discard(step)
        return not self._missing

    def knows(self, reservations: Iterable[tuple[str, str]]) -> None:
        """Reservations (SID, task SID) that the client was shown."""
        self._known.update(reservations)

    def listen(self) -> None:
        """The client listens: send what was held and not shown."""
        if self.state != "loading":
            return
        self.state = "live"
        held, self._held = self._held, []
        for index, news in enumerate(held):
            early = index < self._mark and (news.reservation_sid or news.task_sid)
            if early or (news.about and news.version <= self._seen.get(news.about, -1)):
                continue
            if self._wanted(news):
                self._put(news.text)
        self._seen.clear()

    def close(self, code: int, reason: str) -> None:
        """Close it after what is already on its way."""
        if self.closed is None:
            self.closed = (code, reason)
            self._wake.set()

    def _wanted(self, news: News) -> bool:
        """Whether the client can make sense of it: it throws at what it does not know."""
        if news.needs and not self._missing and news.needs not in self._listed:
            # A new activity or channel: the client learns of it when it connects again and loads its lists.
            self.close(1012, "the workspace has changed: load it again")
            return False
        if news.kind == "reservation.created":
            if news.reservation_sid in self._known:
                return False
            self._known[news.reservation_sid] = news.task_sid
            return True
        if news.reservation_sid:
            if news.reservation_sid not in self._known:
                return False
            if news.kind in ENDED:
                self._forget_later(news.reservation_sid)
            return True
        return not news.task_sid or news.task_sid in self._known.values()

    def _forget_later(self, reservation_sid: str) -> None:
        self._ended.append(reservation_sid)
        if len(self._ended) > REMEMBERED:
            self._known.pop(self._ended.popleft(), None)

    def _put(self, text: str) -> None:
        if len(self._outgoing) >= BACKLOG:
            self.close(1008, "too slow")
            return
        self._outgoing.append(text)
        self._wake.set()

    # --- the socket -----------------------------------------------------------------------------------

    async def run(self, receive: Receive, send: Send) -> None:
        """Serve the accepted socket until either side closes it; never raises for a client that is gone."""
        listening = asyncio.create_task(self._listen(receive))
        try:
            await self._write(send)
        except (OSError, TimeoutError):
            self._gone = True
        finally:
            self.closed = self.closed or (1006, "gone")
            listening.cancel()

    async def _write(self, send: Send) -> None:
        while not self._gone:
            while self._outgoing and not self._gone:
                await self._send(send, {"type": "websocket.send", "text": self._outgoing.popleft()})
            if self.closed is not None:
                if not self._gone:
                    code, reason = self.closed
                    await self._send(send, {"type": "websocket.close", "code": code, "reason": reason})
                return
            self._wake.clear()
            try:
                async with asyncio.timeout(self._heartbeat):
                    await self._wake.wait()
            except TimeoutError:
                self._outgoing.append(" ")

    async def _send(self, send: Send, message: dict[str, Any]) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await send(message)

    async def _listen(self, receive: Receive) -> None:
        """The client never sends anything; what comes is dropped until it closes."""
        while (await receive())["type"] != "websocket.disconnect":
            pass
        self._gone = True
        self._wake.set()
