"""The retry handler of API calls (callback-voicemail.md §3): a small library of its own.

An operation is tried again when that is safe and of use; the result is told, never raised.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

AT_ONCE: Final = frozenset({412})
"""Another writer was first: the operation reads anew and tries again without delay."""
LATER: Final = frozenset({429, 503})
BROKEN: Final = frozenset({"ECONNRESET", "ETIMEDOUT"})


class Failed(Exception):
    """An operation's failure, as the handler understands it."""

    def __init__(
        self, status: int = 500, message: str = "", *, code: int | None = None, doc_page: str = "", error: str = ""
    ) -> None:  # fmt: skip
        """``status``: of HTTP; ``code``: the API's; ``error``: of the connection, such as ECONNRESET."""
        super().__init__(message or error)
        self.status, self.message, self.code = status, message or error, code
        self.doc_page, self.error = doc_page, error


@dataclass(frozen=True, slots=True)
class Retries:
    """How often, and how long between."""

    limit: int = 5
    """Repetitions: at most ``limit`` + 1 tries. 0: none."""
    min_backoff: float = 100.0
    """Milliseconds; the delay is drawn evenly from here to ``max_backoff``."""
    max_backoff: float = 300.0
    sleep: Callable[[float], Awaitable[object]] = field(default=asyncio.sleep)
    """Waits, in seconds."""
    uniform: Callable[[float, float], float] = field(default=random.uniform)

    def delay(self, failure: Failed) -> float | None:
        """Seconds until the next try; None: it is not tried again."""
        if failure.error in BROKEN or failure.status in LATER:
            return self.uniform(self.min_backoff, self.max_backoff) / 1000
        return 0.0 if failure.status in AT_ONCE else None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an operation."""

    success: bool
    status: int
    data: Any = None
    message: str = ""
    code: int | None = None
    doc_page: str = ""
    error: str = ""
    tries: int = 1

    def body(self) -> dict[str, Any]:
        """As the functions answer it."""
        if self.success:
            return {"success": True, "data": self.data, "status": self.status}
        return {
            "success": False, "message": self.message, "status": self.status, "twilioErrorCode": self.code,
            "twilioDocPage": self.doc_page,
        }  # fmt: skip


async def with_retries(operation: Callable[[], Awaitable[Any]], retries: Retries) -> Result:
    """Carry an operation out; it raises :class:`Failed`, or anything else (status 500, not tried again)."""
    tries = 0
    while True:
        tries += 1
        try:
            return Result(True, 200, await operation(), tries=tries)
        except Failed as failed:
            failure = failed
        except Exception as error:  # noqa: BLE001 - the handler never raises (§3); what it was is told
            failure = Failed(500, f"{type(error).__name__}: {error}")
        delay = retries.delay(failure) if tries <= retries.limit else None
        if delay is None:
            return Result(
                False,
                failure.status,
                None,
                failure.message,
                failure.code,
                failure.doc_page,
                failure.error,
                tries,
            )
        if delay:
            await retries.sleep(delay)
