"""How much of the disk each part takes, for ``/metrics``; looked at with retention: a large folder takes a while."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Final

from ringback.store import Store

FOLDERS: Final = ("recordings", "speech", "sounds", "callbacks")
"""Of the data directory: sound, the caches of speech and of fetched sounds, the notes of callbacks."""


class Usage:
    """The sizes at the last look."""

    def __init__(self, data_dir: Path, store: Store) -> None:
        self._data_dir, self._store = data_dir, store
        self._sizes: dict[str, float] = {}

    async def look(self) -> None:
        """Measure everything."""
        entries, ledger = await self._store.pruning.ledger()
        sizes = {
            "database_bytes": float(await self._store.pruning.bytes()),
            "requests_kept": float(entries),
            "requests_bytes": float(ledger),
        }
        for name in FOLDERS:
            sizes[f"{name}_bytes"] = float(await asyncio.to_thread(folder_bytes, self._data_dir / name))
        self._sizes = sizes

    def figures(self) -> dict[str, float]:
        """For ``/metrics``."""
        return dict(self._sizes)


def folder_bytes(folder: Path) -> int:
    """Bytes of the files in a folder, not below it; 0 when there is none. Blocking."""
    total = 0
    try:
        with os.scandir(folder) as entries:
            for each in entries:
                if each.is_file(follow_symlinks=False):
                    total += each.stat(follow_symlinks=False).st_size
    except OSError:  # it is not there, or a file went away meanwhile
        return total
    return total
