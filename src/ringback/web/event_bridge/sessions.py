"""Who is connected: the sockets of every worker, and when each may begin to load (``session.py``)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

from ringback.web.event_bridge.news import News
from ringback.web.event_bridge.session import Session
from ringback.web.grant import Grant

LOADING_SECONDS: Final = 20.0
"""A client that has not loaded its lists by then (its requests time out after 15 s) is sent events anyhow."""
GRACE_SECONDS: Final = 0.25
"""Between the last list's answer and the first event: they travel on different connections."""
SOCKETS_LIMIT: Final = 10
"""Sockets of one worker; one more closes the oldest."""


class Sessions:
    """All sockets. Everything belongs to the event loop's thread."""

    def __init__(self, init: Callable[[Session], str]) -> None:
        """``init`` makes the text of a session's ``init`` message."""
        self._init = init
        self._of: dict[str, list[Session]] = {}
        self._timers: dict[Session, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return sum(len(sessions) for sessions in self._of.values())

    def __bool__(self) -> bool:
        return bool(self._of)

    def all(self) -> list[Session]:
        """Every socket."""
        return [session for sessions in self._of.values() for session in sessions]

    def of(self, worker_sid: str) -> list[Session]:
        """A worker's sockets, oldest first."""
        return list(self._of.get(worker_sid, ()))

    def add(self, session: Session, *, alone: bool) -> None:
        """A new socket; ``alone`` closes the worker's others."""
        sessions = self._of.setdefault(session.grant.worker_sid, [])
        while sessions and (alone or len(sessions) >= SOCKETS_LIMIT):
            reason = "another session asked for it" if alone else "too many sessions"
            sessions[0].close(1000, reason)
            self._take_out(sessions, sessions[0])
        sessions.append(session)
        self._next(session.grant.worker_sid)

    def remove(self, session: Session) -> bool:
        """A socket is gone; True when it was the worker's last."""
        worker_sid = session.grant.worker_sid
        sessions = self._of.get(worker_sid, [])
        if session not in sessions:
            return False
        self._take_out(sessions, session)
        if not sessions:
            del self._of[worker_sid]
            return True
        self._next(worker_sid)
        return False

    def renew(self, grant: Grant) -> None:
        """A worker has shown a token: their sockets live as long as the newest one (``updateToken`` of the SDK)."""
        for session in self._of.get(grant.worker_sid, ()):
            known = session.grant
            if grant.expires > known.expires and grant.workspace_sid == known.workspace_sid:
                session.grant = grant

    def tell(self, workers: Iterable[str], news: News) -> None:
        """Tell the sockets of some workers."""
        for worker_sid in workers:
            for session in self.of(worker_sid):
                session.tell(news)

    def shown(
        self, worker_sid: str, step: str, records: Iterable[Any], *, last: bool = True
    ) -> Session | None:
        """A list (or the worker) goes to a worker's client; gives the session that is loading, if any."""
        session = self._loading(worker_sid)
        if session is not None and session.shown(step, records, last=last):
            self._arm(session, GRACE_SECONDS)
        return session

    # --- who loads --------------------------------------------------------------------------------------

    def _loading(self, worker_sid: str) -> Session | None:
        sessions = self._of.get(worker_sid, ())
        return next((each for each in sessions if each.state == "loading"), None)

    def _next(self, worker_sid: str) -> None:
        """Let the oldest waiting socket load. One at a time: its requests do not say which socket they are of."""
        sessions = self._of.get(worker_sid, ())
        if self._loading(worker_sid) is not None:
            return
        session = next((each for each in sessions if each.state == "waiting"), None)
        if session is not None:
            session.begin(self._init(session))
            self._arm(session, LOADING_SECONDS)

    def _arm(self, session: Session, seconds: float) -> None:
        self._disarm(session)
        loop = asyncio.get_running_loop()
        self._timers[session] = loop.call_later(seconds, self._loaded, session)

    def _loaded(self, session: Session) -> None:
        self._timers.pop(session, None)
        session.listen()
        self._next(session.grant.worker_sid)

    def _disarm(self, session: Session) -> None:
        timer = self._timers.pop(session, None)
        if timer is not None:
            timer.cancel()

    def _take_out(self, sessions: list[Session], session: Session) -> None:
        sessions.remove(session)
        self._disarm(session)
