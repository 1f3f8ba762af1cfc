"""Which workers have a certain value at a certain place of their attributes (``worker.contact_uri`` …).

A target such as ``task.targetWorker == worker.contact_uri`` names its worker: he is looked up, not searched for. An
index is made when the first target asks for its path, and kept in step from then on.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from ringback.taskrouter.line import look


class WhoIs:
    """Indexes over the attributes of all workers, one a path."""

    def __init__(self) -> None:
        self._paths: dict[str, dict[Hashable, set[str]]] = {}
        self._values: dict[str, dict[str, Hashable]] = {}
        """Path → worker SID → the value under which he is found there."""

    def of(self, path: str, value: Hashable, workers: Iterable[tuple[str, Mapping[str, Any]]]) -> set[str]:
        """SIDs of the workers with that value; ``workers`` (SID, attributes) are all of them, for a new index."""
        if path not in self._paths:
            self._paths[path], self._values[path] = {}, {}
            for sid, attributes in workers:
                self._note(path, sid, attributes)
        return self._paths[path].get(value, set())

    def update(self, sid: str, attributes: Mapping[str, Any]) -> None:
        """A worker is new, or has other attributes."""
        for path in self._paths:
            self._drop(path, sid)
            self._note(path, sid, attributes)

    def remove(self, sid: str) -> None:
        """A worker is gone."""
        for path in self._paths:
            self._drop(path, sid)

    def _note(self, path: str, sid: str, attributes: Mapping[str, Any]) -> None:
        value = look(attributes, path)
        if value is not None:
            self._paths[path].setdefault(value, set()).add(sid)
            self._values[path][sid] = value

    def _drop(self, path: str, sid: str) -> None:
        value = self._values[path].pop(sid, None)
        if value is not None:
            found = self._paths[path][value]
            found.discard(sid)
            if not found:
                del self._paths[path][value]
