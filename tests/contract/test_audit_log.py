"""The audit log: what was changed over REST and by whom (``AuditEvent``; ``monitor.v1.events``)."""

from __future__ import annotations

import json

from ringback.effects import Save
from ringback.resources.api.recording import Recording
from tests.contract.conftest import TEST_SID, TEST_TOKEN, TOKEN, Site
from tests.contract.test_official_client import refused


async def test_a_number_from_its_purchase_to_its_release(site: Site) -> None:
    client, events = site.client, site.client.monitor.v1.events
    number = await site.do(
        client.incoming_phone_numbers.create, phone_number="+15005550107", friendly_name="One"
    )
    await site.do(
        client.incoming_phone_numbers(number.sid).update, friendly_name="Two", voice_url="http://h.test/v"
    )
    await site.do(client.incoming_phone_numbers(number.sid).update, friendly_name="Two")  # changes nothing
    await refused(site, client.incoming_phone_numbers(number.sid).update, voice_url="ftp://x")
    await site.do(client.incoming_phone_numbers(number.sid).delete)
    found = await site.do(events.list, resource_sid=number.sid)
    assert [one.event_type for one in found] == [
        "phone-number.deleted",
        "phone-number.updated",
        "phone-number.created",
    ]
    changed = found[1]
    assert changed.event_data == {
        "resource_properties": {
            "friendly_name": {"previous": "One", "updated": "Two"},
            "voice_url": {"previous": None, "updated": "http://h.test/v"},
        }
    }
    assert (changed.resource_type, changed.source, changed.source_ip_address) == (
        "phone-number",
        "api",
        "127.0.0.1",
    )
    assert (changed.actor_sid, changed.actor_type, changed.account_sid) == (
        site.account.sid,
        "account",
        site.account.sid,
    )
    assert changed.sid.startswith("AE")
    assert changed.links["resource"].endswith(f"/IncomingPhoneNumbers/{number.sid}.json")
    one = await site.do(events(changed.sid).fetch)
    assert (one.event_data, one.event_date) == (changed.event_data, changed.event_date)
    assert (await refused(site, events("AE" + "0" * 32).fetch))[:2] == (404, 20404)


async def test_who_it_was_and_filters(site: Site) -> None:
    client = site.client
    key = await site.do(client.new_keys.create, friendly_name="k")
    by_key = site.client_of(key.sid, key.secret, site.account.sid)
    application = await site.do(by_key.applications.create, friendly_name="by key")
    events = client.monitor.v1.events
    (found,) = await site.do(events.list, actor_sid=key.sid)
    assert (found.event_type, found.actor_type, found.resource_sid) == (
        "application.created", "api-key", application.sid,
    )  # fmt: skip
    (made,) = await site.do(events.list, event_type="api-key.created")
    assert (made.resource_sid, made.actor_sid) == (key.sid, site.account.sid)
    assert key.secret not in json.dumps(made.event_data)
    assert len(await site.do(events.list, source_ip_address="127.0.0.1")) == 2
    assert await site.do(events.list, source_ip_address="10.0.0.1") == []
    assert len(await site.do(events.list, start_date=found.event_date, end_date=found.event_date)) >= 1
    assert await site.do(events.list, end_date="2020-01-01") == []


async def test_accounts_keep_their_own_log_and_their_secrets(site: Site) -> None:
    client = site.client
    child = await site.do(client.api.accounts.create, friendly_name="child")
    own = site.client_of(child.sid, child.auth_token)
    await site.do(own.applications.create, friendly_name="a")
    assert [one.event_type for one in await site.do(own.monitor.v1.events.list)] == ["application.created"]
    (made,) = await site.do(client.monitor.v1.events.list)
    assert (made.event_type, made.resource_sid) == ("account.created", child.sid)
    assert child.auth_token not in json.dumps(made.event_data)
    test = site.client_of(TEST_SID, TEST_TOKEN)
    await site.do(test.incoming_phone_numbers.create, phone_number="+15005550006")
    assert len(await site.do(client.monitor.v1.events.list)) == 1


async def test_security_settings(site: Site) -> None:
    change = [
        {"iso_code": "GB", "low_risk_numbers_enabled": False},
        {"iso_code": "FR", "low_risk_numbers_enabled": True},
    ]
    bulk = site.client.voice.v1.dialing_permissions.bulk_country_updates
    await site.do(bulk.create, update_request=json.dumps(change))
    (found,) = await site.do(site.client.monitor.v1.events.list)  # France was open before
    assert (found.event_type, found.event_data) == (
        "country.updated",
        {"resource_properties": {"low_risk_numbers_enabled": {"previous": True, "updated": False}}},
    )
    assert found.links["resource"].endswith("/voice/v1/DialingPermissions/BulkCountryUpdates")


async def test_live_nouns_are_told_of_too(site: Site) -> None:
    recording = Recording(
        sid=site.make_sid("RE"), account_sid=site.account.sid, status="completed", duration=3
    )
    await site.store.commit([Save(recording)])
    await site.do(site.client.recordings(recording.sid).delete)
    (found,) = await site.do(site.client.monitor.v1.events.list)
    assert (found.event_type, found.resource_sid) == ("recording.deleted", recording.sid)
    assert TOKEN not in json.dumps(found.event_data)
