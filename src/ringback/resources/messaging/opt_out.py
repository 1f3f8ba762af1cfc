"""OptOut: somebody who said STOP, until they say START."""

from __future__ import annotations

import hashlib

from ringback.kernel.resource import Record, field, resource


@resource(
    "/v1/OptOuts", product="messaging", sid="OO", key="opt_outs", can=("list", "fetch"), table="opt_outs"
)
class OptOut(Record):
    """Whether somebody wants messages from a sender, or from a whole messaging service. Their own words decide."""

    address: str = field("", filter=True, index=True)
    """Whose."""
    scope: str = field("", filter=True)
    """The number of ours that they wrote to, or the messaging service that it belongs to."""
    opted_out: bool = field(True, filter=True)
    """Whether they have left."""
    word: str = field("")
    """What they wrote last: STOP, QUIT, START …"""


def sid_of(account_sid: str, scope: str, address: str) -> str:
    """SID of the record of an address and a sender or messaging service: there is one at most, whoever writes it."""
    digits = hashlib.sha256(f"{account_sid}|{scope}|{address}".encode()).hexdigest()[:32]
    return f"OO{digits}"
