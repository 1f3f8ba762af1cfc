"""SIP through a network that loses, repeats and reorders datagrams; and a call on PostgreSQL."""

from __future__ import annotations

import asyncio
import subprocess
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from benchmarks.scenario import hang_up

from tests.e2e.site import Site, until
from tests.e2e.web import Web
from tests.sip_peers import LossyProxy

pytestmark = pytest.mark.alone  # 100 calls, of which two in a hundred packets are lost

SHORT = "<Response><Say>One.</Say></Response>"
CALLS = 100
StartCrowd = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def lossy() -> Iterator[Callable[[int], LossyProxy]]:
    """Gives `start(port)`; the proxy runs on a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    running: list[LossyProxy] = []

    def start(port: int) -> LossyProxy:
        proxy = LossyProxy(("127.0.0.1", port), loss=0.02, duplicate=0.02, reorder=0.02, seed=7)
        asyncio.run_coroutine_threadsafe(proxy.start(), loop).result(5)
        running.append(proxy)
        return proxy

    async def close() -> None:
        for proxy in running:
            proxy.stop()
        await asyncio.sleep(0)

    yield start
    asyncio.run_coroutine_threadsafe(close(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


@pytest.mark.parametrize("caller_ends", [False, True], ids=["we hang up", "the caller hangs up"])
def test_a_lossy_network_sets_up_once_and_ends_once(
    caller_ends: bool, site: Site, web: Web, tmp_path: Path, lossy: Callable[[int], LossyProxy],
    start_crowd: StartCrowd,
) -> None:  # fmt: skip
    """100 calls at 2 % loss, 2 % duplicates, 2 % reordered: 100 documents, 100 calls, 100 ends."""
    asked: Counter[str] = Counter()

    def document(facts: dict[str, str]) -> str:
        asked[facts["CallSid"]] += 1
        return "<Response><Say>One.</Say><Pause length='60'/></Response>" if caller_ends else SHORT

    web.documents["/voice"] = document
    site.number("+15550101", f"{web.url}/voice", status_callback=f"{web.url}/status")
    proxy = lossy(site.sip_port)
    rest = {"rest": hang_up(500)} if caller_ends else {}
    callers = start_crowd(number="+15550101", port=proxy.port, calls=CALLS, rate=50, **rest)
    status = callers.wait(60)
    calls = until(lambda: _done(site), 40, "all calls are completed")
    assert len(calls) == CALLS
    until(lambda: len(web.callbacks) >= CALLS, 10, "the callbacks came")
    told = Counter(one["CallSid"] for one in web.callbacks)
    assert told == Counter(dict.fromkeys(calls, 1))
    assert all(one["CallStatus"] == "completed" for one in web.callbacks)
    assert asked == told
    assert proxy.dropped > 0
    assert proxy.duplicated > 0
    assert proxy.reordered > 0
    if not caller_ends:
        assert status == 0, (tmp_path / "crowd0" / "errors.log").read_text()[-2000:]


def _done(site: Site) -> list[str]:
    calls = site.client.calls.list(page_size=1000)
    return [str(call.sid) for call in calls] if all(call.status == "completed" for call in calls) else []


async def _create(server: str, name: str) -> None:
    admin = await asyncpg.connect(server)
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    finally:
        await admin.close()


def test_a_call_on_postgresql(
    start_site: Callable[..., Site], web: Web, postgresql_server: str, start_crowd: StartCrowd
) -> None:
    """The same product on the other database, across a restart."""
    name = f"e2e{uuid.uuid4().hex}"
    asyncio.run(_create(postgresql_server, name))
    head, _, query = postgresql_server.partition("?")
    site = start_site(database_url=f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else ""))
    web.documents["/voice"] = SHORT
    site.number("+15550101", f"{web.url}/voice", status_callback=f"{web.url}/status")
    callers = start_crowd(number="+15550101", port=site.sip_port, calls=3, rate=10)
    assert callers.wait(30) == 0
    sids = until(lambda: _done(site), 10, "they are completed")
    until(lambda: len(web.callbacks) == 3, 5, "the callbacks came")
    assert site.terminate() == 0
    assert not (site.folder / "var" / "ringback.db").exists()
    site.start()
    assert sorted(_done(site)) == sorted(sids)
