"""The files of the media store: their names are our own SIDs, and nothing from outside is ever part of a path."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, cast

from ringback.kernel.sid import is_sid

ORPHAN_SECONDS: Final = 3600.0
"""A file without a row may be an upload whose row is about to be written, not longer."""


class Files:
    """One folder: ``xx/ME…`` by the last two digits, and ``new/`` for what is still coming in. All of it blocks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._new = folder / "new"
        self._new.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in self._new.iterdir():  # the last run was killed meanwhile
            left.unlink(missing_ok=True)

    def path(self, sid: str) -> Path:
        """Where a file is. Raises ``ValueError`` for what is no SID of media."""
        if not is_sid(sid, "ME"):
            raise ValueError(f"{sid!r} names no media")
        return self._folder / sid[-2:] / sid

    def begin(self, sid: str) -> BinaryIO:
        """A new file, to be written."""
        return (self._new / self.path(sid).name).open("xb")

    def scratch(self) -> BinaryIO:
        """A file without a name, for what is looked at before it is kept; gone once it is closed."""
        return cast("BinaryIO", tempfile.TemporaryFile(dir=self._new))

    def finish(self, sid: str, file: BinaryIO) -> None:
        """All of it is written: it is on the disk, in its place, once this returns."""
        file.flush()
        os.fsync(file.fileno())
        file.close()
        target = self.path(sid)
        target.parent.mkdir(exist_ok=True, mode=0o700)
        (self._new / target.name).rename(target)

    def drop(self, sid: str, file: BinaryIO) -> None:
        """It is not wanted after all."""
        try:
            file.close()  # which writes what it still holds, and may find the disk full once more
        except OSError:
            pass
        finally:
            (self._new / self.path(sid).name).unlink(missing_ok=True)

    def remove(self, sid: str) -> None:
        """Delete a file; none is fine."""
        self.path(sid).unlink(missing_ok=True)

    def old(self) -> Iterator[str]:
        """SIDs of all files that are old enough to have a row."""
        before = time.time() - ORPHAN_SECONDS
        for shelf in self._folder.iterdir():
            if shelf == self._new or not shelf.is_dir():
                continue
            for file in shelf.iterdir():
                if is_sid(file.name, "ME") and file.stat().st_mtime < before:
                    yield file.name
