"""Lookup and dialling permissions through the official Python client (call-outcomes.md §2, §3, §4.1)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from ringback.testing.world import World

NUMBER = "+447400123456"


async def test_lookup_v2(ringback: World) -> None:
    lookups = ringback.client.lookups.v2
    found = await asyncio.to_thread(
        lookups.phone_numbers("+14159929960").fetch, fields="line_type_intelligence,line_status"
    )
    assert (found.valid, found.phone_number, found.country_code) == (True, "+14159929960", "US")
    assert (found.national_format, found.validation_errors) == ("(415) 992-9960", [])
    assert found.line_type_intelligence["type"] == "unknown"
    assert found.line_status["status"] == "unknown"
    assert found.caller_name is None
    national = await asyncio.to_thread(lookups.phone_numbers("020 7946 0018").fetch, country_code="GB")
    assert national.phone_number == "+442079460018"
    bad = await asyncio.to_thread(lookups.phone_numbers("+141599299600").fetch)
    assert (bad.valid, bad.validation_errors) == (False, ["TOO_LONG"])


async def test_lookup_v1(ringback: World) -> None:
    lookups = ringback.client.lookups.v1
    found = await asyncio.to_thread(lookups.phone_numbers(NUMBER).fetch, type=["carrier", "caller-name"])
    assert found.carrier["type"] == "mobile"
    assert found.caller_name["error_code"] == 60600
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(lookups.phone_numbers("+141599299600").fetch)
    assert (caught.value.status, caught.value.code) == (404, 20404)


async def test_overrides_and_batch(ringback: World) -> None:
    from twilio.rest.lookups.v2.lookup_override import LookupOverrideInstance
    from twilio.rest.lookups.v2.query import QueryList

    context = ringback.client.lookups.v2.lookup_overrides(field="line_type", phone_number=NUMBER)
    wanted = LookupOverrideInstance.OverridesRequest({"line_type": "landline", "reason": "r"})
    made = await asyncio.to_thread(context.create, overrides_request=wanted)
    assert (made.original_line_type, made.overridden_line_type) == ("mobile", "landline")
    assert (await asyncio.to_thread(context.fetch)).override_reason == "r"
    changed = LookupOverrideInstance.OverridesRequest({"line_type": "voicemail", "reason": "s"})
    assert (
        await asyncio.to_thread(context.update, overrides_request=changed)
    ).overridden_line_type == "voicemail"
    items = [{"correlation_id": "1", "phone_number": NUMBER, "fields": ["line_type_intelligence"]}]
    request = QueryList.LookupRequest({"phone_numbers": items})
    batch: Any = await asyncio.to_thread(ringback.client.lookups.v2.query.create, lookup_request=request)
    assert batch.phone_numbers[0]["line_type_intelligence"]["type"] == "voicemail"
    assert await asyncio.to_thread(context.delete) is True


async def test_dialing_permissions(ringback: World) -> None:
    permissions = ringback.client.voice.v1.dialing_permissions
    every = await asyncio.to_thread(permissions.countries.list)
    assert len({one.iso_code for one in every}) == 246  # over several pages
    uk = await asyncio.to_thread(permissions.countries("GB").fetch)
    assert (uk.name, uk.country_codes, uk.low_risk_numbers_enabled) == ("United Kingdom", ["+44"], True)
    text = json.dumps([{"iso_code": "GB", "low_risk_numbers_enabled": "false"}])
    made = await asyncio.to_thread(permissions.bulk_country_updates.create, update_request=text)
    assert (made.update_count, made.update_request) == (1, text)
    off = await asyncio.to_thread(permissions.countries.list, low_risk_numbers_enabled=False)
    assert [one.iso_code for one in off] == ["GB"]
    prefixes = await asyncio.to_thread(permissions.countries("GB").highrisk_special_prefixes.list)
    assert "+4490" in [one.prefix for one in prefixes]
    settings = await asyncio.to_thread(permissions.settings().fetch)
    assert settings.dialing_permissions_inheritance is False
    await asyncio.to_thread(permissions.settings().update, dialing_permissions_inheritance=False)
    await ringback.number("+15550123", voice="/none")
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(
            ringback.client.calls.create, to="+442079460018", from_="+15550123", twiml="<Response/>"
        )
    assert caught.value.code == 21215
