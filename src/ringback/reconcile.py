"""``ringback reconcile``: asks the running server for a round; without one, works on the database itself."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import os
import random
import time
import uuid
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from ringback.command_line import ConfigOption, refuse, settings_of
from ringback.events import Event
from ringback.firstrun import Credentials, credentials
from ringback.kernel.sid import SidMaker
from ringback.outcomes import cdr
from ringback.outcomes.reconcile import Limits, examine
from ringback.runtime.real_clock import RealClock
from ringback.runtime.reconciler import Reconciler, Report
from ringback.settings import Settings
from ringback.store.store import Store
from ringback.store.writes import OwnershipLost
from ringback.voice.board import VoiceSettings
from ringback.voice.switchboard import Switchboard

WAIT = 600.0
"""Seconds that a round of the server may take."""


class RefusedByServer(Exception):
    """Something answers at the server's address and does not do as asked."""


class Nobody:
    """The carriers when no server runs: they have no legs."""

    def sids(self) -> list[str]:
        """No calls."""
        return []

    def knows(self, call_sid: str) -> bool:
        """Never."""
        return False

    def probe(self, call_sid: str) -> bool:
        """Nobody can be asked."""
        return False


class Offline:
    """The reconciler on a database that no server has open. What it owes to applications goes out at the next start."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._store = store
        new_sid = SidMaker(time.time, random.SystemRandom().getrandbits)
        self._voice = Switchboard(
            VoiceSettings(public_url=settings.base_url, queue_timeout=settings.queue_timeout),
            new_sid,
            lambda: str(uuid.uuid4()),
        )
        self.reconciler = Reconciler(
            store=store,
            clock=RealClock(),
            ask=self._ask,
            examine=partial(examine, limits=Limits(grace=0.0, queue=settings.queue_timeout), running=False),
            session=lambda call_sid: None,
            carriers=Nobody(),
            hang_up=lambda call_sid: None,
            resend=lambda: 0,
            every=0.0,
        )

    async def _ask(self, event: Event) -> Any:
        from ringback.effects import Answer
        from ringback.events.outcomes import CallDoubted, TrunkRecordFound

        assert isinstance(event, CallDoubted | TrunkRecordFound)
        prepared = await (
            self.reconciler.prepare(event)
            if isinstance(event, CallDoubted)
            else self.reconciler.prepare_record(event)
        )
        effects = self._voice.handle(prepared, time.time())
        await self._store.commit([each for each in effects if each.committed])
        return next((each.value for each in effects if isinstance(each, Answer)), None)


async def offline(settings: Settings, since: float, records: Path | None) -> Report:
    """One round (or one import) on the database. Raises ``cdr.BadFile``, ``OSError``, or the database's error."""
    store = await Store.open(settings.store_url, patience=1.0)  # a server at another address may own it
    try:
        reconciler = Offline(settings, store.hurried()).reconciler
        if records is None:
            return await reconciler.run(since)
        with records.open(encoding="utf-8", newline="") as file:
            return await reconciler.records(cdr.read(file))
    finally:
        await store.close()


def online(
    settings: Settings, known: Credentials, since: float, records: Path | None
) -> dict[str, Any] | None:
    """The running server's report; None: no server runs. Raises :class:`RefusedByServer`, or ``OSError``."""
    host, port = settings.http_address
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    secret = base64.b64encode(f"{known.account_sid}:{known.auth_token}".encode()).decode()
    path = "/reconcile" if records is None else "/reconcile/records"
    if since and records is None:
        path += f"?since={since:.6f}"
    connection = http.client.HTTPConnection(host, port, timeout=WAIT)
    try:
        try:
            connection.connect()
        except OSError:
            return None
        connection.request(
            "POST",
            path,
            b"" if records is None else records.read_bytes(),
            {"Authorization": f"Basic {secret}", "Content-Type": "text/csv"},
        )
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        if answer.status != 200:
            raise RefusedByServer(f"the server at {settings.http} refused: {answer.status} {text[:500]}")
        found: dict[str, Any] = json.loads(text)
        return found
    finally:
        connection.close()


def command(
    since: Annotated[
        str, typer.Option(help="Only calls created since then: 2026-11-21T08:00:00Z, or Unix seconds.")
    ] = "",
    records: Annotated[
        Path | None, typer.Option(help="Import a trunk's call detail records (CSV) in place of a round.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    config: ConfigOption = None,
) -> None:
    """End the calls that would never end, send lost final callbacks once more, and say what was repaired.

    Works through the running server; when none runs, on the database (its callbacks go out at the next start).
    Leaves with status 1 when something could not be repaired or read.
    """
    settings = settings_of(config)
    try:
        moment = cdr.seconds(since) if since else 0.0
    except ValueError:
        refuse(f"--since {since!r} is no time: write 2026-11-21T08:00:00Z, or Unix seconds")
    if records is not None and not (records.is_file() and os.access(records, os.R_OK)):
        what = "is no file that can be read" if records.exists() else "does not exist"
        refuse(f"--records {records} {what}: write the path of a CSV file")
    try:
        report = online(settings, credentials(settings), moment, records)
        where = "the running server"
        if report is None:
            where = "the database; no server runs"
            report = asyncio.run(offline(settings, moment, records)).to_json()
    except cdr.BadFile as error:
        refuse(f"--records {records}: {error}")
    except UnicodeDecodeError:
        refuse(f"--records {records}: the file is not UTF-8")
    except (RefusedByServer, OSError, ValueError, http.client.HTTPException, OwnershipLost) as error:
        refuse(error)
    typer.echo(json.dumps(report, indent=2) if as_json else told(report, where))
    if report["bad"]:
        raise typer.Exit(1)


def told(report: dict[str, Any], where: str) -> str:
    """The report for people: one line of counts, one line a repair."""
    counts = ", ".join(f"{number} {name}" for name, number in sorted(report["counts"].items())) or "nothing"
    lines = [
        f"Reconciled through {where}: {report['checked']} looked at in {report['seconds']:.1f} s, "
        f"{report['repaired']} repaired ({counts}), {report['resent']} callbacks sent once more, "
        f"{report['probed']} far ends asked"
    ]
    lines += [
        f"  {each['call_sid']}  {each['finding']:9} -> {each['status']:9}  {each['text']}"
        for each in report["repairs"]
    ]
    if report["left_out"]:
        lines.append(f"  … and {report['left_out']} more")
    if report["unknown"]:
        lines.append(f"  {report['unknown']} records are about no call that could be corrected")
    lines += [f"  problem: {each}" for each in report["complaints"]]
    return "\n".join(lines)
