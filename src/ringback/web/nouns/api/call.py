"""Calls: look-ups first, then one event (house.md, "Live nouns"); their events and outcome (voice-calls.md §12)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import parse_qsl

from msgspec import structs

from ringback.effects import Delete
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.resources.api.call import Call
from ringback.store import Unavailable
from ringback.web.nouns import NounRules
from ringback.web.outcomes import TERMINAL, CallOutcomes
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context, Params
from ringback.web.rest.params import first
from ringback.web.rest.render import rfc2822
from ringback.web.rest.rules import Extra


class CallRules(NounRules):
    """The voice core alone edits a call."""

    noun = Call
    audited = frozenset({"delete"})
    tests = True

    @property
    def extras(self) -> Sequence[Extra]:
        """Its log of requests; what became of it, and the notification of a failure."""
        call, get = "/2010-04-01/Accounts/{AccountSid}/Calls/{CallSid}", {"GET": "fetch"}
        outcomes = CallOutcomes(self.ports.notices)
        return [
            Extra(f"{call}/Events", {"GET": "list"}, events),
            Extra(f"{call}/Outcome", get, outcomes.outcome),
            Extra(f"{call}/FailureNotification", get, outcomes.notification),
        ]

    async def create(self, ctx: Context, params: Params) -> Call:
        """POST Calls: a queued call. Raises :class:`Refused` with the first failed check."""
        known = structs.replace(await self.new_call(ctx, params), test=ctx.caller.is_test)
        application_sid = first(params, "ApplicationSid")
        if application_sid:
            application = await self.ports.directory.application(ctx.account.sid, application_sid)
            known = structs.replace(known, application=application)
        sid = self.ports.new_sid("CA")
        call: Call = await self.write(ctx, "create", Lane("call", sid), sid, params, known=known)
        return call

    async def update(self, ctx: Context, params: Params) -> Call:
        """POST Calls/{sid}. A call that is over is given back unchanged, or refused (voice-calls.md §7)."""
        status = first(params, "Status")
        if status not in ("", "canceled", "completed"):
            raise Refused(20001, f"Status {status[:40]!r} is neither canceled nor completed")
        changed: Call | None = await self.write(
            ctx, "update", Lane("call", ctx.record.sid), ctx.record.sid, params
        )
        return await self._ended(ctx, status, changed) if changed is not None else ctx.record

    async def _ended(self, ctx: Context, status: str, call: Call) -> Call:
        """The call once it is over, when the update ends it: at once, or when the far end has confirmed.

        The answer waits for at most half a second: an application that serves one request at a time may be
        asked for its last ``action`` meanwhile.
        """
        ends = status == "completed" or (status == "canceled" and call.status != "in-progress")
        for seconds in (0.0, 0.005, 0.015, 0.03, 0.05, 0.1, 0.3) if ends else ():
            if call.status in TERMINAL:
                break
            await asyncio.sleep(seconds)
            call = await ctx.store.get(Call, call.sid) or call
        if ends and call.status not in TERMINAL and ctx.store.trouble:
            raise Unavailable(f"{ctx.store.trouble}; the call is ended, and its record will say so later")
        return call

    async def delete(self, ctx: Context, params: Params) -> None:
        """DELETE of a call that has ended; a live one is refused with 20009."""
        if ctx.record.status not in TERMINAL:
            raise Refused(20009, "This call cannot be deleted because it is not complete yet")
        await ctx.store.commit([Delete(ctx.record)])


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
