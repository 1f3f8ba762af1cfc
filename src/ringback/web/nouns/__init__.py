"""What a noun needs beyond its declaration: ``<product>/<noun>.py``, the same file name as in ``resources/``.

Contract: a module of these folders has a class derived from :class:`NounRules` for each noun of its namesake that the
general rules (``web/rest/rules.py``) do not suit, with the noun as its ``noun``. It overrides what is different: how a
word of a path is found (``fetch``), what a list is (``page``, ``only``, ``visible``), what a write means (``create``,
``update``, ``delete``: an event for all that is live; or ``before_save`` and ``after_save`` around the general ones),
what is refused (``conflict``), what the audit log tells of (``audited``), what excludes what (``lock``), what is shown
besides (``decorate``), how large a body may be, sound (``media``), and further paths (``extras``). It reaches the
product by ``self.ports`` alone. Adding a noun's rules is adding a file: nothing else lists it. A noun without a file
follows the general rules.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

from ringback.events.writes import NewCall, Operation, WriteRequested
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.kernel.resource import Record
from ringback.store import Owed
from ringback.web.nouns.ports import Ports
from ringback.web.rest.context import Context, Params
from ringback.web.rest.params import first
from ringback.web.rest.rules import Rules


class NounRules(Rules):
    """Rules that ask the rest of the product."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports

    def owe(self, rows: Sequence[Owed]) -> None:
        """To the outbox."""
        self.ports.owe(rows)

    async def write(
        self, ctx: Context, operation: Operation, lane: Lane, sid: str, params: Params, *,
        parent_sid: str = "", known: NewCall | None = None,
    ) -> Any:  # fmt: skip
        """Ask for a write to the noun, by one ``WriteRequested``. Raises ``Refused``."""
        return await self.ports.ask(
            WriteRequested(
                lane=lane, noun=self.noun.__name__, operation=operation, sid=sid, account_sid=ctx.account.sid,
                parent_sid=parent_sid, params=params, known=known or NewCall(),
            )
        )  # fmt: skip

    async def new_call(self, ctx: Context, params: Params) -> NewCall:
        """Look up what a form says of a new call's two ends. Raises ``Refused`` (20503) while we stop."""
        self.open_for_calls()
        account, caller_id = ctx.account, self.ports.directory.caller_id
        caller, callee = first(params, "CallerId") or first(params, "From"), first(params, "To")
        trial = account.type == "Trial"
        return NewCall(
            trial=trial,
            trial_callee_verified=not trial or not callee or await caller_id(account.sid, callee) is not None,
            caller_number_sid=await caller_id(account.sid, caller) if caller else None,
        )

    def open_for_calls(self) -> None:
        """Raises ``Refused`` (20503) while we stop."""
        if self.ports.closed():
            raise Refused(20503, "Ringback is stopping and takes no new calls; try again in a moment", 503)


def collect(ports: Ports) -> dict[type[Record], Rules]:
    """Import every file below this folder; give the rules of each noun that has a file."""
    return {kind.noun: kind(ports) for kind in _kinds()}


@functools.cache
def _kinds() -> list[type[NounRules]]:
    found: list[type[NounRules]] = []
    for module in walk_packages(__path__, __name__ + "."):
        for kind in vars(import_module(module.name)).values():
            if isinstance(kind, type) and issubclass(kind, NounRules) and kind.__module__ == module.name:
                found.append(kind)
    return found
