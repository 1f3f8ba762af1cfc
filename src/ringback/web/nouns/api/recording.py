"""Recordings: live ones change by events; their sound; what is left of removed ones (voice-calls.md §9.2)."""

from __future__ import annotations

import asyncio
from typing import Any

from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.kernel.recording_file import remove_sound, wav_file
from ringback.kernel.resource import snake
from ringback.kernel.sid import is_sid
from ringback.resources.api.recording import Recording
from ringback.sharing.seats import Full, Seats
from ringback.store import Condition
from ringback.web.nouns import NounRules
from ringback.web.nouns.ports import Ports
from ringback.web.rest.answer import Answer
from ringback.web.rest.context import Context, Params
from ringback.web.rest.rules import normal

ENCODINGS = 2
"""Recordings that become MP3 at a time; one account alone never has the last."""


class RecordingRules(NounRules):
    """``Recordings/{Sid}`` without ``.json`` is the sound."""

    noun = Recording
    audited = frozenset({"delete"})
    media = ("", ".wav", ".mp3")

    def __init__(self, ports: Ports) -> None:
        super().__init__(ports)
        self.open_media = not ports.recording_auth
        self._encoding = Seats(ENCODINGS, reserve=1, longest=100)

    async def fetch(self, ctx: Context, word: str) -> Any:
        """``Twilio.CURRENT`` is the running recording of the call or conference."""
        owner: dict[str, Any] = {
            snake(name): ctx.args[name] for name in ("CallSid", "ConferenceSid") if name in ctx.args
        }
        if word != "Twilio.CURRENT" or not owner:
            return await super().fetch(ctx, word)
        running = await ctx.store.find(
            Recording, status=("in-progress", "paused"), account_sid=ctx.account.sid, **owner
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
                async with self._encoding.of(record.account_sid):
                    file = await asyncio.to_thread(self.ports.encode_mp3, file)
            except Full as full:
                raise Refused(20429, f"Too many recordings are being encoded: {full}", 429) from None
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
        """POST Calls/{sid}/Recordings/{sid or Twilio.CURRENT}; the same of a conference.

        A dialled leg's recording belongs to the call that has dialled it (§9.2), and is made where the leg is.
        """
        conference = ctx.args.get("ConferenceSid")
        leg = ctx.record.leg_sid or ctx.args.get("CallSid", "")
        lane = Lane("call", leg) if conference is None else Lane("conference", conference)
        return await self.write(ctx, "update", lane, ctx.record.sid, params)

    async def delete(self, ctx: Context, params: Params) -> None:
        """Remove the audio now; the metadata stays for 40 days (voice-calls.md §9.2)."""
        sid = ctx.record.sid
        await self.write(ctx, "delete", Lane("recording", sid), sid, params)
        remove_sound(self.ports.recordings, sid)
