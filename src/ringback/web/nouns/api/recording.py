"""Recordings: live ones change by events; their sound; what is left of removed ones (voice-calls.md §9.2)."""

from __future__ import annotations

import asyncio
from typing import Any

from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.kernel.recording_file import remove_sound, wav_file
from ringback.kernel.sid import is_sid
from ringback.resources.api.recording import Recording
from ringback.store import Condition
from ringback.web.nouns import NounRules
from ringback.web.nouns.ports import Ports
from ringback.web.rest.answer import Answer
from ringback.web.rest.context import Context, Params
from ringback.web.rest.rules import normal


class RecordingRules(NounRules):
    """``Recordings/{Sid}`` without ``.json`` is the sound."""

    noun = Recording
    media = ("", ".wav", ".mp3")

    def __init__(self, ports: Ports) -> None:
        super().__init__(ports)
        self.open_media = not ports.recording_auth

    async def fetch(self, ctx: Context, word: str) -> Any:
        """``Twilio.CURRENT`` is the running recording of the call."""
        call = ctx.args.get("CallSid")
        if word != "Twilio.CURRENT" or not call:
            return await super().fetch(ctx, word)
        running = await ctx.store.find(
            Recording, call_sid=call, status=("in-progress", "paused"), account_sid=ctx.account.sid
        )
        return running[0] if running else None

    def visible(self, ctx: Context, record: Any) -> bool:
        """Removed ones are not."""
        return record.deleted_at is None

    def only(self, ctx: Context) -> list[Condition]:
        """Nor in lists, unless they are asked for."""
        soft = ctx.params.get("IncludeSoftDeleted", [""])[-1].lower() == "true"
        return [] if soft else [Condition("deleted_at", "=", None)]

    def decorate(self, ctx: Context, record: Any, body: dict[str, Any], *, created: bool) -> None:
        """Where the sound is."""
        if "CallSid" not in ctx.args:
            base = ctx.services.settings.public_url
            body["media_url"] = f"{base}/2010-04-01/Accounts/{record.account_sid}/Recordings/{record.sid}"

    async def sound(self, ctx: Context, suffix: str) -> Answer:
        """``Recordings/{Sid}`` with ``.wav``, ``.mp3`` or nothing: the audio (voice-calls.md §9.2)."""
        sid = normal(ctx.args["Sid"])
        record = await ctx.store.get(Recording, sid, ctx.account.sid) if is_sid(sid, "RE") else None
        file = wav_file(self.ports.recordings, sid)
        if record is None or record.deleted_at is not None or not file.is_file():
            raise Refused(20404, f"The requested resource {ctx.path} was not found", 404)
        if record.status in ("in-progress", "paused", "stopped", "processing"):
            raise Refused(20404, f"The recording {sid} is not complete yet", 404)
        if ctx.params.get("RequestedChannels", [""])[-1] == "2" and record.channels == 1:
            raise Refused(16113, "The recording has one channel only", 400)
        if suffix == ".mp3":
            if self.ports.encode_mp3 is None:
                raise Refused(20503, "This server cannot make MP3 files", 503)
            try:
                file = await asyncio.to_thread(self.ports.encode_mp3, file)
            except ValueError:
                raise Refused(20404, f"The recording {sid} holds no sound", 404) from None
            return Answer(200, content_type=b"audio/mpeg", file=file)
        return Answer(200, content_type=b"audio/x-wav", file=file)

    async def create(self, ctx: Context, params: Params) -> Any:
        """POST Calls/{sid}/Recordings."""
        return await self.write(
            ctx, "create", Lane("call", ctx.args["CallSid"]), self.ports.new_sid("RE"), params
        )

    async def update(self, ctx: Context, params: Params) -> Any:
        """POST Calls/{sid}/Recordings/{sid or Twilio.CURRENT}."""
        return await self.write(ctx, "update", Lane("call", ctx.args["CallSid"]), ctx.record.sid, params)

    async def delete(self, ctx: Context, params: Params) -> None:
        """Remove the audio now; the metadata stays for 40 days (voice-calls.md §9.2)."""
        sid = ctx.record.sid
        await self.write(ctx, "delete", Lane("recording", sid), sid, params)
        remove_sound(self.ports.recordings, sid)
