"""Durable notes of a feature: one small JSON file each, on the disk before the work goes on (ADR 0012)."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ringback.kernel.errors import Refused

log = logging.getLogger("ringback.features")

_PLAIN: Final = re.compile(r"[A-Za-z0-9-]{1,100}\Z")
SUFFIX: Final = ".json"


class Notes:
    """Key → value, in memory and in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.all: dict[str, Mapping[str, Any]] = {}

    def load(self) -> list[str]:
        """Read what the last run left; a file that cannot be read is left where it is, logged and named. Blocking."""
        broken: list[str] = []
        for path in sorted(self._folder.glob("*" + SUFFIX)) if self._folder.is_dir() else []:
            try:
                found = json.loads(path.read_text("utf-8"))
                self.all[found["key"]] = found["value"]
            except (OSError, ValueError, KeyError, TypeError):
                log.exception("%s: this note cannot be read; it is left there", path)
                broken.append(path.name)
        return broken

    def get(self, key: str) -> Mapping[str, Any] | None:
        """A note, or None."""
        return self.all.get(key)

    async def put(self, key: str, value: Mapping[str, Any] | None) -> None:
        """Write a note, or forget it (None); returns when the disk has it. Refuses 20503 when the disk takes nothing:
        whoever asked can come again."""
        if value is None and key not in self.all:
            return
        try:
            await asyncio.to_thread(self._write, key, value)
        except OSError as error:
            raise Refused(20503, f"No note can be written now: {error.strerror or error}", 503) from error
        if value is None:
            self.all.pop(key, None)
        else:
            self.all[key] = value

    def _write(self, key: str, value: Mapping[str, Any] | None) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / (_name(key) + SUFFIX)
        if value is None:
            path.unlink(missing_ok=True)
            return
        fresh = path.with_suffix(".new")
        try:
            with fresh.open("w", encoding="utf-8") as file:
                json.dump({"key": key, "value": value}, file, ensure_ascii=False)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError:
            fresh.unlink(missing_ok=True)  # half a note would take the room that is missing
            raise
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _name(key: str) -> str:
    return key if _PLAIN.match(key) else "h-" + hashlib.sha256(key.encode()).hexdigest()
