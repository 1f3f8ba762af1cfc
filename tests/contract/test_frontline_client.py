"""FrontlineUsers through the official Python client, ``client.frontline_api.v1.users``, and the FrontlineService's
settings, which it does not know (conversations.md §2)."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException

from ringback.effects import Save
from ringback.resources.conversations.chat_service import ChatService
from ringback.resources.conversations.user import User
from ringback.testing.world import World


async def worker(
    world: World, identity: str = "alice", service: str = "", account: str = "", **more: Any
) -> User:
    """A user of a chat service, both stored."""
    product = world.product
    owner = account or product.account_sid
    if not service:
        service = product.new_sid("IS")
        await product.store.commit([Save(ChatService(sid=service, account_sid=owner, friendly_name="f"))])
    made = User(
        sid=product.new_sid("US"), account_sid=owner, chat_service_sid=service, identity=identity, **more
    )
    await product.store.commit([Save(made)])
    return made


async def test_a_worker_is_fetched_and_changed_by_sid_and_by_identity(ringback: World) -> None:
    made = await worker(ringback, "alice@example.com", friendly_name="Alice")
    users = ringback.client.frontline_api.v1.users
    found = await asyncio.to_thread(users(made.sid).fetch)
    assert (found.identity, found.friendly_name, found.avatar, found.state, found.is_available) == (
        "alice@example.com", "Alice", None, "active", False,
    )  # fmt: skip
    assert found.url.endswith(f"/frontline-api/v1/Users/{made.sid}")
    changed = await asyncio.to_thread(
        lambda: users("alice@example.com").update(
            friendly_name="Al", avatar="https://pics.example/al.png", is_available=True
        )
    )
    assert (changed.sid, changed.friendly_name, changed.is_available) == (made.sid, "Al", True)
    changed = await asyncio.to_thread(lambda: users(made.sid).update(state="deactivated"))
    assert (changed.state, changed.is_available, changed.avatar) == (
        "deactivated", True, "https://pics.example/al.png",
    )  # fmt: skip
    stored = await ringback.product.store.get(User, made.sid)
    assert stored is not None
    assert (stored.state, stored.is_available, stored.attributes) == ("deactivated", True, "{}")


async def test_nobody_and_nonsense_are_refused(ringback: World) -> None:
    made = await worker(ringback)
    foreign = await worker(ringback, "eve", account=ringback.product.new_sid("AC"))
    users = ringback.client.frontline_api.v1.users
    for word in ("bob", "US" + "0" * 32, foreign.sid, "eve"):
        with pytest.raises(TwilioRestException) as refused:
            await asyncio.to_thread(users(word).fetch)
        assert (refused.value.status, refused.value.code) == (404, 20404)
    for wrong in ({"state": "asleep"}, {"is_available": "perhaps"}, {"friendly_name": "x" * 257}):
        with pytest.raises(TwilioRestException) as refused:
            await asyncio.to_thread(lambda wrong=wrong: users(made.sid).update(**wrong))
        assert refused.value.status == 400
    assert await ringback.product.store.get(User, made.sid) == made


async def test_an_identity_of_two_services_is_the_one_that_routes(ringback: World) -> None:
    routed = await worker(ringback, "alice")
    await worker(ringback, "alice")  # newer, in another service
    await ask(ringback, "POST", f"Services/{routed.chat_service_sid}", Routing="pool")
    found = await asyncio.to_thread(ringback.client.frontline_api.v1.users("alice").fetch)
    assert found.sid == routed.sid


async def ask(world: World, method: str, path: str, **form: str) -> dict[str, Any]:
    """A request to the Frontline API; the answer with its ``http`` status."""
    known = aiohttp.encode_basic_auth(world.product.account_sid, world.product.auth_token)
    url = f"{world.url}/frontline-api/v1/{path}"
    async with (
        aiohttp.ClientSession(headers={"Authorization": known}) as session,
        session.request(method, url, data=form) as answer,
    ):
        body: dict[str, Any] = await answer.json()
        return {**body, "http": answer.status}


async def test_the_settings_of_a_service(ringback: World) -> None:
    service = (await worker(ringback)).chat_service_sid
    path = f"Services/{service}"
    found = await ask(ringback, "GET", path)
    assert (found["http"], found["sid"], found["routing"], found["routing_url"]) == (
        200, service, "do-not-route", "",
    )  # fmt: skip
    for form in (
        {"Routing": "custom"}, {"Routing": "sometimes"}, {"RoutingUrl": "ftp://x/"}, {"CallMethod": "PUT"},
        {"CrmCallbackUrl": "https://"},
    ):  # fmt: skip
        refused = await ask(ringback, "POST", path, **form)
        assert (refused["http"], refused["code"]) == (400, 20001), form
    changed = await ask(ringback, "POST", path, Routing="custom", RoutingUrl="https://app.example/route")
    assert changed["routing"] == "custom"
    assert await ask(ringback, "GET", path) == changed
    assert (await ask(ringback, "GET", "Services/IS" + "0" * 32))["http"] == 404
