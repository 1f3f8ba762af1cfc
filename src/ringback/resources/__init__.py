"""The stored nouns: a folder a product, a file a noun.

Each file declares one class with ``@resource`` (``kernel/resource.py``). ``all_nouns`` collects them.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil

from ringback.kernel.resource import Record


@functools.cache
def all_nouns() -> tuple[type[Record], ...]:
    """Import every file below this folder; return the declared classes, in the order of their names."""
    found: dict[str, type[Record]] = {}
    for module in pkgutil.walk_packages(__path__, __name__ + "."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, Record) and value is not Record:
                found[value.__noun__.table] = value
    return tuple(found[table] for table in sorted(found))
