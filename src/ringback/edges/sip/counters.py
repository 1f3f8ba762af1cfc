"""Integer counters of the SIP edge, for /metrics."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class SipCounters:
    """Totals since the start, except the two `live_…` gauges."""

    received: int = 0
    sent: int = 0
    retransmissions_received: int = 0
    retransmissions_sent: int = 0
    calls_in: int = 0
    calls_out: int = 0
    overload: int = 0
    auth_refused: int = 0
    auth_slowed: int = 0
    handler_errors: int = 0
    live_calls: int = 0
    live_transactions: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    "Bytes or messages thrown away, by reason."
