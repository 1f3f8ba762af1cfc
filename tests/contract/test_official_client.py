"""The official Python client against a real server (rest-conventions.md §11)."""

from __future__ import annotations

import datetime
import time

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException

from ringback.effects import Save
from ringback.resources.api.alert import Alert
from ringback.resources.api.call import Call
from ringback.resources.api.recording import Recording
from ringback.store import LogHttp
from tests.contract.conftest import TEST_SID, TEST_TOKEN, TOKEN, Site


async def refused(site: Site, function: object, *args: object, **kwargs: object) -> tuple[int, int, str]:
    """Status, code and message of a refusal."""
    with pytest.raises(TwilioRestException) as caught:
        await site.do(function, *args, **kwargs)
    return caught.value.status, caught.value.code, caught.value.msg


async def test_applications_from_create_to_delete(site: Site) -> None:
    made = await site.do(
        site.client.applications.create,
        friendly_name="One",
        voice_url="http://127.0.0.1/v",
        voice_method="get",
    )
    assert made.sid.startswith("AP")
    assert (made.friendly_name, made.voice_method, made.sms_url) == ("One", "GET", None)
    fetched = await site.do(site.client.applications(made.sid).fetch)
    assert fetched.date_created == made.date_created
    assert fetched.uri == f"/2010-04-01/Accounts/{site.account.sid}/Applications/{made.sid}.json"
    changed = await site.do(site.client.applications(made.sid).update, voice_url="", friendly_name="Two")
    assert (changed.friendly_name, changed.voice_url, changed.voice_method) == ("Two", None, "GET")
    assert [one.sid for one in await site.do(site.client.applications.list, friendly_name="Two")] == [
        made.sid
    ]
    assert await site.do(site.client.applications.list, friendly_name="One") == []
    assert await site.do(site.client.applications(made.sid).delete) is True
    assert (await refused(site, site.client.applications(made.sid).fetch))[:2] == (404, 20404)


async def test_five_calls_are_three_pages(site: Site) -> None:
    for number in range(5):
        await site.do(site.client.calls.create, to=f"+1555010{number}", from_="+15550100", url="http://h/")
    calls = await site.do(lambda: list(site.client.calls.stream(page_size=2)))
    assert [call.to for call in calls] == [f"+1555010{number}" for number in (4, 3, 2, 1, 0)]
    page = await site.do(site.client.calls.page, page_size=2)
    assert page.next_page_url is not None
    assert f"PageToken=PA{calls[1].sid}" in page.next_page_url
    second = await site.do(page.next_page)
    assert [call.sid for call in second] == [calls[2].sid, calls[3].sid]
    back = await site.do(second.previous_page)
    assert [call.sid for call in back] == [calls[0].sid, calls[1].sid]
    third = await site.do(second.next_page)
    assert third.next_page_url is None


async def test_call_filters_and_statuses(site: Site) -> None:
    day = 86_400 * 20_000
    calls = []
    for number, status in enumerate(("initiated", "queued", "completed")):
        call = Call(
            sid=site.make_sid("CA"),
            account_sid=site.account.sid,
            status=status,
            to=f"+1{number}",
            start_time=float(day + number * 86_400),
            duration=number,
        )
        calls.append(call)
    await site.store.commit([Save(call) for call in calls])
    queued = await site.do(site.client.calls.list, status="queued")
    assert {(call.sid, call.status) for call in queued} == {
        (calls[0].sid, "queued"),
        (calls[1].sid, "queued"),
    }
    later = datetime.date(2024, 10, 5)
    assert later == datetime.datetime.fromtimestamp(day + 86_400, datetime.UTC).date()
    for option, expected in (
        ({"start_time": later}, [1]),
        ({"start_time_after": later}, [2, 1]),
        ({"start_time_before": later}, [0]),
    ):
        found = await site.do(site.client.calls.list, **option)
        assert [call.sid for call in found] == [calls[index].sid for index in expected]
    assert found[0].duration == "0"


