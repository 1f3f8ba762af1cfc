"""``/features/callback-and-voicemail/…`` (surface.md; callback-voicemail.md §2)."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import Any, Final, Protocol

import aiohttp
import msgspec

from ringback.effects.features import Answered, Step, Warn
from ringback.effects.taskrouter import Announce
from ringback.kernel.clock import Alarm, Clock
from ringback.kernel.errors import Refused
from ringback.kernel.sid import is_sid
from ringback.web.features.api import MEDIA_LIMIT
from ringback.web.features.music import music
from ringback.web.features.request import Asked, check_agent, check_signature, read
from ringback.web.features.running import Runner
from ringback.web.grant import Grant
from ringback.web.routes import Route, Rule
from ringback.web.webhooks.request import IDEMPOTENCY_HEADER

log = logging.getLogger("ringback.features")

ROOT: Final = "/features/callback-and-voicemail/"
CORS: Final = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET,POST,OPTIONS"),
    (b"access-control-allow-headers", b"Content-Type"),
]
Door = Callable[[Any, Mapping[str, str], float], Generator[Step, Any, Answered]]


class Callbacks(Protocol):
    """The pure feature (``callbacks/doors.py``)."""

    @property
    def STUDIO(self) -> Mapping[str, Door]:  # noqa: N802 - a module's constant
        """Signed requests: name → what it does."""

    @property
    def FLEX(self) -> Mapping[str, Door]:  # noqa: N802
        """Requests with an agent's token."""

    @property
    def FINAL(self) -> frozenset[str]:  # noqa: N802
        """Modes of the wait experience whose callers have left the queue."""

    def sweep(self, feature: Any, note: Mapping[str, Any], now: float) -> Generator[Step, Any, str]:
        """Go on with one note; gives what it fails of."""

    def complain(
        self, feature: Any, note: Mapping[str, Any], fault: str, now: float
    ) -> Generator[Step, Any, None]:
        """A note could not be finished: tell the operator when that lasts."""

    def ended(self, feature: Any, event_type: str, task: Mapping[str, Any]) -> Generator[Step, Any, None]:
        """A task has ended."""

    def overdue(self, notes: Mapping[str, Mapping[str, Any]], now: float) -> list[Mapping[str, Any]]:
        """Notes that nobody was free for."""

    def unsettled(
        self, notes: Mapping[str, Mapping[str, Any]], now: float, allowed: int, *, starting: bool = False
    ) -> list[Mapping[str, Any]]:
        """Notes to look at now."""


