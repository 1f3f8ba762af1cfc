"""Carries a feature's generator out, step by step; two that concern the same source never overlap."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeVar

from ringback.effects.features import Ask, Recall, Remember, Step, Wait, Warn
from ringback.web.features.api import Api
from ringback.web.features.notes import Notes

log = logging.getLogger("ringback.features")

T = TypeVar("T")


class Runner:
    """The outside of a feature: the API, the notes, and a lock for each note that somebody works with."""

    def __init__(self, api: Api, notes: Notes, tell: Callable[[Warn], Awaitable[None]]) -> None:
        """``tell`` makes an entry in the debugger's log."""
        self.api, self.notes, self._tell = api, notes, tell
        self.warned = 0
        """Warnings since the start."""
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: dict[str, int] = {}

    async def run(self, steps: Generator[Step, Any, T]) -> T:
        """To the end; a note that is recalled belongs to this run until then. Raises what the generator raises."""
        held: list[str] = []
        answer: Any = None
        try:
            while True:
                try:
                    step = steps.send(answer)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                answer = await self._carry_out(step, held)
        finally:
            steps.close()
            for key in reversed(held):
                self._free(key)

    async def _carry_out(self, step: Step, held: list[str]) -> Any:
        if isinstance(step, Ask):
            return await self.api.request(step)
        if isinstance(step, Recall):
            if step.key not in held:
                await self._take(step.key)
                held.append(step.key)
            return self.notes.get(step.key)
        if isinstance(step, Remember):
            return await self.notes.put(step.key, step.value)
        if isinstance(step, Warn):
            return await self.warn(step)
        assert isinstance(step, Wait)
        return await asyncio.sleep(step.seconds)

    async def warn(self, step: Warn) -> None:
        """Tell the operator."""
        self.warned += 1
        log.error("%s: %s", step.subject, step.text)
        await self._tell(step)

    async def _take(self, key: str) -> None:
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._users[key] = self._users.get(key, 0) + 1
        try:
            await lock.acquire()
        except asyncio.CancelledError:
            self._leave(key)
            raise

    def _free(self, key: str) -> None:
        self._locks[key].release()
        self._leave(key)

    def _leave(self, key: str) -> None:
        self._users[key] -= 1
        if not self._users[key]:
            del self._users[key], self._locks[key]
