"""Overrides of a line type: GET, POST, PUT and DELETE (call-outcomes.md §2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ringback.effects import Delete, Save
from ringback.kernel.errors import Refused
from ringback.kernel.resource import Record
from ringback.resources.lookups.line_type_override import LINE_TYPES, LineTypeOverride
from ringback.store import Conflict
from ringback.web.lookups import spelt
from ringback.web.nouns import NounRules
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context
from ringback.web.rest.render import iso8601
from ringback.web.rest.rules import Extra

FIELDS: Final = ("line_type", "line_type_intelligence")
REASON_LIMIT: Final = 1000
"""Characters."""


class LineTypeOverrideRules(NounRules):
    """All overrides are in memory too, for speed (``web/lookups.py``); the paths of look-ups are here as well."""

    noun = LineTypeOverride

    @property
    def extras(self) -> Sequence[Extra]:
        """Every path of the product."""
        number, lookups = "PhoneNumbers/{PhoneNumber}", self.ports.lookups
        every = {"GET": "fetch", "POST": "create", "PUT": "update", "DELETE": "delete"}
        return [
            Extra(f"/v2/{number}", {"GET": "fetch"}, lookups.v2),
            Extra(f"/v1/{number}", {"GET": "fetch"}, lookups.v1),
            Extra("/v2/batch/query", {"POST": "query"}, lookups.batch),
            Extra(f"/v2/{number}/Overrides/{{Field}}", every, self.serve),
        ]

    async def serve(self, ctx: Context) -> Answer:
        """One request. Raises ``Refused``: 20404, 20409 (POST of one that exists), 20001."""
        checked = self.ports.lookups.check(ctx.args["PhoneNumber"])
        if ctx.args["Field"] not in FIELDS or not checked.valid:
            raise self._not_found(ctx)
        number = str(checked.phone_number)
        async with ctx.services.locks(f"override {ctx.account.sid} {number}"):
            stored = self.ports.lookups.override(ctx.account.sid, number)
            if ctx.method == "POST":
                if stored is not None:
                    raise Refused(20409, f"{number} has an override; change it with PUT", 409)
                stored = LineTypeOverride(
                    sid=ctx.services.settings.make_sid("LO"),
                    account_sid=ctx.account.sid,
                    phone_number=number,
                    original_line_type=checked.line_type,
                    date_created=ctx.now,
                )
                return await self._write(ctx, stored, 201)
            if stored is None:
                raise self._not_found(ctx)
            if ctx.method == "PUT":
                return await self._write(ctx, stored.copy(), 200)
            if ctx.method == "DELETE":
                await ctx.store.commit([Delete(stored), *self.told(ctx, "delete", stored, None)])
                self.ports.lookups.follow(stored, gone=True)
                return Answer(204)
            return json_answer(200, _shown(stored))

    async def _write(self, ctx: Context, record: LineTypeOverride, status: int) -> Answer:
        params = spelt(ctx.params)
        line_type = params.get("line_type", [""])[-1]
        reason = params.get("reason", [""])[-1]
        if line_type not in LINE_TYPES:
            raise Refused(20001, f"Invalid line_type: must be one of {', '.join(LINE_TYPES)}", 400)
        if len(reason) > REASON_LIMIT:
            raise Refused(20001, f"Invalid reason: is longer than {REASON_LIMIT} characters", 400)
        record.overridden_line_type, record.override_reason = line_type, reason or None
        record.date_updated = ctx.now
        try:
            before = self.ports.lookups.override(record.account_sid, record.phone_number)
            told = self.told(ctx, "create" if before is None else "update", before, record)
            await ctx.store.commit([Save(record), *told])
        except Conflict:
            raise Refused(20409, f"{record.phone_number} has an override; change it with PUT", 409) from None
        self.ports.lookups.follow(record)
        return json_answer(status, _shown(record))

    def _not_found(self, ctx: Context) -> Refused:
        return Refused(20404, f"The requested resource {ctx.path[:300]} was not found", 404)


def _shown(record: Record) -> dict[str, Any]:
    place = record.__noun__.places[0]
    assert place.show is not None
    body = {key: getattr(record, name) for key, name in place.show.items()}
    body["override_timestamp"] = iso8601(record.date_updated)
    return body
