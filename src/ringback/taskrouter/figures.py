"""What a worker's channels hold just now, as routing expressions read it (taskrouter.md §2.5, §2.6).

``worker.channel.<unique name>.<figure>``. Attributes change by a request; these figures change with every
reservation. They are counted when an expression reads them, so that whoever does not name a channel pays nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

FIGURES = frozenset(
    {
        "configured_capacity", "assigned_tasks", "available_capacity_percentage", "available", "last_reserved_time",
    }
)  # fmt: skip
"""``assigned_tasks``: accepted and wrapping, not those that are only offered. ``available_capacity_percentage``: of
what is not taken by any of the three, rounded down. ``last_reserved_time``: milliseconds since 1970, 0 for never, so
that whoever was never asked comes first in ascending order."""

Steps = tuple[str | int, ...]
Figures = Mapping[str, int | bool]
"""The figures of one channel by their names."""


class WorkerData(dict[str, Any]):
    """A worker's attributes, the four names that expressions know besides, and the figures of the channels.

    An expression may be asked about a plain mapping too (a worker who does not exist): it has attributes alone.
    """

    __slots__ = ("figures",)

    def __init__(self, attributes: Mapping[str, Any], figures: Callable[[str], Figures | None]) -> None:
        super().__init__(attributes)
        self.figures = figures
        """Unique name of a channel → its figures; None: the worker has no such channel."""


def names_channel(steps: Steps) -> bool:
    """Whether a path of the worker's (without prefix) may be a figure of a channel. Unique names may have dots."""
    return (
        len(steps) >= 3
        and steps[0] == "channel"
        and steps[-1] in FIGURES
        and all(isinstance(step, str) for step in steps)
    )


def figure_reader(
    steps: Steps, attribute: Callable[[Mapping[str, Any]], Any]
) -> Callable[[Mapping[str, Any]], Any]:
    """A function that reads the figure at such a path; ``attribute`` reads it where there is no such channel."""
    name, figure = ".".join(str(step) for step in steps[1:-1]), str(steps[-1])

    def read(worker: Mapping[str, Any]) -> Any:
        found = worker.figures(name) if isinstance(worker, WorkerData) else None
        return attribute(worker) if found is None else found[figure]

    return read
