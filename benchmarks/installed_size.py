"""What the installation takes on the disk: all of it, what running needs of it, and the ten biggest packages."""

from __future__ import annotations

import contextlib
import re
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

from benchmarks.__main__ import Figure

BIGGEST = 10
LOCK = Path(__file__).parent.parent / "requirements.lock"


def measure(quick: bool) -> list[Figure]:
    """Megabytes (10⁶ bytes); files that several checkouts share by hard links are counted in full."""
    sizes = {_key(each.name): _size(each) for each in distributions()}
    running = {_key(name) for name in re.findall(r"^([\w.-]+)==", LOCK.read_text("utf-8"), re.MULTILINE)}
    needed = sum(size for name, size in sizes.items() if name in running)
    whole = sum(path.lstat().st_size for path in Path(sys.prefix).rglob("*"))
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:BIGGEST]
    return [
        Figure("installed: .venv with the development tools", _told(whole), "MB", ""),
        Figure("installed: the packages that running needs", _told(needed), "MB", ""),
        *(
            Figure(f"{name}{'' if name in running else ' (development)'}", _told(size), "MB", "")
            for name, size in largest
        ),
    ]


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _size(package: Distribution) -> int:
    size = 0
    for file in package.files or ():
        with contextlib.suppress(FileNotFoundError):  # in the list, but never made
            size += Path(str(file.locate())).stat().st_size
    return size


def _told(size: int) -> str:
    return f"{size / 1e6:.0f}"