class CallbackFeature:
    """The ASGI application, and the sweep beside it."""

    def __init__(
        self,
        *,
        doors: Callbacks,
        allowed: Callable[[Any, int, float], Generator[Step, Any, int]],
        feature: Any,
        runner: Runner,
        clock: Clock,
        public_url: str,
        auth_token: str,
        admit: Callable[[str], Awaitable[Grant]],
    ) -> None:
        """``allowed``: how many of the parked callbacks that are due may go now; ``auth_token``: whose signatures
        count; ``admit`` tells what an agent's token allows and raises ``Refused``."""
        self._doors, self._allowed, self._feature, self._runner = doors, allowed, feature, runner
        self._clock, self._public_url, self._auth_token = clock, public_url, auth_token
        self._admit = admit
        self._music: asyncio.Task[bytes] | None = None
        self._alarm: Alarm | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._following: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def unfinished(self) -> int:
        """Notes that are not done: requests that still need something."""
        return sum(1 for note in self._runner.notes.all.values() if note.get("state") != "done")

    def figures(self) -> dict[str, float]:
        """Numbers for ``/metrics``."""
        notes = self._runner.notes.all.values()
        return {
            "callbacks_unfinished": float(self.unfinished),
            "callbacks_stuck": float(sum(1 for note in notes if "warned" in note)),
            "callback_warnings_total": float(self._runner.warned),
        }

    # --- the sweep ----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Read the notes and go on with what the last run left."""
        for name in await asyncio.to_thread(self._runner.notes.load):
            await self._runner.warn(
                Warn(name, "A caller's request cannot be read any more; it is left in its file")
            )
        self._begin(starting=True)

    async def close(self) -> None:
        """Stop sweeping; notes stay."""
        self._closed = True
        if self._alarm is not None:
            self._alarm.cancel()
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.wait([self._sweeping])
        for task in [*self._following, *([self._music] if self._music is not None else [])]:
            await asyncio.wait([task])
        await self._runner.api.close()

    async def sweep(self, *, starting: bool = False) -> None:
        """Look at everything that is unsettled; what lastingly fails is told to the operator."""
        now, notes = self._clock.now(), self._runner.notes.all
        due = sum(one.get("state") == "parked" and one.get("due", 0) <= now for one in notes.values())
        allowed = await self._runner.run(self._allowed(self._feature, due, now)) if due else 0
        for note in self._doors.unsettled(notes, now, allowed, starting=starting):
            await self._settle(note, now)
        for note in self._doors.overdue(notes, now):
            await self._complain(
                note, "its time has come, but no agent of the release queue was free for it", now
            )

    async def _settle(self, note: Mapping[str, Any], now: float) -> None:
        try:
            fault = await self._runner.run(self._doors.sweep(self._feature, note, now))
        except Refused as refusal:
            fault = refusal.message
        except Exception as error:
            log.exception("callback of %s: tried again later", note.get("source") or note.get("call"))
            fault = f"a defect of this server ({type(error).__name__}); see its log"
        if fault:
            log.warning("callback of %s: %s", note.get("source") or note.get("call"), fault)
            await self._complain(note, fault, now)

    async def _complain(self, note: Mapping[str, Any], fault: str, now: float) -> None:
        try:
            await self._runner.run(self._doors.complain(self._feature, note, fault, now))
        except Exception:
            log.exception("callback of %s: nobody could be told", note.get("source") or note.get("call"))

    def _begin(self, *, starting: bool = False) -> None:
        if not self._closed:
            self._sweeping = asyncio.get_running_loop().create_task(self._swept(starting))

    async def _swept(self, starting: bool) -> None:
        hold = self._clock.hold()
        try:
            await self.sweep(starting=starting)
        except Exception:
            log.exception("the sweep of callbacks failed; the next one follows")
        finally:
            if not self._closed:
                at = self._clock.now() + self._feature.options.sweep_seconds
                self._alarm = self._clock.call_at(at, self._begin, pulls=False)
            hold.release()

    def follow(self, effect: Announce) -> None:
        """A listener of what happens in this Ringback's workspaces."""
        task = effect.task
        if effect.event_type == "task.canceled" and task is not None and not self._feature.options.base_url:
            facts = {"sid": task.sid, "reason": task.reason, "attributes": task.attributes}
            work = asyncio.get_running_loop().create_task(self._ended(effect.event_type, facts))
            self._following.add(work)
            work.add_done_callback(self._following.discard)

    async def _ended(self, event_type: str, task: Mapping[str, Any]) -> None:
        hold = self._clock.hold()
        try:
            await self._runner.run(self._doors.ended(self._feature, event_type, task))
        except Exception:
            log.exception("task %s: nobody could be told of its end", task["sid"])
        finally:
            hold.release()

    # --- requests -----------------------------------------------------------------------------------------------

    def routes(self) -> list[Route]:
        """Every door; its group says who may come in."""
        doors = [(f"studio/{name}", Rule.SIGNED) for name in self._doors.STUDIO]
        doors += [(f"flex/{name}", Rule.AGENT) for name in (*self._doors.FLEX, "fetch-voicemail")]
        found = [Route(method, ROOT + door, rule) for door, rule in doors for method in ("GET", "POST")]
        found += [Route(method, ROOT + "assets/wait-music.wav", Rule.OPEN) for method in ("GET", "HEAD")]
        return found + [Route("OPTIONS", ROOT + door, Rule.OPEN) for door, _ in doors]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        path = scope["path"]
        group, _, name = path.removeprefix(ROOT).partition("/") if path.startswith(ROOT) else ("", "", "")
        if scope["method"] == "OPTIONS":
            await _send(send, 204, b"")
        elif group == "assets" and name == "wait-music.wav" and scope["method"] in ("GET", "HEAD"):
            data = await self._asset()
            await _send(send, 200, data, b"audio/wav", [(b"cache-control", b"public, max-age=86400")], scope)
        elif scope["method"] not in ("GET", "POST"):
            await _json(send, 405, {"success": False, "message": "Use GET or POST"})
        elif group == "flex" and name == "fetch-voicemail":
            await self._guarded(send, "fetch-voicemail", self._voicemail(scope, receive, send))
        elif (door := self._door(group, name)) is not None:
            await self._guarded(send, name, self._enter(door, group, name, scope, receive, send))
        else:
            await _json(send, 404, {"success": False, "message": f"There is nothing at {path[:200]}"})

    def _door(self, group: str, name: str) -> Door | None:
        return {"studio": self._doors.STUDIO, "flex": self._doors.FLEX}.get(group, {}).get(name)

    async def _guarded(self, send: Any, name: str, work: Awaitable[None]) -> None:
        try:
            await work
        except Refused as refusal:
            await _json(
                send, refusal.status,
                {"success": False, "message": refusal.message, "twilioErrorCode": refusal.code, "twilioDocPage": ""},
            )  # fmt: skip
        except Exception as error:
            log.exception("%s failed", name)
            await _json(send, 500, {"success": False, "message": f"{type(error).__name__} in {name}"})

    async def _enter(self, door: Door, group: str, name: str, scope: Any, receive: Any, send: Any) -> None:
        asked = await read(scope, receive)
        params = {**asked.params, "path": f"{ROOT.strip('/')}/{group}/{name}"}
        if group == "studio":
            check_signature(asked, self._public_url, self._auth_token)
            params["token"] = asked.headers.get(IDEMPOTENCY_HEADER.lower(), "")
        else:
            params.update(await check_agent(asked, self._admit))
            params.pop("Token", None)
            params.pop("token", None)
        answer = await self._answer(door, name, params)
        if isinstance(answer.body, str):
            await _send(send, answer.status, answer.body.encode(), b"text/xml; charset=utf-8")
        else:
            await _json(send, answer.status, answer.body)

    async def _answer(self, door: Door, name: str, params: dict[str, str]) -> Answered:
        try:
            return await self._runner.run(door(self._feature, params, self._clock.now()))
        except Exception:
            if name != "wait-experience" or params.get("mode") in self._doors.FINAL:
                raise
            log.exception("wait-experience, mode %s: the caller waits on", params.get("mode", "")[:60])
            return await self._runner.run(door(self._feature, {**params, "mode": "error"}, self._clock.now()))

    async def _voicemail(self, scope: Any, receive: Any, send: Any) -> None:
        """``recordingSid`` → ``{type, recording}`` with base64, or the sound itself for ``format=mp3`` (§8)."""
        asked = await read(scope, receive)
        await check_agent(asked, self._admit)
        sid = asked.params.get("recordingSid", "")
        if not sid:
            message = (
                f"({ROOT.strip('/')}/flex/fetch-voicemail) Missing recordingSid: the voicemail's recording"
            )
            await _json(send, 400, {"data": None, "message": message})
            return
        if not is_sid(sid, "RE"):
            raise Refused(20001, "recordingSid is no recording's SID")
        try:
            async with self._runner.api.media(sid) as answer:
                if answer.status != 200:
                    await _json(send, answer.status, {})
                elif _wants_sound(asked):
                    await _stream(send, answer)
                else:
                    await _encoded(send, answer)
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("fetch-voicemail %s: %s", sid, error)
            await _json(send, 502, {})

    async def _asset(self) -> bytes:
        if self._music is None:
            self._music = asyncio.get_running_loop().create_task(asyncio.to_thread(music))
        return await asyncio.shield(self._music)