async def test_errors_of_the_envelope(site: Site) -> None:
    client = site.client
    wrong = site.client_of(site.account.sid, "0" * 32)
    with pytest.raises(TwilioException, match='"code":20003'):
        await site.do(wrong.calls.list)
    assert (await refused(site, wrong.applications.create))[:2] == (401, 20003)
    stranger = site.client_of(site.account.sid, TOKEN, "AC" + "1" * 32)
    assert (await refused(site, stranger.applications.create))[:2] == (404, 20404)
    status, code, message = await refused(site, client.applications.create, voice_url="ftp://x")
    assert (status, code) == (400, 21402)
    assert message.count("Unable to create record: ") == 1
    assert (await refused(site, client.applications.create, friendly_name="x" * 65))[:2] == (400, 20002)
    assert (await refused(site, client.applications.create, voice_fallback_url="http://h/"))[:2] == (
        400,
        21405,
    )
    with pytest.raises(TwilioException, match='"code":20404'):
        await site.do(client.calls("CA" + "0" * 32).recordings.list)


async def test_numbers(site: Site) -> None:
    client = site.client
    made = await site.do(client.incoming_phone_numbers.create, phone_number="(500) 555-0100")
    assert (made.phone_number, made.friendly_name) == ("+15005550100", "(500) 555-0100")
    assert made.capabilities["voice"] is True
    create = client.incoming_phone_numbers.create
    assert (await refused(site, create, phone_number="+15005550100"))[:2] == (400, 21422)
    assert (await refused(site, create, phone_number="x"))[:2] == (400, 21421)
    assert (await refused(site, create))[:2] == (400, 21421)
    by_area = await site.do(client.incoming_phone_numbers.create, area_code="500")
    assert by_area.phone_number == "+15005550101"
    offered = await site.do(client.available_phone_numbers("US").local.list, limit=2)
    assert offered[0].phone_number == "+15005550102"
    bought = await site.do(client.incoming_phone_numbers.local.create, phone_number=offered[0].phone_number)
    assert bought.sid.startswith("PN")
    application = "AP" + "1" * 32
    trunk = "TK" + "1" * 32
    one = client.incoming_phone_numbers(made.sid)
    assert (await site.do(one.update, voice_application_sid=application)).voice_application_sid == application
    changed = await site.do(one.update, trunk_sid=trunk)
    assert (changed.voice_application_sid, changed.trunk_sid) == (None, trunk)


async def test_caller_ids_keys_and_accounts(site: Site) -> None:
    client = site.client
    asked = await site.do(
        client.validation_requests.create, phone_number="+15551230000", friendly_name="Mine"
    )
    assert (asked.phone_number, asked.friendly_name) == ("+15551230000", "Mine")
    ids = await site.do(client.outgoing_caller_ids.list, phone_number="+15551230000")
    assert len(ids) == 1
    assert (
        await site.do(client.outgoing_caller_ids(ids[0].sid).update, friendly_name="x")
    ).friendly_name == "x"
    key = await site.do(client.new_keys.create, friendly_name="k")
    assert len(key.secret) == 32
    shown = await site.do(client.keys(key.sid).fetch)
    assert not hasattr(shown, "secret")
    by_key = site.client_of(key.sid, key.secret, site.account.sid)
    assert await site.do(by_key.applications.list) == []
    assert (await refused(site, by_key.api.accounts(site.account.sid).update))[:2] == (403, 20003)
    child = await site.do(client.api.accounts.create, friendly_name="child")
    assert child.owner_account_sid == site.account.sid
    below = site.client_of(site.account.sid, TOKEN, child.sid)
    application = await site.do(below.applications.create, friendly_name="in child")
    assert application.account_sid == child.sid
    assert await site.do(client.applications.list) == []
    assert {one.sid for one in await site.do(client.api.accounts.list)} == {site.account.sid, child.sid}
    await site.do(client.api.accounts(child.sid).update, status="suspended")
    own = site.client_of(child.sid, child.auth_token)
    assert (await refused(site, own.applications.create))[:2] == (403, 20005)
    assert await site.do(client.keys(key.sid).delete)
    assert (await refused(site, by_key.applications.create))[:2] == (401, 20003)


