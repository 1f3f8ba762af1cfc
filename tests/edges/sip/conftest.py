"""Endpoints that are stopped at the end of the test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from tests.sip_peers import Recorder, endpoint

from ringback.edges.sip.endpoint import SipEndpoint

Start = Callable[..., Awaitable[SipEndpoint]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """`await start(handler, "udp", …)` gives a running endpoint."""
    running: list[SipEndpoint] = []

    async def run(handler: Recorder, *transports: str, **more: Any) -> SipEndpoint:
        agent = endpoint(handler, *transports, **more)
        await agent.start()
        running.append(agent)
        return agent

    yield run
    for agent in running:
        await agent.stop()
