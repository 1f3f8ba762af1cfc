"""Paths that are no stored noun: a recording's audio, a call's events."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

from ringback.kernel.errors import Refused
from ringback.kernel.recording_file import wav_file
from ringback.kernel.sid import is_sid
from ringback.resources.api.recording import Recording
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context
from ringback.web.rest.render import rfc2822


async def media(ctx: Context, suffix: str) -> Answer:
    """``Recordings/{Sid}`` with ``.wav``, ``.mp3`` or nothing: the audio (voice-calls.md §9.2)."""
    sid = ctx.args["Sid"][:2] + ctx.args["Sid"][2:].lower()
    record = await ctx.store.get(Recording, sid, ctx.account.sid) if is_sid(sid, "RE") else None
    settings = ctx.services.settings
    file = wav_file(settings.recordings, sid)
    if record is None or record.deleted_at is not None or not file.is_file():
        raise Refused(20404, f"The requested resource {ctx.path} was not found", 404)
    if record.status in ("in-progress", "paused", "stopped", "processing"):
        raise Refused(20404, f"The recording {sid} is not complete yet", 404)
    if ctx.params.get("RequestedChannels", [""])[-1] == "2" and record.channels == 1:
        raise Refused(16113, "The recording has one channel only", 400)
    if suffix == ".mp3":
        if settings.encode_mp3 is None:
            raise Refused(20503, "This server cannot make MP3 files", 503)
        try:
            file = await asyncio.to_thread(settings.encode_mp3, file)
        except ValueError:
            raise Refused(20404, f"The recording {sid} holds no sound", 404) from None
        return Answer(200, content_type=b"audio/mpeg", file=file)
    return Answer(200, content_type=b"audio/x-wav", file=file)


async def events(ctx: Context) -> Answer:
    """``Calls/{CallSid}/Events``: the requests made for the call, oldest first (voice-calls.md §12)."""
    size = ctx.params.get("PageSize", ["50"])[-1]
    limit = min(max(int(size), 1), 1000) if size.isascii() and size.isdigit() and len(size) < 7 else 50
    page = ctx.params.get("Page", ["0"])[-1]
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 0
    token = ctx.params.get("PageToken", [""])[-1]
    if token and not (token.startswith("PA") and token[2:].isascii() and token[2:].isdigit()):
        raise Refused(21481, "Invalid PageToken", 400)
    after = min(int(token[2:] or 0), 2**62) if token and len(token) < 21 else 0
    found = await ctx.store.requests_of(ctx.args["CallSid"], limit=limit + 1, after=after)
    items = []
    for each in found[:limit]:
        request = each.request
        items.append(
            {
                "request": {
                    "method": request.method,
                    "url": request.url,
                    "parameters": dict(parse_qsl(request.parameters, keep_blank_values=True)),
                },
                "response": {
                    "response_code": request.status,
                    "request_duration": round(request.seconds * 1000),
                    "content_type": request.content_type,
                    "response_body": request.body,
                    "date_created": rfc2822(request.at),
                },
            }
        )
    path = f"/2010-04-01/Accounts/{ctx.account.sid}/Calls/{ctx.args['CallSid']}/Events.json"
    following = None
    if len(found) > limit:
        following = f"{path}?PageSize={limit}&Page={number + 1}&PageToken=PA{found[limit - 1].id}"
    return json_answer(
        200,
        {
            "first_page_uri": f"{path}?PageSize={limit}&Page=0",
            "next_page_uri": following,
            "previous_page_uri": None,
            "uri": f"{path}?PageSize={limit}&Page={number}",
            "page": number,
            "page_size": limit,
            "start": number * limit if items else 0,
            "end": number * limit + len(items) - 1 if items else 0,
            "events": items,
        },
    )