def _wants_sound(asked: Asked) -> bool:
    return asked.params.get("format") == "mp3" or asked.headers.get("accept", "").startswith("audio/")


async def _encoded(send: Any, answer: aiohttp.ClientResponse) -> None:
    sound = await answer.content.read(-1) if (answer.content_length or 0) <= MEDIA_LIMIT else b""
    if not sound:
        await _json(send, 413, {})
        return
    body = {"type": answer.content_type, "recording": base64.b64encode(sound).decode()}
    await _json(send, 200, body)


async def _stream(send: Any, answer: aiohttp.ClientResponse) -> None:
    headers = [(b"content-type", answer.content_type.encode()), *CORS]
    if answer.content_length is not None:
        headers.append((b"content-length", str(answer.content_length).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    async for piece in answer.content.iter_chunked(64 * 1024):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _json(send: Any, status: int, value: Any) -> None:
    await _send(send, status, b"" if status == 204 else msgspec.json.encode(value))


async def _send(
    send: Any,
    status: int,
    body: bytes,
    kind: bytes = b"application/json",
    more: list[tuple[bytes, bytes]] | None = None,
    scope: Any = None,
) -> None:
    headers = [*CORS, *(more or [])]
    if status != 204:
        headers += [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    empty = scope is not None and scope["method"] == "HEAD"
    await send({"type": "http.response.body", "body": b"" if empty else body})
