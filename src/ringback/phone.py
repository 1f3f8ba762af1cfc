"""``ringback phone``: a simulated customer in the terminal, through ``/sim/v1`` of a running server."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import threading
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import typer

from ringback.settings import SettingsError, load

POLL_SECONDS = 0.25
_KEYS = re.compile(r"[0-9*#A-DwW]+\Z")


class PhoneError(Exception):
    """Something that the person at the terminal must know; the message is the whole text."""


def step_of(line: str) -> dict[str, Any] | None:
    """A typed line as a script step: digits are pressed, ``/hangup`` ends, the rest is said. None: empty."""
    line = line.strip()
    if not line:
        return None
    if line in ("/hangup", "/quit"):
        return {"hangup": True}
    return {"press": line} if _KEYS.match(line) else {"say": line[:4096]}


def phone(
    number: Annotated[str, typer.Argument(help="The number to call.")],
    from_: Annotated[str, typer.Option("--from", help="The caller's number.")] = "+15551230001",
    url: Annotated[
        str | None, typer.Option(help="Where Ringback runs; default: as the settings say.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where credentials.json is.")] = None,
) -> None:
    """Call a number as a simulated customer: digits are pressed, text is said, /hangup ends."""
    try:
        settings = load()
        where = (url or settings.base_url).rstrip("/")
        status = asyncio.run(_call(number, from_, where, _credentials(data_dir or settings.data_dir)))
    except (PhoneError, SettingsError) as error:
        typer.secho(f"ringback phone: {error}", fg="red", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    raise typer.Exit(0 if status == "completed" else 1)


def _credentials(data_dir: Path) -> str:
    sid, token = os.environ.get("RINGBACK_ACCOUNT_SID"), os.environ.get("RINGBACK_AUTH_TOKEN")
    path = data_dir / "credentials.json"
    if not (sid and token):
        try:
            known = json.loads(path.read_text("utf-8"))
            sid, token = known["account_sid"], known["auth_token"]
        except (OSError, ValueError, KeyError, TypeError):
            raise PhoneError(
                f"no credentials in {path}: start the server once, or set RINGBACK_ACCOUNT_SID and"
                " RINGBACK_AUTH_TOKEN"
            ) from None
    return aiohttp.encode_basic_auth(str(sid), str(token))


async def _call(number: str, from_: str, url: str, authorization: str) -> str:
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(headers={"Authorization": authorization}, timeout=timeout) as session:
        calls = f"{url}/sim/v1/Calls"
        sid = (await _ask(session, "POST", calls, {"from": from_, "to": number}))["sid"]
        typer.echo(f"calling {number} … ({sid}); digits are pressed, text is said, /hangup ends")
        lines: asyncio.Queue[str] = asyncio.Queue()
        _read_lines(asyncio.get_running_loop(), lines)
        shown = 0
        while True:
            call = await _ask(session, "GET", f"{calls}/{sid}")
            for heard in call["heard"][shown:]:
                typer.echo(f"{heard['at']:8.2f}  {heard['kind']:<9} {heard['text']}")
            shown = len(call["heard"])
            if call["status"] not in ("queued", "ringing", "in-progress"):
                typer.echo(f"the call is over: {call['status']}")
                return str(call["status"])
            steps = []
            while not lines.empty():
                step = step_of(lines.get_nowait())
                if step is not None:
                    steps.append(step)
            if steps:
                try:
                    await _ask(session, "POST", f"{calls}/{sid}", {"script": steps})
                except PhoneError as error:
                    typer.secho(str(error), fg="yellow", err=True)
            else:
                await asyncio.sleep(POLL_SECONDS)


def _read_lines(loop: asyncio.AbstractEventLoop, lines: asyncio.Queue[str]) -> None:
    """Feed typed or piped lines in from a thread that ends with the process."""

    def read() -> None:
        for line in sys.stdin:
            if loop.is_closed():
                return
            loop.call_soon_threadsafe(lines.put_nowait, line)

    threading.Thread(target=read, daemon=True).start()


async def _ask(session: aiohttp.ClientSession, method: str, url: str, body: Any = None) -> Any:
    try:
        async with session.request(method, url, json=body) as answer:
            text = await answer.text()
            if answer.status == 401:
                raise PhoneError("the server does not accept these credentials")
            try:
                shown = json.loads(text)
            except ValueError:
                raise PhoneError(f"{url} answered {answer.status}, and not as Ringback does") from None
            if answer.status >= 300:
                raise PhoneError(f"{shown.get('message', text)} ({answer.status})")
            return shown
    except (aiohttp.ClientError, TimeoutError) as error:
        raise PhoneError(f"no answer from {url}: {error}. Is the server running?") from None
