"""The retry handler's table (callback-voicemail.md §3, §9 no. 7-10)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ringback.web.features.retry import Failed, Retries, with_retries


def failing(*failures: Failed | Exception) -> Callable[[], Awaitable[Any]]:
    """An operation that fails so often, then gives 42."""
    left = list(failures)

    async def operation() -> int:
        if left:
            raise left.pop(0)
        return 42

    return operation


@pytest.mark.parametrize(
    ("failures", "success", "status", "waits"),
    [
        ([], True, 200, 0),
        ([Failed(429)] * 3, True, 200, 3),
        ([Failed(412)] * 2, True, 200, 0),
        ([Failed(503)] * 7, False, 503, 5),
        ([Failed(500, error="ECONNRESET")], True, 200, 1),
        ([Failed(500, error="ETIMEDOUT")], True, 200, 1),
        ([Failed(400, code=20001, message="no")], False, 400, 0),
        ([Failed(500)], False, 500, 0),
        ([ValueError("bug")], False, 500, 0),
    ],
    ids=["fine", "429", "412", "503", "reset", "timeout", "400", "500", "bug"],
)
async def test_the_table(failures: list[Any], success: bool, status: int, waits: int) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    result = await with_retries(failing(*failures), Retries(sleep=sleep))
    assert (result.success, result.status, len(slept)) == (success, status, waits)
    assert all(0.1 <= each <= 0.3 for each in slept)
    assert result.tries == min(len(failures), 5 if waits else len(failures)) + (
        1 if success else (1 if waits else 0)
    )
    body = result.body()
    assert body["success"] is success
    assert (body.get("data") == 42) == success
    if status == 400:
        assert (body["twilioErrorCode"], body["message"]) == (20001, "no")


async def test_without_a_limit_nothing_is_repeated() -> None:
    assert (await with_retries(failing(Failed(429)), Retries(0))).status == 429


async def test_jitter_is_drawn_for_each() -> None:
    drawn: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        drawn.append((low, high))
        return low

    async def sleep(seconds: float) -> None:
        assert seconds == 0.02

    await with_retries(failing(Failed(429), Failed(429)), Retries(5, 20, 40, sleep, uniform))
    assert drawn == [(20, 40), (20, 40)]
