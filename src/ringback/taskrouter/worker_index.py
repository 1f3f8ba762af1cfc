"""Which workers have a certain value at a certain place of their attributes (``worker.contact_uri`` …).

A target such as ``task.targetWorker == worker.contact_uri`` or ``worker.skills HAS task.skill`` names its workers:
they are looked up, not searched for. An index is made when the first target asks for its path, and kept in step from
then on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import Any

from ringback.taskrouter.demand import NAMING, Values, scalar
from ringback.taskrouter.expression import Link

_Index = tuple[str, Callable[[Mapping[str, Any], str], Values]]
"""A path, and how it is read."""
Everybody = Callable[[], Iterable[tuple[str, Mapping[str, Any]]]]
"""SID and attributes of all workers; called for a new index."""


class WorkerIndex:
    """Indexes over the attributes of all workers, one a path: of its scalars, or of the items of its arrays."""

    def __init__(self) -> None:
        self._found: dict[_Index, dict[Hashable, set[str]]] = {}
        self._values: dict[_Index, dict[str, Values]] = {}
        """Index → worker SID → the values under which they are found there."""

    def named(self, link: Link, task: Mapping[str, Any], workers: Everybody) -> Collection[str]:
        """SIDs of the workers who meet a link of :data:`NAMING`."""
        of_task, of_worker = NAMING[link.how]
        found = [self._of((link.worker, of_worker), value, workers) for value in of_task(task, link.task)]
        return found[0] if len(found) == 1 else set().union(*found)

    def of(self, path: str, value: Hashable, workers: Everybody) -> set[str]:
        """SIDs of the workers with that scalar at the path."""
        return self._of((path, scalar), value, workers)

    def update(self, sid: str, attributes: Mapping[str, Any]) -> None:
        """A worker is new, or has other attributes."""
        for index in self._found:
            self._drop(index, sid)
            self._put(index, sid, attributes)

    def remove(self, sid: str) -> None:
        """A worker is gone."""
        for index in self._found:
            self._drop(index, sid)

    def _of(self, index: _Index, value: Hashable, workers: Everybody) -> set[str]:
        if index not in self._found:
            self._found[index], self._values[index] = {}, {}
            for sid, attributes in workers():
                self._put(index, sid, attributes)
        return self._found[index].get(value, set())

    def _put(self, index: _Index, sid: str, attributes: Mapping[str, Any]) -> None:
        path, read = index
        values = read(attributes, path)
        if values:
            self._values[index][sid] = values
        for value in values:
            self._found[index].setdefault(value, set()).add(sid)

    def _drop(self, index: _Index, sid: str) -> None:
        for value in self._values[index].pop(sid, ()):
            found = self._found[index][value]
            found.discard(sid)
            if not found:
                del self._found[index][value]
