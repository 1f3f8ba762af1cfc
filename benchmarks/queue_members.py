"""What an operation on one queue of callers costs in the core, by the members that wait in it."""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks.__main__ import Figure
from ringback.resources.api.queue import Queue
from ringback.voice.queue.live import Queues

WANTED = "wanted: under 1000 with 10,000 members"


def measure(quick: bool) -> list[Figure]:
    """Microseconds, 99th percentile."""
    return [
        Figure(f"{operation}, {size:,} members, p99", f"{cost:.1f}", "µs", WANTED)
        for size in ((100, 10_000) if quick else (100, 1_000, 10_000, 100_000))
        for operation, cost in _costs(size).items()
    ]


def _costs(size: int) -> dict[str, float]:
    queues = Queues()
    queue = queues.add(Queue(sid="QU" + "1" * 32, account_sid="AC" + "0" * 32, friendly_name="support"))
    for index in range(size):
        queues.enter(queue, f"CA{index}", index / 100)
    return {
        "enqueue": _p99(lambda index: queues.enter(queue, f"CAnew{index}", 1e6 + index), 1000),
        "position": _p99(lambda index: queues.position(f"CA{index * 7 % size}"), 1000),
        "average wait": _p99(lambda index: queue.average_wait(2e6), 1000),
        "leave": _p99(lambda index: queues.take(f"CAnew{index * 7 % 1000}"), 1000),
        "dequeue": _p99(lambda index: queues.take(queue.members.at(0) or ""), 90),
    }


def _p99(operation: Callable[[int], object], times: int) -> float:
    found = []
    for index in range(times):
        began = time.perf_counter_ns()
        operation(index)
        found.append(time.perf_counter_ns() - began)
    return sorted(found)[int(times * 0.99)] / 1000
