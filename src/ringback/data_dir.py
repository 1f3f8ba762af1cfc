"""The data directory: whether this process can keep its work there, and if not, why and what to do."""

from __future__ import annotations

import errno
import getpass
import os
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

LEAST = 16_000_000
"""Bytes: with less the database could not even write what it has to at a start."""


class Trouble(NamedTuple):
    """What is wrong, and what to do about it."""

    text: str
    mend: str


def trouble(folder: Path) -> Trouble | None:
    """Make the directory when it is missing and write to it, as a server does; None: all is well. Blocking."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < LEAST:
            return Trouble(f"the disk is full: {free / 1e6:.1f} MB are free", _ROOM)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(65536))
            file.flush()
            os.fsync(file.fileno())
        return _of_others(folder)
    except OSError as error:
        return _explained(error, folder)


def _explained(error: OSError, folder: Path) -> Trouble:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Trouble(f"the disk is full: {error.strerror}", _ROOM)
    if error.errno == errno.EROFS:
        return Trouble(
            "it is read-only", "mount it for writing, or set RINGBACK_DATA_DIR to another directory"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return Trouble(f"{_user()} may not write there", _rights(folder))
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return Trouble("there is a file in its place", "remove it, or set RINGBACK_DATA_DIR to a directory")
    return Trouble(f"it cannot be written: {error.strerror}", "set RINGBACK_DATA_DIR to another directory")


def _of_others(folder: Path) -> Trouble | None:
    """Whether something in it belongs to another user, as after a start as root."""
    for one in sorted(folder.iterdir()):
        if not os.access(one, os.W_OK):
            return Trouble(f"{_user()} may not write to {one.name} in it", _rights(folder))
    return None


def _user() -> str:
    try:
        return f"the user {getpass.getuser()}"
    except (KeyError, OSError):  # a number without a name, as in a container
        return f"the user {os.getuid()}"


def _rights(folder: Path) -> str:
    return f"chown -R {os.getuid()} {folder}, or set RINGBACK_DATA_DIR to another directory"


_ROOM = "make room, or set RINGBACK_DATA_DIR to a directory on a larger disk"
