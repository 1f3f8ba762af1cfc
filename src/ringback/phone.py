"""``ringback phone``: a simulated customer in the terminal, through ``/sim/v1`` of a running server."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
from typing import Annotated, Any

import aiohttp
import typer

from ringback.command_line import ConfigOption, DataDirOption, refuse, settings_of, warn
from ringback.credentials import NoCredentials, kept

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
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Call a number as a simulated customer: digits are pressed, text is said, /hangup ends."""
    settings = settings_of(config, data_dir)
    try:
        known = kept(settings)
        status = asyncio.run(_Call(number, from_, (url or settings.base_url_here).rstrip("/"), known).run())
    except (PhoneError, NoCredentials) as error:
        refuse(error, 1)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    raise typer.Exit(0 if status == "completed" else 1)


class _Call:
    """One call, and what of it was shown."""

    def __init__(self, number: str, from_: str, url: str, known: tuple[str, str]) -> None:
        self._number, self._from, self._url = number, from_, url
        self._account, self._authorization = known[0], aiohttp.encode_basic_auth(*known)
        self._heard = 0
        self._answered = False
        self._parties: list[str] = []

    async def run(self) -> str:
        """Call, show, take what is typed; gives how the call ended. Raises :class:`PhoneError`."""
        timeout = aiohttp.ClientTimeout(total=30)
        headers = {"Authorization": self._authorization}
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
            calls = f"{self._url}/sim/v1/Calls"
            sid = (await _ask(session, "POST", calls, {"from": self._from, "to": self._number}))["sid"]
            typer.echo(f"calling {self._number} … ({sid}); digits are pressed, text is said, /hangup ends")
            lines: asyncio.Queue[str] = asyncio.Queue()
            _read_lines(asyncio.get_running_loop(), lines)
            while True:
                call = await _ask(session, "GET", f"{calls}/{sid}")
                self._show(call)
                if call["status"] not in ("queued", "ringing", "in-progress"):
                    why = "" if self._answered else await self._why(session)
                    typer.echo(f"the call is over: {call['status']}{why}")
                    return str(call["status"])
                await self._type(session, f"{calls}/{sid}", lines)

    def _show(self, call: dict[str, Any]) -> None:
        """Print what is new: what was heard, that it was picked up, and who the caller talks to."""
        events = [(one["at"], one["kind"], one["text"]) for one in call["heard"][self._heard :]]
        self._heard = len(call["heard"])
        now = call["seconds"]
        ringing = sum(kind == "ringback" for _, kind, _ in events)  # these come first
        if call["status"] == "in-progress" and not self._answered:
            self._answered = True
            at = events[ringing][0] if len(events) > ringing else now
            events.insert(ringing, (at, "answered", f"by {self._number}"))
        parties = call["talking_to"]
        events += [
            (now, "joined", f"you are talking to {one}") for one in parties if one not in self._parties
        ]
        events += [(now, "left", f"{one} is gone") for one in self._parties if one not in parties]
        self._parties = parties
        for at, kind, text in events:
            typer.echo(f"{at:8.2f}  {kind:<9} {text}".rstrip())

    async def _type(self, session: aiohttp.ClientSession, url: str, lines: asyncio.Queue[str]) -> None:
        """Do what was typed, or wait a moment."""
        typed = [lines.get_nowait() for _ in range(lines.qsize())]
        steps = [step for line in typed if (step := step_of(line)) is not None]
        if not steps:
            await asyncio.sleep(POLL_SECONDS)
            return
        try:
            await _ask(session, "POST", url, {"script": steps})
        except PhoneError as error:
            warn(error)

    async def _why(self, session: aiohttp.ClientSession) -> str:
        """Whether the call ended because nobody here has that number, and which ones there are."""
        url = f"{self._url}/2010-04-01/Accounts/{self._account}/IncomingPhoneNumbers.json?PageSize=1000"
        listed = (await _ask(session, "GET", url))["incoming_phone_numbers"]
        ours = [str(one["phone_number"]) for one in listed]
        if self._number in ours:
            return ""
        shown = ", ".join(ours[:5]) + (" …" if len(ours) > 5 else "")
        return f". {self._number} is no number of this Ringback; {f'there are {shown}' if ours else 'it has none'}"


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
