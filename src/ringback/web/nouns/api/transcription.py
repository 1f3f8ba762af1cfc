"""Transcriptions: removal is an event of their own lane, so that none rises again from a late report."""

from __future__ import annotations

from ringback.kernel.lane import Lane
from ringback.resources.api.transcription import Transcription
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context, Params


class TranscriptionRules(NounRules):
    """Read and removed, no more."""

    noun = Transcription

    async def delete(self, ctx: Context, params: Params) -> None:
        """DELETE Transcriptions/{sid}; raises :class:`Refused` (20009) for one in progress."""
        await self.write(ctx, "delete", Lane("transcription", ctx.record.sid), ctx.record.sid, params)
