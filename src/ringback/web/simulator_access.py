"""Who may ask ``/sim/v1`` what: an account is shown its own calls alone (rest-conventions.md §1)."""

from __future__ import annotations

from dataclasses import dataclass

from ringback.numbers.written import readings
from ringback.resources.api.call import Call
from ringback.store import Store
from ringback.web.access import Access
from ringback.web.auth import Authenticator, Caller
from ringback.web.directory import Directory
from ringback.web.routes import Rule


@dataclass(frozen=True, slots=True)
class Tester:
    """An admitted caller."""

    caller: Caller
    operates: bool
    """Whether it sees to the whole installation: the first account, not by a standard key."""
    auth: Authenticator

    @property
    def account_sid(self) -> str:
        """Its account."""
        return self.caller.account.sid

    async def reaches(self, account_sid: str) -> bool:
        """Whether that account is its own, or belongs to it."""
        own = self.caller.account
        return account_sid == own.sid or await self.auth.subaccount(own, account_sid) is not None


class SimulatorAccess:
    """What the simulator asks of the rest."""

    def __init__(
        self, access: Access, auth: Authenticator, store: Store, directory: Directory, operator_sid: str
    ) -> None:
        self._access, self._auth, self._store = access, auth, store
        self._directory, self._operator = directory, operator_sid

    async def admit(self, authorization: str, rule: Rule) -> Tester:
        """Who sent this header; raises ``Refused`` (``Access.admit``)."""
        caller = await self._access.admit(authorization, rule)
        operates = caller.account.sid == self._operator and caller.may_manage
        return Tester(caller, operates, self._auth)

    async def owner_of_number(self, number: str) -> str:
        """The account that has it, however it is written; empty: nobody has."""
        for reading in readings(number):
            routing = await self._directory.routing(reading)
            if routing is not None:
                return routing.account_sid
        return ""

    async def owner_of_call(self, sid: str) -> str:
        """The account whose call it is; empty: none is known."""
        found = await self._store.get(Call, sid)
        return found.account_sid if found is not None else ""
