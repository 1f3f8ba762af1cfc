"""What numbers can be had, and what buying one does, through the official client (voice-calls.md §13)."""

from __future__ import annotations

import pytest

from ringback.numbers import plan
from tests.contract.conftest import TEST_SID, TEST_TOKEN, Site
from tests.contract.test_official_client import refused


async def test_countries(site: Site) -> None:
    found = {one.country_code: one for one in await site.do(site.client.available_phone_numbers.list)}
    assert {"US", "CA", "GB", "DE", "JP"} <= found.keys()
    assert found["GB"].country == "United Kingdom"
    root = f"/2010-04-01/Accounts/{site.account.sid}/AvailablePhoneNumbers/GB"
    assert found["GB"].subresource_uris["toll_free"] == f"{root}/TollFree.json"
    one = await site.do(site.client.available_phone_numbers("us").fetch)
    assert (one.country_code, one.country, one.beta, one.uri) == (
        "US",
        "United States",
        False,
        root[:-2] + "US.json",
    )
    assert (await refused(site, site.client.available_phone_numbers("XX").fetch))[:2] == (404, 20404)


@pytest.mark.parametrize("country", ["US", "GB", "DE"])
@pytest.mark.parametrize(
    "kind", ["local", "toll_free", "mobile", "national", "voip", "shared_cost", "machine_to_machine"]
)
async def test_every_kind_of_every_country_can_be_asked_for(site: Site, country: str, kind: str) -> None:
    offered = site.client.available_phone_numbers(country)
    found = await site.do(getattr(offered, kind).list, limit=5)
    links = (await site.do(offered.fetch)).subresource_uris
    assert bool(found) == (kind in links)
    for one in found:
        assert one.iso_country == country
        if country != "US":
            assert plan.check(one.phone_number).country_code == country


async def test_filters(site: Site) -> None:
    local = site.client.available_phone_numbers("US").local
    assert [one.phone_number for one in await site.do(local.list, area_code=415, limit=2)] == [
        "+14155550100", "+14155550101",
    ]  # fmt: skip
    for contains in ("55501*0", "+1500555019*", "555-0190", "550190"):
        found = await site.do(local.list, contains=contains, limit=50)
        assert "+15005550190" in [one.phone_number for one in found], contains
    assert await site.do(local.list, sms_enabled=True, mms_enabled=True, voice_enabled=True, limit=1)
    assert await site.do(local.list, fax_enabled=True) == []
    assert await site.do(local.list, in_region="CA") == []  # fictitious numbers are nowhere
    near = await site.do(local.list, near_number="+14155550123", limit=1)
    assert near[0].phone_number.startswith("+1415")
    with pytest.raises(Exception, match="21451"):
        await site.do(local.list, area_code=99)
    with pytest.raises(Exception, match="20001"):
        await site.do(local.list, contains="55%")


async def test_buying(site: Site) -> None:
    client = site.client
    offered = (await site.do(client.available_phone_numbers("US").toll_free.list, limit=1))[0].phone_number
    bought = await site.do(client.incoming_phone_numbers.toll_free.create, phone_number=offered)
    assert (bought.phone_number, bought.status) == (offered, "in-use")
    again = (await site.do(client.available_phone_numbers("US").toll_free.list, limit=1))[0].phone_number
    assert again != offered
    create = client.incoming_phone_numbers.create
    assert (await refused(site, create, phone_number=offered))[:2] == (400, 21422)
    assert (await refused(site, client.incoming_phone_numbers.toll_free.create, phone_number="+15005550107"))[:2] == (
        400, 21421,
    )  # fmt: skip
    assert (await site.do(create, area_code="416")).phone_number == "+14165550100"
    assert (await site.do(create, area_code="415")).phone_number == "+14155550100"
    british = (await site.do(client.available_phone_numbers("GB").mobile.list, limit=1))[0].phone_number
    await site.do(client.incoming_phone_numbers.mobile.create, phone_number=british)
    kinds = {
        kind: {one.phone_number for one in await site.do(getattr(client.incoming_phone_numbers, kind).list)}
        for kind in ("local", "mobile", "toll_free")
    }
    assert kinds == {
        "local": {"+14165550100", "+14155550100"}, "mobile": {british}, "toll_free": {offered},
    }  # fmt: skip
    assert await site.do(client.incoming_phone_numbers(bought.sid).delete)
    freed = (await site.do(client.available_phone_numbers("US").toll_free.list, limit=1))[0].phone_number
    assert freed == offered


async def test_magic_numbers(site: Site) -> None:
    for client in (site.client, site.client_of(TEST_SID, TEST_TOKEN)):
        create = client.incoming_phone_numbers.create
        assert (await refused(site, create, phone_number="+15005550000"))[:2] == (400, 21422)
        assert (await refused(site, create, phone_number="+15005550001"))[:2] == (400, 21421)
        assert (await refused(site, create, area_code="533"))[:2] == (400, 21452)
        assert (await site.do(create, area_code="500")).phone_number.startswith("+1500")


async def test_a_part_of_a_number_finds_it(site: Site) -> None:
    client = site.client
    for number in ("+14155550100", "+14155550199", "+12125550100", "+15550100", "+155501001234"):
        await site.do(client.incoming_phone_numbers.create, phone_number=number)

    async def found(text: str) -> set[str]:
        return {
            one.phone_number for one in await site.do(client.incoming_phone_numbers.list, phone_number=text)
        }

    assert await found("+1415") == {"+14155550100", "+14155550199"}
    assert await found("415***019*") == {"+14155550199"}
    assert await found("5550100") == {"+14155550100", "+12125550100", "+15550100", "+155501001234"}
    assert await found("(212) 555-0100") == {"+12125550100"}
    assert await found("+1***5550100") == {"+14155550100", "+12125550100"}
    assert await found("+15550100") == {"+15550100"}  # a whole one, though another begins so
    assert await found("+15550") == {"+15550100", "+155501001234"}
    assert await found("999") == set()
    await site.do(client.incoming_phone_numbers.create, phone_number="+441632960001")
    assert await found("+44 (0)1632 960001") == {"+441632960001"}
    assert await found("15550*") >= {"+15550100"}


async def test_relay_tokens(site: Site) -> None:
    token = await site.do(site.client.tokens.create, ttl=600)
    assert (token.account_sid, token.ttl, token.ice_servers) == (site.account.sid, "600", [])
    assert token.username.endswith(f":{site.account.sid}")
    assert len(token.password) >= 20
    assert (await site.do(site.client.tokens.create)).ttl == "86400"
    for ttl in (0, -1, 86_401, "soon"):
        assert (await refused(site, site.client.tokens.create, ttl=ttl))[:2] == (400, 20001)
