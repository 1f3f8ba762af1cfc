"""Country: which numbers of a country an account may call (call-outcomes.md §4.1)."""

from __future__ import annotations

from ringback.kernel.resource import Record, field, resource

SHOWN = (
    "iso_code", "name", "continent", "country_codes", "low_risk_numbers_enabled",
    "high_risk_special_numbers_enabled", "high_risk_tollfraud_numbers_enabled",
)  # fmt: skip


def iso_code(text: str) -> str:
    """An ISO code in upper case; raises ``ValueError`` for what cannot be one."""
    if not (2 <= len(text) <= 3 and text.isascii() and text.isalnum()):
        raise ValueError("is not an ISO country code")
    return text.upper()


@resource(
    "/v1/DialingPermissions/Countries",
    sid="DC",
    key="content",
    product="voice",
    table="voice_countries",
    can=("list", "fetch"),
    show=dict(zip(SHOWN, SHOWN, strict=True)),
    tag="Dialling permissions of a country",
)
class Country(Record):
    """Which numbers of a country may be called. Changed by ``POST /v1/DialingPermissions/BulkCountryUpdates``.

    Only countries that were changed are stored; all others follow the setting ``dialing_default``.
    """

    iso_code: str = field("", unique="account", filter=True, check=iso_code)
    """ISO 3166-1 alpha-2; ``001``: numbers of no country (satellite and other international networks)."""
    name: str = field("")
    """English name."""
    continent: str = field("", filter=True)
    """``NORTH_AMERICA``, ``EUROPE`` …"""
    country_codes: list[str] = field(list)
    """Calling codes with their ``+``. Filter: ``CountryCode``, one of them."""
    low_risk_numbers_enabled: bool = field(False, filter=True)
    """Whether ordinary numbers may be called."""
    high_risk_special_numbers_enabled: bool = field(False, filter=True)
    """Whether premium, shared-cost and other special numbers may be called."""
    high_risk_tollfraud_numbers_enabled: bool = field(False, filter=True)
    """Whether ranges that attract fraud may be called."""
