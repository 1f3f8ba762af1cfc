"""The disk of the data directory: database, recordings, notes and caches share it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

LEAST: Final = 2_000_000
"""Bytes below which the disk counts as full: two minutes of one recording, or some hundred records."""


class Disk:
    """How much room there is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def free(self) -> int:
        """Bytes that this user may still write; 0 when the folder is gone."""
        try:
            found = os.statvfs(self._folder)
        except OSError:
            return 0
        return found.f_bavail * found.f_frsize

    def full(self) -> str:
        """Why nothing more can be kept; empty: there is room."""
        if not self._folder.is_dir():
            return f"the data directory {self._folder} is gone"
        free = self.free()
        if free >= LEAST:
            return ""
        return f"the disk of {self._folder} is full: {free / 1e6:.1f} MB free"
