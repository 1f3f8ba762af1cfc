"""Links that lead elsewhere than below the record: to its parent, its worker, its queue (taskrouter.md §2)."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any


class Links:
    """The links of one place."""

    def __init__(self, paths: Mapping[str, str], base: str) -> None:
        self._links = [
            (link, base + path, tuple(name for _, name, _, _ in Formatter().parse(path) if name))
            for link, path in paths.items()
        ]

    def of(self, record: Any) -> dict[str, str | None]:
        """Link → absolute URL; None where the record leads nowhere (a task in no queue)."""
        found: dict[str, str | None] = {}
        for link, path, names in self._links:
            values = {name: getattr(record, name) for name in names}
            found[link] = path.format(**values) if all(values.values()) else None
        return found
