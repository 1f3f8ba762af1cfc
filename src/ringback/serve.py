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
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import uvloop

from ringback import data_dir
from ringback.edges.transcription.engine import INSTALL, missing
from ringback.kernel.errors import Refused
from ringback.settings import Settings, SettingsError, load, unknown_variables

if TYPE_CHECKING:
    from ringback.app import Ringback

log = logging.getLogger("ringback")


class Unclear(Exception):
    """The arguments are wrong, or ask for help: the command line of ``cli.py`` says it as for every command."""


class _Arguments(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Unclear(message)


def main(arguments: Sequence[str]) -> int:
    """Read the arguments and the settings, and run; 2 says that these are wrong. Raises :class:`Unclear`.

    The options are those of ``cli.serve``; reading them here starts the server without what reads them there.
    """
    parser = _Arguments("ringback serve", add_help=False, allow_abbrev=False)
    for name in ("--config", "--data-dir"):
        parser.add_argument(name, type=Path)
    for name in ("--http", "--sip", "--clock"):
        parser.add_argument(name)
    parser.add_argument("--standby", action="store_true")
    return with_flags(**vars(parser.parse_args(arguments)))


def with_flags(*, config: Path | None, standby: bool, **flags: Any) -> int:
    """Run with the settings that the flags are part of; gives the exit status."""
    try:
        settings = load(file=config, flags=flags)
    except SettingsError as error:
        print(f"ringback: {error}", file=sys.stderr)
        return 2
    if standby and settings.store_url.startswith("sqlite:"):
        print("ringback: --standby needs PostgreSQL: a SQLite file has one server", file=sys.stderr)
        return 2
    return run(settings, standby=standby, given={"config": config, **flags})


def run(settings: Settings, *, standby: bool = False, given: Mapping[str, Any] | None = None) -> int:
    """Run until SIGTERM or SIGINT; gives the exit status: 1 when it cannot start, or lost the database to another.

    ``given``: the flags of the command, which other commands must be told as well.
    """
    logging.basicConfig(
        level=settings.log,
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    for chatty in ("uvicorn", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    os.umask(0o077)  # recordings, caches, database: of this process's user alone, also in its workers
    for line in (*unknown_variables(), *settings.warnings):
        log.warning("%s", line)
    wanted = settings.transcription == "whisper" and settings.transcription_workers
    if wanted and missing(settings.transcription_engine):
        log.info("transcription is not installed, requests for it fail: %s", INSTALL)
    wrong = data_dir.trouble(settings.data_dir)
    if wrong is not None:
        log.error("cannot start: RINGBACK_DATA_DIR=%s: %s; %s", settings.data_dir, wrong.text, wrong.mend)
        return 1
    _raise_file_limit()
    ready = _Ready(settings, given or {})
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_serve(settings, standby, ready))
    except SettingsError as error:
        log.error("cannot start: %s", error)
        return 2
    except Refused as error:
        log.error("cannot start: %s. `ringback doctor` says what to mend.", error)
        return 1
    except OSError as error:
        # one without a number has our own words, which say what to do
        more = "" if error.errno is None else ". `ringback doctor` says what to mend"
        log.error("cannot start: %s%s", error, more)
        return 1


def _raise_file_limit() -> None:
    """Every call needs a socket or two: take as many descriptors as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else max(soft, 65536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _serve(settings: Settings, standby: bool, ready: _Ready) -> int:
    from ringback.app import build
    from ringback.store.writes import OwnershipLost

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    product = await (_stand_by(settings, stop) if standby else _unless(stop, build(settings)))
    if product is None:
        log.info("stopped before it was ready")
        return 0
    lost = loop.create_task(product.store.lost())
    try:
        await product.start()
    except OwnershipLost:  # it was said
        return 1
    except OSError:
        await product.store.close()  # the next start need not wait for it
        raise
    _spare_the_collector()
    if why := product.not_ready():
        log.error("it runs, but it is not ready: %s. `ringback doctor` says what to mend.", why)
    else:
        ready.say(product.account_sid, product.auth_token, product.http_url)
    told = loop.create_task(stop.wait())
    await asyncio.wait({told, lost}, return_when=asyncio.FIRST_COMPLETED)
    if lost.done():
        await product.abandon()
        return 1
    log.info("stopping: no new calls; %d live", product.exchange.legs)
    await product.stop(drain=settings.session_drain)
    log.info("stopped")
    return int(lost.done())


async def _unless(stop: asyncio.Event, building: Coroutine[Any, Any, Ringback]) -> Ringback | None:
    """What is built; None: it was to end before that."""
    made = asyncio.ensure_future(building)
    told = asyncio.ensure_future(stop.wait())
    await asyncio.wait({made, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if not made.done():
        made.cancel()
        await asyncio.wait({made})
        if made.cancelled() or isinstance(made.exception(), OSError):  # a child of ours got the same signal
            return None
    if stop.is_set() and made.exception() is None:
        await made.result().store.close()
        return None
    return made.result()


async def _stand_by(settings: Settings, stop: asyncio.Event) -> Ringback | None:
    """Wait for the end of the owner and build the product; None: this process is to end before that.

    Meanwhile ``/health`` is well and ``/ready`` says 503 and who owns the database.
    """
    from ringback.app import build
    from ringback.front import http_limits
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
    server = Server(Front(status, {}), *settings.http_address, http_limits(settings))
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


class _Ready:
    """What is printed when it is ready. The auth token is told at the first start alone: output ends in logs."""

    def __init__(self, settings: Settings, given: Mapping[str, Any]) -> None:
        """Made before anything is, so that it knows whether this is the first start."""
        self._number = settings.default_number or "+1…"
        self._kept = settings.data_dir / "credentials.json"
        self._first = not self._kept.exists() and not settings.auth_token
        places = {f"--{name.replace('_', '-')}": given.get(name) for name in ("config", "data_dir")}
        self._flags = "".join(f" {name} {value}" for name, value in places.items() if value)
        self._moved = bool(given.get("http"))

    def say(self, account_sid: str, auth_token: str, url: str) -> None:
        """Print it."""
        program = _program()
        phone = f"{program} phone {self._number}{self._flags}" + (f" --url {url}" if self._moved else "")
        both = f'"$({program} credentials{self._flags})"'
        if self._first:
            both = f"{account_sid}:{auth_token}"
        print(
            "\n".join(
                [
                    "",
                    f"  account SID  {account_sid}",
                    f"  auth token   {auth_token}" if self._first else f"  auth token   in {self._kept}",
                    "",
                    "  try next:",
                    f"    {phone}",
                    f"    curl -u {both} {url}/2010-04-01/Accounts/{account_sid}/Calls.json",
                    f"    {url}/docs",
                    "",
                    f"Ringback is ready at {url}",
                ]
            ),
            flush=True,
        )


def _program() -> str:
    """How this command is called, for the next lines that somebody types."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return "python -m ringback"
    return os.path.relpath(called) if called.is_relative_to(Path.cwd()) else str(called)
