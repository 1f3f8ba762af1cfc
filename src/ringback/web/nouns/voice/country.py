"""Dialling permissions of countries: what holds in each, bulk updates, prefixes (call-outcomes.md §4.1).

The rights themselves are a table in memory that the voice core asks (``outcomes/permissions.py``); every write is
committed first and told to the table then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

import msgspec

from ringback.effects import Save
from ringback.kernel.errors import Refused
from ringback.resources.voice.country import Country
from ringback.store import Page, Query
from ringback.web.nouns import NounRules
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context
from ringback.web.rest.memory import page_of
from ringback.web.rest.paging import LARGEST_SIZE
from ringback.web.rest.params import read_bool
from ringback.web.rest.rules import Extra

FLAGS: Final = (
    "low_risk_numbers_enabled",
    "high_risk_special_numbers_enabled",
    "high_risk_tollfraud_numbers_enabled",
)
UPDATE_LIMIT: Final = 1000
"""Countries in one bulk update."""
_BASE: Final = "/v1/DialingPermissions"


class CountryRules(NounRules):
    """All countries, with what holds for the account."""

    noun = Country

    @property
    def extras(self) -> Sequence[Extra]:
        """Bulk updates, and a country's special prefixes."""
        prefixes = f"{_BASE}/Countries/{{IsoCode}}/HighRiskSpecialPrefixes"
        return [
            Extra(f"{_BASE}/BulkCountryUpdates", {"POST": "create"}, self.bulk_update),
            Extra(prefixes, {"GET": "list"}, self.special_prefixes),
        ]

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list; ``CountryCode`` (``44`` or ``+44``) is the filter that no field has."""
        records = self.ports.permissions.countries(ctx.account.sid)
        code = ctx.params.get("CountryCode", [""])[-1].strip().lstrip("+")
        if code:
            records = [each for each in records if "+" + code in each.country_codes]
        return page_of(records, query)

    async def fetch(self, ctx: Context, word: str) -> Country | None:
        """The country with that ISO code."""
        return self.ports.permissions.country(ctx.account.sid, word.upper())

    def decorate(self, ctx: Context, record: Country, body: dict[str, Any], *, created: bool) -> None:
        """A country's own address has its ISO code in place of a SID."""
        url = f"{ctx.services.settings.public_url}/voice{_BASE}/Countries/{quote(record.iso_code)}"
        body["url"] = url
        body["links"] = {"highrisk_special_prefixes": f"{url}/HighRiskSpecialPrefixes"}

    async def bulk_update(self, ctx: Context) -> Answer:
        """POST BulkCountryUpdates: all changes or none; 20001 names the first that is wrong."""
        text = ctx.params.get("UpdateRequest", [""])[-1]
        changes = read_changes(text)
        account = ctx.account.sid
        async with ctx.services.locks(f"dialing-permissions {account}"):
            records: dict[str, Country] = {}
            for change in changes:
                iso_code = change["iso_code"]
                record = records.get(iso_code) or self._own(ctx, iso_code)
                for flag in FLAGS:
                    setattr(record, flag, change.get(flag, getattr(record, flag)))
                record.date_updated = ctx.now
                records[iso_code] = record
            writes = [Save(record) for record in records.values()]
            for iso_code, record in records.items():
                held = self.ports.permissions.country(account, iso_code) or record
                was = replace(record, **{flag: getattr(held, flag) for flag in FLAGS})
                writes += self.told(ctx, "update", was, record)
            await ctx.store.commit(writes)
            for record in records.values():
                self.ports.permissions.follow(record)
        return json_answer(201, {"update_count": len(changes), "update_request": text})

    def _own(self, ctx: Context, iso_code: str) -> Country:
        """A copy of the account's record of a country; a new one begins with what holds now."""
        stored = self.ports.permissions.stored(ctx.account.sid, iso_code)
        if stored is not None:
            return stored.copy()
        record = self.ports.permissions.country(ctx.account.sid, iso_code)
        if record is None:
            raise Refused(20001, f"iso_code {iso_code!r} is no country", 400)
        record.sid, record.date_created = ctx.services.settings.make_sid("DC"), ctx.now
        return record

    async def special_prefixes(self, ctx: Context) -> Answer:
        """GET HighRiskSpecialPrefixes: of the numbering plan, and those that the account added."""
        iso_code = ctx.args["IsoCode"].upper()
        if self.ports.permissions.country(ctx.account.sid, iso_code) is None:
            raise Refused(20404, f"The requested resource {ctx.path} was not found", 404)
        found = self.ports.permissions.special_prefixes(ctx.account.sid, iso_code)
        size = min(max(_whole(ctx, "PageSize", 50), 1), LARGEST_SIZE)
        page = _whole(ctx, "Page", 0)
        base = f"{ctx.services.settings.public_url}/voice{_BASE}/Countries/{iso_code}/HighRiskSpecialPrefixes"

        def link(number: int) -> str:
            return f"{base}?PageSize={size}&Page={number}"

        meta = {
            "page": page, "page_size": size, "first_page_url": link(0), "url": link(page), "key": "content",
            "previous_page_url": link(page - 1) if page else None,
            "next_page_url": link(page + 1) if (page + 1) * size < len(found) else None,
        }  # fmt: skip
        items = [{"prefix": prefix} for prefix in found[page * size : (page + 1) * size]]
        return json_answer(200, {"meta": meta, "content": items})


def read_changes(text: str) -> list[dict[str, Any]]:
    """The changes of an ``UpdateRequest``: a JSON array; flags are booleans or their words.

    Raises ``Refused`` 20001 for anything else, unknown keys included (§4.1: only the documented ones).
    """
    if not text:
        raise Refused(20001, "UpdateRequest is required", 400)
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise Refused(20001, "UpdateRequest is not valid JSON", 400) from None
    if not isinstance(value, list) or len(value) > UPDATE_LIMIT:
        raise Refused(20001, f"UpdateRequest must be an array of at most {UPDATE_LIMIT} countries", 400)
    return [_change(index, each) for index, each in enumerate(value)]


def _change(index: int, given: Any) -> dict[str, Any]:
    if not isinstance(given, dict) or not isinstance(given.get("iso_code"), str):
        raise Refused(20001, f"UpdateRequest[{index}] must be an object with an iso_code", 400)
    found: dict[str, Any] = {"iso_code": given["iso_code"][:10].upper()}
    for key, value in given.items():
        if key == "iso_code":
            continue
        if key not in FLAGS:
            raise Refused(20001, f"UpdateRequest[{index}]: {key[:60]!r} is none of {', '.join(FLAGS)}", 400)
        if not isinstance(value, bool | str):
            raise Refused(20001, f"UpdateRequest[{index}]: {key} must be true or false", 400)
        try:
            found[key] = value if isinstance(value, bool) else read_bool(value)
        except ValueError as error:
            raise Refused(20001, f"UpdateRequest[{index}]: {key} {error}", 400) from None
    return found


def _whole(ctx: Context, name: str, default: int) -> int:
    text = ctx.params.get(name, [""])[-1]
    if text == "":
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise Refused(20001, f"Invalid {name}: must be a whole number", 400)
    return int(text)
