"""Dialling permissions: may an account call a number? (call-outcomes.md §4, §4.1)

The table is in memory and is told of every record that changes (:meth:`Permissions.follow`), so that the voice
core can ask it without waiting. Codes are those of the REST API; ``voice/`` turns them into those of TwiML.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from ringback.kernel.resource import Record
from ringback.numbers import emergency
from ringback.numbers.plan import check, possible
from ringback.outcomes import countries, prefixes
from ringback.resources.api.account import Account
from ringback.resources.api.incoming_phone_number import IncomingPhoneNumber
from ringback.resources.voice.blocked_number import BlockedNumber
from ringback.resources.voice.country import Country
from ringback.resources.voice.dialing_settings import DialingSettings
from ringback.resources.voice.high_risk_prefix import HighRiskPrefix

NOT_A_NUMBER: Final = 21211
UNREACHABLE: Final = 21214
COUNTRY: Final = 21215
BLOCKED: Final = 21216
PREMIUM: Final = 21202
FOLLOWED: Final[tuple[type[Record], ...]] = (
    Account, DialingSettings, Country, HighRiskPrefix, BlockedNumber, IncomingPhoneNumber,
)  # fmt: skip
"""The nouns that the table follows."""
_RISKY_TYPES: Final = (None, "premium", "sharedCost")
"""Line types for which a prefix of the numbering plan counts: lengths decide too, prefixes do not know them."""


@dataclass(slots=True)
class _Rights:
    """What one account has declared."""

    countries: dict[str, Country] = field(default_factory=dict)
    prefixes: dict[str, str] = field(default_factory=dict)
    """Prefix → kind."""
    blocked: set[str] = field(default_factory=set)
    inherits: bool = True


_NONE: Final = _Rights()


class Permissions:
    """The permissions of all accounts."""

    def __init__(
        self,
        *,
        default: Literal["all", "home"] = "all",
        home: str = "US",
        emergency_numbers: Iterable[str] = (),
    ) -> None:
        """``default``: the countries whose ordinary numbers may be called when nothing is said; ``home``: the
        country of the installation (ISO code); ``emergency_numbers``: those that may be called.
        """
        self._default, self._home = default, home
        self._emergency = frozenset(emergency_numbers)
        self._parents: dict[str, str] = {}
        self._rights: dict[str, _Rights] = {}
        self._impossible: set[str] = set()
        """Numbers of this server that the numbering plan does not allow for (+15550100)."""

    # --- what changes ---------------------------------------------------------------------------------

    def follow(self, record: Record, *, gone: bool = False) -> None:
        """A record was saved (or, with ``gone``, deleted). Records of other kinds are ignored."""
        if isinstance(record, Account):
            if record.account_sid and record.account_sid != record.sid:
                self._parents[record.sid] = record.account_sid
            return
        if isinstance(record, IncomingPhoneNumber):
            if gone:
                self._impossible.discard(record.phone_number)
            elif not possible(record.phone_number):
                self._impossible.add(record.phone_number)
            return
        if not isinstance(record, Country | HighRiskPrefix | BlockedNumber | DialingSettings):
            return
        rights = self._rights.setdefault(record.account_sid, _Rights())
        if isinstance(record, DialingSettings):
            rights.inherits = gone or record.dialing_permissions_inheritance
        elif isinstance(record, Country):
            if gone:
                rights.countries.pop(record.iso_code, None)
            else:
                rights.countries[record.iso_code] = record
        elif isinstance(record, HighRiskPrefix):
            if gone:
                rights.prefixes.pop(record.prefix, None)
            else:
                rights.prefixes[record.prefix] = record.kind
        elif gone:
            rights.blocked.discard(record.phone_number)
        else:
            rights.blocked.add(record.phone_number)

    # --- what is asked --------------------------------------------------------------------------------

    def is_ours(self, number: str) -> bool:
        """Whether a number that the numbering plan does not allow for is one of this server's."""
        return number in self._impossible

    def inherits(self, account_sid: str) -> bool:
        """Whether an account has the permissions of its main account."""
        return account_sid in self._parents and self._own(account_sid).inherits

    def country(self, account_sid: str, iso_code: str) -> Country | None:
        """The permissions that hold for an account in a country; None: there is no such country."""
        place = countries.countries().get(iso_code)
        if place is None:
            return None
        stored = self._own(self._holder(account_sid)).countries.get(iso_code)
        return Country(
            sid=f"DC{int.from_bytes(iso_code.encode()):032x}",
            account_sid=account_sid,
            iso_code=iso_code,
            name=place.name,
            continent=place.continent,
            country_codes=list(place.country_codes),
            low_risk_numbers_enabled=self._low(stored, iso_code),
            high_risk_special_numbers_enabled=stored is not None and stored.high_risk_special_numbers_enabled,
            high_risk_tollfraud_numbers_enabled=stored is not None
            and stored.high_risk_tollfraud_numbers_enabled,
        )

    def countries(self, account_sid: str) -> list[Country]:
        """The permissions of an account in all countries, in the order of the ISO codes."""
        found = (self.country(account_sid, iso_code) for iso_code in countries.countries())
        return [country for country in found if country is not None]

    def stored(self, account_sid: str, iso_code: str) -> Country | None:
        """The account's own record of a country, whether it holds or not; None: it follows the default."""
        return self._own(account_sid).countries.get(iso_code)

    def special_prefixes(self, account_sid: str, iso_code: str) -> list[str]:
        """The high-risk special prefixes of a country: of its numbering plan, and the account's own."""
        found = {p for p, kind in prefixes.of_country(iso_code).items() if kind != prefixes.TOLLFRAUD}
        for prefix, kind in self._own(self._holder(account_sid)).prefixes.items():
            if countries.country_of(prefix) == iso_code:
                found.discard(prefix)
                if kind == prefixes.SPECIAL:
                    found.add(prefix)
        return sorted(found)

    def refuse(self, destination: str, account_sid: str) -> int | None:
        """The code with which a call to ``destination`` is refused, or None.

        ``destination`` is E.164, or bare digits as short numbers are; SIP and client addresses are no numbers
        and are never refused here. The order is that of voice-calls.md §2.1: country (21215), blocked (21216),
        no way there (21214: emergency numbers that are not configured, codes that are no country's), premium
        (21202). Bare digits that are no emergency number are 21211.
        """
        if destination.isascii() and destination.isdigit():
            if not emergency.is_emergency(destination, self._home):
                return NOT_A_NUMBER
            return None if destination in self._emergency else UNREACHABLE
        if not destination.startswith("+"):
            return None
        iso_code = countries.country_of(destination)
        if iso_code is None:
            return UNREACHABLE
        refusal = self._by_country(destination, account_sid, iso_code)
        if refusal == COUNTRY:
            return COUNTRY
        if destination in self._own(account_sid).blocked or destination in self._parent(account_sid).blocked:
            return BLOCKED
        return refusal

    # --- how ------------------------------------------------------------------------------------------

    def _by_country(self, destination: str, account_sid: str, iso_code: str) -> int | None:
        """The longest high-risk prefix decides first, then the country's flag for ordinary numbers."""
        rights = self._own(self._holder(account_sid))
        kind = self._kind(destination, rights, iso_code)
        stored = rights.countries.get(iso_code)
        low = self._low(stored, iso_code)
        if kind == "low":
            return None if low else COUNTRY
        if kind == prefixes.TOLLFRAUD:
            allowed = stored is not None and stored.high_risk_tollfraud_numbers_enabled
            return None if allowed else COUNTRY
        if stored is not None and stored.high_risk_special_numbers_enabled:
            return None
        return PREMIUM if kind == prefixes.PREMIUM and low else COUNTRY

    def _low(self, stored: Country | None, iso_code: str) -> bool:
        if stored is not None:
            return stored.low_risk_numbers_enabled
        return self._default == "all" or iso_code == self._home

    def _kind(self, destination: str, rights: _Rights, iso_code: str) -> str:
        plan = prefixes.of_country(iso_code)
        theirs = prefixes.longest(destination, plan)
        own = prefixes.longest(destination, rights.prefixes) if rights.prefixes else None
        if own is not None and len(own) >= len(theirs or ""):
            return rights.prefixes[own]
        if theirs is None:
            return "low"
        if iso_code != countries.INTERNATIONAL and check(destination).line_type not in _RISKY_TYPES:
            return "low"
        return plan[theirs]

    def _own(self, account_sid: str) -> _Rights:
        return self._rights.get(account_sid, _NONE)

    def _parent(self, account_sid: str) -> _Rights:
        return self._own(self._parents.get(account_sid, account_sid))

    def _holder(self, account_sid: str) -> str:
        """The account whose countries and prefixes hold."""
        return self._parents[account_sid] if self.inherits(account_sid) else account_sid
