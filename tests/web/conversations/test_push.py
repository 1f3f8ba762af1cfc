"""Credentials and bindings of push notifications: accepted, listed, removed (conversations.md §1)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringback.effects import Save
from ringback.resources.conversations.binding import Binding
from ringback.resources.conversations.credential import Credential
from ringback.resources.monitor.audit_event import AuditEvent
from tests.web.conversations.site import AC, OTHER, Site, make_sid

SECRET = "hunter2-hunter2"
GOOD: dict[str, dict[str, Any]] = {
    "apn": {"Type": "apn", "Certificate": SECRET, "PrivateKey": SECRET, "Sandbox": "true"},
    "gcm": {"Type": "gcm", "ApiKey": SECRET},
    "fcm": {"Type": "fcm", "Secret": SECRET},
}


@pytest.mark.parametrize("kind", list(GOOD))
async def test_secrets_go_in_and_never_come_out(site: Site, kind: str) -> None:
    status, made = await site("POST", "/Credentials", FriendlyName="Phones", **GOOD[kind])
    assert (status, made["type"], made["sandbox"]) == (201, kind, "True" if kind == "apn" else None)
    assert set(made) == {
        "sid", "account_sid", "friendly_name", "type", "sandbox", "date_created", "date_updated", "url"
    }  # fmt: skip
    one = f"/Credentials/{made['sid']}"
    answers = [
        made,
        await site("GET", one),
        await site("POST", one, FriendlyName="x"),
        await site("GET", "/Credentials"),
    ]
    log = await site.store.find(AuditEvent)
    assert SECRET not in json.dumps(answers) + repr([each.event_data for each in log])
    stored = await site.store.get(Credential, made["sid"])
    assert stored is not None
    assert SECRET in (stored.certificate, stored.api_key, stored.secret)
    assert (await site("GET", one, OTHER))[0] == 404
    assert (await site("DELETE", one))[0] == 204


@pytest.mark.parametrize(
    "form",
    [
        {}, {"Type": "apn"}, {"Type": "apn", "Certificate": "x"}, {"Type": "gcm", "Secret": "x"}, {"Type": "fcm"},
        {"Type": "sms", "Secret": "x"}, {"Type": "fcm", "Secret": "x" * 20_000}, {"Type": "fcm", "Secret": ""},
        {"Type": "fcm", "Secret": "x", "FriendlyName": "x" * 65}, {"Type": "fcm", "Secret": "x", "Sandbox": "no"},
    ],
)  # fmt: skip
async def test_bad_credentials(site: Site, form: dict[str, str]) -> None:
    status, body = await site("POST", "/Credentials", **form)
    assert (status, body["code"]) == (400, 20001)


async def test_a_credential_keeps_its_type(site: Site) -> None:
    _, made = await site("POST", "/Credentials", **GOOD["fcm"])
    assert (await site("POST", f"/Credentials/{made['sid']}", Type="fcm", Secret="new"))[0] == 200
    assert (await site("POST", f"/Credentials/{made['sid']}", Type="apn"))[0] == 400


async def test_devices_are_listed_by_type_and_identity_and_removed(site: Site) -> None:
    service = await site.service()
    _, made = await site("POST", "/Credentials", **GOOD["fcm"])
    devices = [
        Binding(
            sid=make_sid("BS"), account_sid=AC, chat_service_sid=service, credential_sid=made["sid"], endpoint=f"d{n}",
            identity=identity, binding_type=kind, message_types=["new_message"], device=f"{identity}|d{n}|{kind}",
        )
        for n, (identity, kind) in enumerate([("bob", "fcm"), ("bob", "apn"), ("eve", "fcm"), ("ann", "fcm")])
    ]  # fmt: skip
    await site.store.commit([Save(one) for one in devices])
    path = f"/Services/{service}/Bindings"

    async def ends(**form: Any) -> list[str]:
        return sorted(one["endpoint"] for one in (await site("GET", path, **form))[1]["bindings"])

    assert await ends() == ["d0", "d1", "d2", "d3"]
    assert await ends(Identity="bob") == ["d0", "d1"]
    assert await ends(Identity=["bob", "eve"], BindingType="fcm") == ["d0", "d2"]
    assert await ends(BindingType=["apn", "gcm"]) == ["d1"]
    assert (await site("GET", path, BindingType="sms"))[1]["code"] == 20001
    assert (await site("DELETE", f"/Credentials/{made['sid']}"))[0] == 409
    for one in devices:
        assert (await site("GET", f"{path}/{one.sid}", OTHER))[0] == 404
        assert (await site("DELETE", f"{path}/{one.sid}"))[0] == 204
    assert await ends() == []
    assert (await site("DELETE", f"/Credentials/{made['sid']}"))[0] == 204
