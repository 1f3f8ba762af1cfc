"""``ringback serve``: the process around the product (signals, logging, the ready line)."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import math
import os
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from ringback.kernel.errors import Refused
from ringback.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from ringback.app import Ringback

log = logging.getLogger("ringback")


def main(arguments: Sequence[str]) -> int:
    """Read the arguments and the settings, and run; 2 says that these are wrong."""
    parser = argparse.ArgumentParser("ringback serve", description="Run the server until SIGTERM or Ctrl-C.")
    parser.add_argument("--config", type=Path, help="settings file; default ringback.toml")
    parser.add_argument("--http", help="listen address, host:port")
    parser.add_argument("--sip", help="SIP listeners, or off")
    parser.add_argument("--data-dir", type=Path, help="where everything is kept")
    parser.add_argument("--clock", help="real or virtual")
    parser.add_argument(
        "--standby", action="store_true", help="wait until no other process owns the database, then serve"
    )
    flags = vars(parser.parse_args(arguments))
    standby = flags.pop("standby")
    try:
        settings = load(file=flags.pop("config"), flags=flags)
    except SettingsError as error:
        print(f"ringback: {error}", file=sys.stderr)
        return 2
    if standby and settings.store_url.startswith("sqlite:"):
        print("ringback: --standby needs PostgreSQL: a SQLite file has one server", file=sys.stderr)
        return 2
    return run(settings, standby=standby)


def run(settings: Settings, *, standby: bool = False) -> int:
    """Run until SIGTERM or SIGINT; gives the exit status: 1 when it cannot start, or lost the database to another."""
    logging.basicConfig(
        level=os.environ.get("RINGBACK_LOG", "INFO").upper(),
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    for chatty in ("uvicorn", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    _raise_file_limit()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_serve(settings, standby))
    except (OSError, Refused) as error:
        log.error("cannot start: %s. `ringback doctor` says what to mend.", error)
        return 1


def _raise_file_limit() -> None:
    """Every call needs a socket or two: take as many descriptors as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else max(soft, 65536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _serve(settings: Settings, standby: bool) -> int:
    from ringback.app import build
    from ringback.store.writes import OwnershipLost

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    if not standby:
        product: Ringback | None = await build(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if standby:
        product = await _stand_by(settings, stop)
    if product is None:
        return 0
    lost = loop.create_task(product.store.lost())
    try:
        await product.start()
    except OwnershipLost:  # it was said
        return 1
    _spare_the_collector()
    if why := product.not_ready():
        log.error("it runs, but it is not ready: %s. `ringback doctor` says what to mend.", why)
    else:
        _say_ready(settings, product.account_sid, product.auth_token, product.http_url)
    told = loop.create_task(stop.wait())
    await asyncio.wait({told, lost}, return_when=asyncio.FIRST_COMPLETED)
    if lost.done():
        await product.abandon()
        return 1
    log.info("stopping: no new calls; %d live", product.exchange.legs)
    await product.stop(drain=settings.session_drain)
    log.info("stopped")
    return int(lost.done())


async def _stand_by(settings: Settings, stop: asyncio.Event) -> Ringback | None:
    """Wait for the end of the owner and build the product; None: this process is to end before that.

    Meanwhile ``/health`` is well and ``/ready`` says 503 and who owns the database.
    """
    from ringback.app import build
    from ringback.store.engine import Holder
    from ringback.web.server import Front, Server
    from ringback.web.status import Status

    owner = "nobody yet: it cannot be reached"

    def waiting(holder: Holder) -> None:
        nonlocal owner
        if owner != str(holder):
            owner = str(holder)
            log.info("standby: the database is owned by %s", owner)

    async def figures() -> dict[str, float]:
        return {}

    status = Status(ready=lambda: f"standby: owned by {owner}", figures=figures)
    server = Server(Front(status, {}), *settings.http_address)
    server.bind()
    await server.start()
    building = asyncio.create_task(build(settings, patience=math.inf, waiting=waiting))
    told = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({building, told}, return_when=asyncio.FIRST_COMPLETED)
        if not building.done():
            building.cancel()
            await asyncio.wait({building})
            return None
        log.info("standby: taking over")
        return building.result()
    finally:
        told.cancel()
        await server.stop()


def _spare_the_collector() -> None:
    """What lives since the start is not looked at again; the rest in small portions, all of it very seldom.

    A collection stops every call for as long as it takes: 120 ms with larger portions at 200 agents. Calls leave no
    garbage that only a collection would find (``tests/test_garbage.py``), so nothing piles up meanwhile.
    """
    gc.collect()  # first: what is frozen is never freed, and the start leaves garbage of its own
    gc.freeze()  # modules, declarations, routes: they stay, and every full collection would walk through them
    # The young are looked at as often as CPython does by itself: that is short, and not every library is as tidy as a
    # call is. The last number makes full collections, the long ones, rare.
    gc.set_threshold(700, 10, 5_000)


def _say_ready(settings: Settings, account_sid: str, auth_token: str, url: str) -> None:
    number = settings.default_number
    print(
        "\n".join(
            [
                "",
                f"  account SID  {account_sid}",
                f"  auth token   {auth_token}",
                "",
                "  try next:",
                f"    .venv/bin/ringback phone {number or '+1…'}",
                f"    curl -u {account_sid}:{auth_token} {url}/2010-04-01/Accounts/{account_sid}/Calls.json",
                f"    {url}/docs",
                "",
                f"Ringback is ready at {url}",
            ]
        ),
        flush=True,
    )
