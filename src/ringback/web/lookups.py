"""Lookup v2 and v1 (call-outcomes.md §2, §3)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import quote

import msgspec

from ringback.kernel.errors import Refused
from ringback.resources.lookups.line_type_override import LineTypeOverride
from ringback.web.lookup_lines import PACKAGES, LineProvider, LineQuery, package, unavailable
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context

V = TypeVar("V")
_TYPED: Final = {
    "phoneNumbers": "phone_numbers", "phoneNumber": "phone_number", "correlationId": "correlation_id",
    "countryCode": "country_code", "lineType": "line_type",
}  # fmt: skip
FIELDS: Final = frozenset({"validation", *PACKAGES})
BATCH_LIMIT: Final = 100
"""Numbers in one batch."""
_NUMBER_KEYS: Final = (
    "calling_country_code", "country_code", "phone_number", "national_format", "valid", "validation_errors",
)  # fmt: skip
V1_TYPES: Final = ("carrier", "caller-name")
_COUNTRY: Final = re.compile(r"[A-Za-z]{2}\Z")
_BIRTH: Final = re.compile(r"[0-9]{8}\Z")


class Checked(Protocol):
    """What the numbering plan says of a text (``outcomes/numbers.py``)."""

    @property
    def phone_number(self) -> str:
        """E.164, or the text itself when it is not valid."""

    @property
    def valid(self) -> bool:
        """Whether the number may be assigned."""

    @property
    def errors(self) -> tuple[str, ...]:
        """Why it is not valid."""

    @property
    def calling_country_code(self) -> str | None:
        """``1``."""

    @property
    def country_code(self) -> str | None:
        """ISO-2."""

    @property
    def national_format(self) -> str | None:
        """``(415) 992-9960``."""

    @property
    def line_type(self) -> str | None:
        """``mobile`` …"""


class Plan(Protocol):
    """The numbering plans of the world (``outcomes/numbers.py``)."""

    def check(self, text: str, region: str | None = None) -> Checked:
        """Read a number; never raises."""

    def v1_type(self, line_type: str | None) -> str | None:
        """A line type as v1 tells it."""


class Lookups:
    """What the paths of the product ``lookups`` answer (they are in ``web/nouns/lookups``), and the overrides."""

    def __init__(self, plan: Plan, providers: list[LineProvider]) -> None:
        """``providers`` are asked in order; the list may be added to later."""
        self._plan = plan
        self.providers = providers
        self._overrides: dict[tuple[str, str], LineTypeOverride] = {}

    def check(self, text: str) -> Checked:
        """What the numbering plan says of a number."""
        return self._plan.check(text)

    def follow(self, record: LineTypeOverride, *, gone: bool = False) -> None:
        """An override was found at the start, saved or deleted: all of them are in memory too, for speed."""
        key = record.account_sid, record.phone_number
        self._overrides.pop(key, None)
        if not gone:
            self._overrides[key] = record

    def override(self, account_sid: str, number: str) -> LineTypeOverride | None:
        """The account's override of a number (E.164)."""
        return self._overrides.get((account_sid, number))

    async def v2(self, ctx: Context) -> Answer:
        """GET /v2/PhoneNumbers/{PhoneNumber}: always 200 unless a parameter makes no sense (20001)."""
        fields = read_fields(ctx.params.get("Fields", []))
        region = read_region(ctx.params.get("CountryCode", [""])[-1])
        params = {name: values[-1] for name, values in ctx.params.items()}
        if params.get("DateOfBirth") and not _BIRTH.match(params["DateOfBirth"]):
            raise Refused(20001, "Invalid DateOfBirth: must be YYYYMMDD", 400)
        return json_answer(200, await self._body(ctx, ctx.args["PhoneNumber"], region, fields, params))

    async def batch(self, ctx: Context) -> Answer:
        """POST /v2/batch/query: each number on its own; a bad item has a ``twilio_error_code`` and spoils no other."""
        items = spelt(ctx.params).get("phone_numbers")
        if not items or items == [""]:
            raise Refused(20001, "phone_numbers must be an array of objects with a phone_number", 400)
        if len(items) > BATCH_LIMIT:
            raise Refused(20001, f"More than {BATCH_LIMIT} phone_numbers", 400)
        return json_answer(200, {"phone_numbers": [await self._item(ctx, text) for text in items]})

    async def _item(self, ctx: Context, text: str) -> dict[str, Any]:
        correlation = None
        try:
            try:
                item = msgspec.json.decode(text)
            except (msgspec.DecodeError, RecursionError):
                item = None
            if not isinstance(item, dict):
                raise Refused(20001, "The item is not an object", 400)
            item = spelt(item)
            correlation = item.get("correlation_id")
            number, fields = item.get("phone_number"), item.get("fields") or []
            if not isinstance(number, str):
                raise Refused(20001, "phone_number is required", 400)
            listed = [fields] if isinstance(fields, str) else fields
            if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
                raise Refused(20001, "fields must be an array of names", 400)
            region = read_region(str(item.get("country_code") or ""))
            body = await self._body(ctx, number[:1000], region, read_fields(listed), item)
        except Refused as refusal:
            blank = dict.fromkeys((*_NUMBER_KEYS, *PACKAGES, "url"))
            body = {**blank, "code": refusal.code, "message": refusal.message}
        return {"correlation_id": correlation, "twilio_error_code": body.get("code"), **body}

    async def _body(
        self, ctx: Context, text: str, region: str | None, fields: frozenset[str], params: Mapping[str, Any]
    ) -> dict[str, Any]:
        found = self._plan.check(text, region)
        body: dict[str, Any] = {
            "calling_country_code": found.calling_country_code,
            "country_code": found.country_code,
            "phone_number": found.phone_number,
            "national_format": found.national_format,
            "valid": found.valid,
            "validation_errors": found.errors,
            **dict.fromkeys(PACKAGES),
            "url": _url(ctx, "v2", found.phone_number),
        }
        for name in PACKAGES:
            if name in fields:
                body[name] = await self._package(ctx, name, found, params)
        return body

    async def _package(
        self, ctx: Context, name: str, found: Checked, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        if not found.valid:
            return unavailable(name)
        query = LineQuery(
            account_sid=ctx.account.sid,
            phone_number=found.phone_number,
            line_type=found.line_type,
            params=params,
        )
        body = await package(name, query, self.providers)
        if name == "line_type_intelligence":
            override = self.override(ctx.account.sid, found.phone_number)
            if override is not None:
                body |= {"type": override.overridden_line_type, "error_code": None}
        return body

    async def v1(self, ctx: Context) -> Answer:
        """GET /v1/PhoneNumbers/{PhoneNumber}: 404 for an invalid number."""
        types = [one for text in ctx.params.get("Type", []) for one in text.split(",") if one]
        for one in types:
            if one not in V1_TYPES:
                raise Refused(20001, f"Invalid Type: {one[:40]!r} is none of {', '.join(V1_TYPES)}", 400)
        region = read_region(ctx.params.get("CountryCode", [""])[-1])
        found = self._plan.check(ctx.args["PhoneNumber"], region)
        if not found.valid:
            raise Refused(20404, f"The requested resource {ctx.path[:300]} was not found", 404)
        carrier = caller = None
        if "carrier" in types:
            line = await self._package(ctx, "line_type_intelligence", found, {})
            carrier = {
                "mobile_country_code": line["mobile_country_code"],
                "mobile_network_code": line["mobile_network_code"],
                "name": line["carrier_name"],
                "type": self._plan.v1_type(line["type"]),
                "error_code": line["error_code"],
            }
        if "caller-name" in types:
            caller = await self._package(ctx, "caller_name", found, {})
        add_ons: dict[str, Any] | None = None
        if any(ctx.params.get("AddOns", [])):
            text = "No add-ons are installed here"
            add_ons = {"status": "failed", "message": text, "code": None, "results": {}}
        return json_answer(
            200,
            {
                "caller_name": caller,
                "carrier": carrier,
                "country_code": found.country_code,
                "phone_number": found.phone_number,
                "national_format": found.national_format,
                "add_ons": add_ons,
                "url": _url(ctx, "v1", found.phone_number),
            },
        )


def spelt(body: Mapping[str, V]) -> dict[str, V]:
    """A JSON body with its keys as they are documented; the Node client sends those of its types (``phoneNumber``)."""
    return {_TYPED.get(name, name): value for name, value in body.items()}


def read_fields(texts: Sequence[str]) -> frozenset[str]:
    """The packages that are asked for; raises ``Refused`` 20001 for an unknown name."""
    names = {name.strip().lower() for text in texts for name in text.split(",")} - {""}
    for name in sorted(names - FIELDS):
        raise Refused(20001, f"Invalid Fields: {name[:40]!r} is none of {', '.join(sorted(FIELDS))}", 400)
    return frozenset(names)


def read_region(text: str) -> str | None:
    """``CountryCode``: two letters, or nothing; raises ``Refused`` 20001."""
    if text and not _COUNTRY.match(text):
        raise Refused(20001, "Invalid CountryCode: must be two letters (ISO 3166-1)", 400)
    return text.upper() or None


def _url(ctx: Context, version: str, number: str) -> str:
    return f"{ctx.services.settings.public_url}/lookups/{version}/PhoneNumbers/{quote(number, safe='+')}"
