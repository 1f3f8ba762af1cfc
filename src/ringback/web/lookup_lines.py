"""Where Lookup's packages come from: providers, and the one that is built in (call-outcomes.md §2.3)."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from ringback.resources.api.call import Call
from ringback.store import Condition, Query, Store
from ringback.web.rest.render import iso8601

log = logging.getLogger("ringback.lookups")

PACKAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "caller_name": ("caller_name", "caller_type"),
    "sim_swap": ("last_sim_swap", "carrier_name", "mobile_country_code", "mobile_network_code"),
    "call_forwarding": ("call_forwarding_enabled",),
    "line_status": ("status",),
    "line_type_intelligence": ("mobile_country_code", "mobile_network_code", "carrier_name", "type"),
    "identity_match": (
        "first_name_match", "last_name_match", "address_lines_match", "city_match", "state_match",
        "postal_code_match", "address_country_match", "national_id_match", "date_of_birth_match",
        "summary_score", "error_message",
    ),
    "reassigned_number": ("last_verified_date", "is_number_reassigned"),
    "sms_pumping_risk": (
        "carrier_risk_category", "number_blocked", "number_blocked_date", "number_blocked_last_3_months",
        "sms_pumping_risk_score",
    ),
    "phone_number_quality_score": (),
    "pre_fill": (),
}  # fmt: skip
"""Package → its keys, ``error_code`` aside. The sheet knows no keys of the last two."""
UNAVAILABLE: Final = 60600
"""``error_code`` of a package that nobody can deliver."""
PROVIDER_SECONDS: Final = 5.0
"""How long a provider may take."""
EVIDENCE_CALLS: Final = 50
"""Newest calls to a number that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineQuery:
    """What a provider is asked about."""

    account_sid: str
    phone_number: str
    """E.164; valid by the numbering plan."""
    line_type: str | None
    """What the numbering plan says."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """The other parameters of the request: ``FirstName``, ``LastVerifiedDate`` …"""


class LineProvider(Protocol):
    """A source of packages: the numbering plan, an HLR service, a caller-name database …"""

    async def look_up(self, package: str, query: LineQuery) -> Mapping[str, Any] | None:
        """The keys of the package (:data:`PACKAGES`) that are known; None: this one cannot say.

        Keys beyond those of the package are shown too. It may raise: that is logged, and the next is asked.
        """


class Judge(Protocol):
    """Reads a line's status off the calls to it (``outcomes/line_status.py``)."""

    def __call__(self, calls: Sequence[Call], /) -> tuple[str, Any]:
        """The status and a dataclass with the evidence."""


class LocalLines:
    """The built-in provider: the numbering plan for type and carrier, our own calls for the status."""

    def __init__(self, store: Store, judge: Judge, carrier_name: Callable[[str], str | None]) -> None:
        self._store, self._judge, self._carrier_name = store, judge, carrier_name
        self._warm = False

    async def look_up(self, package: str, query: LineQuery) -> Mapping[str, Any] | None:
        """Line type and line status; nothing else can be known without a network."""
        if package == "line_type_intelligence":
            if not self._warm:  # the first question imports the carriers' tables, which takes half a second
                await asyncio.to_thread(self._carrier_name, query.phone_number)
                self._warm = True
            return {"type": query.line_type, "carrier_name": self._carrier_name(query.phone_number)}
        if package != "line_status":
            return None
        page = await self._store.page(Call, _calls_to(query.phone_number, query.account_sid))
        status, evidence = self._judge(page.records)
        shown = dataclasses.asdict(evidence)
        shown["last_at"] = iso8601(evidence.last_at)
        return {"status": status, "evidence": shown}


def _calls_to(number: str, account_sid: str) -> Query:
    """The newest calls of an account to a number.

    The account is given as a range of one: SQLite would take an equality, together with the order by SID, as
    a reason to read all calls of the account instead of those to the number.
    """
    account = (Condition("account_sid", ">=", account_sid), Condition("account_sid", "<=", account_sid))
    return Query(conditions=(Condition("to", "=", number), *account), limit=EVIDENCE_CALLS)


async def package(name: str, query: LineQuery, providers: Sequence[LineProvider]) -> dict[str, Any]:
    """One package from the first provider that has it; with ``error_code`` and nulls when none has."""
    body: dict[str, Any] = dict.fromkeys(PACKAGES[name])
    for provider in providers:
        try:
            async with asyncio.timeout(PROVIDER_SECONDS):
                found = await provider.look_up(name, query)
        except Exception:  # a foreign service must not take the answer of the others with it
            log.exception("%s: %s failed for %s", type(provider).__name__, name, query.phone_number)
            continue
        if found is not None:
            return {**body, **found, "error_code": None}
    return {**body, "error_code": UNAVAILABLE}


def unavailable(name: str) -> dict[str, Any]:
    """The package of a number that is not valid."""
    return {**dict.fromkeys(PACKAGES[name]), "error_code": UNAVAILABLE}