async def test_test_credentials(site: Site) -> None:
    test = site.client_of(TEST_SID, TEST_TOKEN)
    assert (await refused(site, test.applications.create))[:2] == (403, 20008)
    assert (await site.do(test.incoming_phone_numbers.create, phone_number="+15005550006")).sid
    assert (await site.store.count(type(site.account))) == 1


async def test_recordings(site: Site) -> None:
    call = Call(sid=site.make_sid("CA"), account_sid=site.account.sid)
    recording = Recording(
        sid=site.make_sid("RE"),
        account_sid=site.account.sid,
        call_sid=call.sid,
        status="completed",
        duration=3,
        date_created=time.time(),
    )
    await site.store.commit([Save(call), Save(recording)])
    (site.recordings / f"{recording.sid}.wav").write_bytes(b"RIFF" + bytes(1000))
    nested = await site.do(site.client.calls(call.sid).recordings.list)
    assert [one.duration for one in nested] == ["3"]
    top = await site.do(site.client.recordings(recording.sid).fetch)
    http = site.client.http_client
    auth = (site.account.sid, TOKEN)
    for suffix in ("", ".wav"):
        answer = await site.do(
            http.session.get, top.media_url + suffix, auth=auth, headers={"Range": "bytes=0-3"}
        )
        assert (answer.status_code, answer.content) == (206, b"RIFF")
    no_encoder = await site.do(http.session.get, top.media_url + ".mp3", auth=auth)
    assert (no_encoder.status_code, no_encoder.json()["code"]) == (503, 20503)
    both = await site.do(http.session.get, top.media_url + "?RequestedChannels=2", auth=auth)
    assert both.json()["code"] == 16113
    assert await site.do(site.client.recordings(recording.sid).delete)
    assert await site.do(site.client.recordings.list) == []
    kept = await site.do(site.client.recordings.list, include_soft_deleted=True)
    assert [one.sid for one in kept] == [recording.sid]
    assert not (site.recordings / f"{recording.sid}.wav").exists()


async def test_alerts_are_notifications_and_events_are_requests(site: Site) -> None:
    call = Call(sid=site.make_sid("CA"), account_sid=site.account.sid)
    alert = Alert(
        sid=site.make_sid("NO"),
        account_sid=site.account.sid,
        log=1,
        error_code=13511,
        message_text="No voice",
        message_date=1_700_000_000.0,
        call_sid=call.sid,
        resource_sid=call.sid,
        request_variables="a=1",
    )
    entry = LogHttp(
        account_sid=site.account.sid,
        resource_sid=call.sid,
        at=1.7e9,
        method="POST",
        url="http://h/",
        parameters="A=1",
        status=200,
        seconds=0.25,
    )
    await site.store.commit([Save(call), Save(alert), entry])
    shown = (await site.do(site.client.monitor.v1.alerts.list, log_level="warning"))[0]
    assert (shown.alert_text, shown.log_level, shown.error_code) == ("No voice", "warning", "13511")
    assert shown.url == f"{site.base}/monitor/v1/Alerts/{alert.sid}"
    assert await site.do(site.client.monitor.v1.alerts.list, log_level="error") == []
    assert (await site.do(site.client.monitor.v1.alerts(alert.sid).fetch)).request_variables == "a=1"
    listed = (await site.do(site.client.calls(call.sid).notifications.list, log=1))[0]
    assert (listed.log, listed.message_text) == ("1", "No voice")
    one = await site.do(site.client.calls(call.sid).notifications(alert.sid).fetch)
    assert one.request_variables == "a=1"
    events = await site.do(site.client.calls(call.sid).events.list)
    assert events[0].request["parameters"] == {"A": "1"}
    assert events[0].response["request_duration"] == 250


async def test_live_operations_go_to_the_handler(site: Site) -> None:
    call = await site.do(site.client.calls.create, to="+15550101", from_="+15550100", url="http://h/")
    assert call.subresource_uris["notifications"].endswith(f"/Calls/{call.sid}/Notifications.json")
    assert (await site.do(site.client.calls(call.sid).update, status="completed")).status == "completed"
    assert (await refused(site, site.client.calls(call.sid).delete))[:2] == (400, 20009)
