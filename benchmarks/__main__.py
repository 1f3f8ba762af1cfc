"""``make bench``: runs the benchmarks, prints one table: figure, value, unit, what it is measured against.

``python -m benchmarks NAME …`` runs some of them; ``--quick`` makes each a tenth as long.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    name: str
    value: str
    unit: str
    against: str


def names() -> list[str]:
    """Every benchmark: a module with ``measure(quick) -> list[Figure]``."""
    plumbing = {"__init__", "__main__", "load", "server", "webapp", "sipp"}
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in plumbing)


def main() -> None:
    """Run and print."""
    from rich.console import Console
    from rich.table import Table

    quick = "--quick" in sys.argv
    wanted = [name for name in sys.argv[1:] if not name.startswith("-")] or names()
    console = Console(width=150)
    table = Table(title=f"Ringback on {os.cpu_count()} cores, Python {platform.python_version()}")
    for column in ("benchmark", "figure", "value", "unit", "measured against"):
        table.add_column(column, justify="right" if column == "value" else "left", overflow="fold")
    for name in wanted:
        console.print(f"… {name}", style="dim")
        for figure in importlib.import_module(f"benchmarks.{name}").measure(quick):
            table.add_row(name, figure.name, figure.value, figure.unit, figure.against)
    console.print(table)


if __name__ == "__main__":
    main()
