"""``ringback serve``: the process around the product (signals, logging, the ready line)."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from ringback.settings import Settings, SettingsError, load

log = logging.getLogger("ringback")


def main(arguments: Sequence[str]) -> int:
    """Read the arguments and the settings, and run; 2 says that these are wrong."""
    parser = argparse.ArgumentParser("ringback serve", description="Run the server until SIGTERM or Ctrl-C.")
    parser.add_argument("--config", type=Path, help="settings file; default ringback.toml")
    parser.add_argument("--http", help="listen address, host:port")
    parser.add_argument("--sip", help="SIP listeners, or off")
    parser.add_argument("--data-dir", type=Path, help="where everything is kept")
    parser.add_argument("--clock", help="real or virtual")
    flags = vars(parser.parse_args(arguments))
    try:
        settings = load(file=flags.pop("config"), flags=flags)
    except SettingsError as error:
        print(f"ringback: {error}", file=sys.stderr)
        return 2
    return run(settings)


def run(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; gives the exit status."""
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
            return runner.run(_serve(settings))
    except OSError as error:
        log.error("cannot start: %s. `ringback doctor` says what to mend.", error)
        return 1


def _raise_file_limit() -> None:
    """Every call needs a socket or two: take as many descriptors as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else max(soft, 65536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _serve(settings: Settings) -> int:
    from ringback.app import build

    product = await build(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await product.start()
    _spare_the_collector()
    _say_ready(settings, product.account_sid, product.auth_token, product.http_url)
    try:
        await stop.wait()
        log.info("stopping: no new calls; %d live", product.exchange.legs)
    finally:
        await product.stop(drain=settings.session_drain)
    log.info("stopped")
    return 0


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
