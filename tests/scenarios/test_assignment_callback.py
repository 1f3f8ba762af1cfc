"""Journey: the program that should say what to do with a reservation is in trouble, and the debugger says so."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from ringback.resources.api.alert import Alert
from ringback.testing.world import World
from tests.scenarios.test_agents import Office, says, until

ACCEPT = {"instruction": "accept"}


def fails(status: int, content_type: str = "text/plain") -> Any:
    """An answer of no use."""
    return lambda params: web.Response(status=status, text="Sorry", content_type=content_type)


async def alerts(ringback: World) -> list[tuple[int, str]]:
    """Code and URL of every debugger entry, oldest first."""
    found = await ringback.product.store.find(Alert)
    return sorted((each.error_code, (each.request_url or "").rpartition("/")[2]) for each in found)


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (fails(500), says(ACCEPT), [(11200, "first")]),
        (fails(404), says(ACCEPT), [(11200, "first")]),
        (fails(200), says(ACCEPT), [(40000, "first")]),
        (fails(500), fails(503), [(11200, "first"), (11200, "second")]),
        (says(ACCEPT), fails(500), []),
    ],
)
async def test_a_failure_is_told_even_when_the_fallback_helps(
    ringback: World, first: Any, second: Any, told: list[tuple[int, str]]
) -> None:
    office = await Office(ringback).open(
        assignment_callback_url=ringback.app("/first", first),
        fallback_assignment_callback_url=ringback.app("/second", second),
    )
    await office.hire("alice", "+15559990001")
    await office.create("Task", "WT", workflow_sid=office.workflow)
    helped = len(told) < 2
    await until(lambda: ringback.requests("/second") or office.task().assignment_status == "assigned")
    await ringback.settled()
    assert office.task().assignment_status == ("assigned" if helped else "reserved")
    assert await alerts(ringback) == told
