"""PoolTurn: when pool routing last chose a worker."""

from __future__ import annotations

from ringback.kernel.resource import Record, field, resource


@resource(
    "/v1/PoolTurns", product="frontline-api", sid="US", key="pool_turns", can=(), table="frontline_turns"
)
class PoolTurn(Record):
    """A worker's last turn. A row of its own, with the SID of the worker's user: the pool's lane writes it while REST
    may be writing the user, and neither undoes what the other has written."""

    chat_service_sid: str = field("", index=True)
    """The pool that it is about."""
    assigned_at: float = field(0.0, wire="date")
    """When they were chosen; the one longest without is next."""
