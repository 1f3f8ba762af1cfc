"""What REST writes come to: a file a noun, each with ``create``, ``update`` and ``delete`` where the API has them.

``create(workspace, event) -> record``, ``update(workspace, event) -> record``, ``delete(workspace, event) -> None``;
they raise ``Refused`` BEFORE they change anything. ``event.values`` holds declared attributes, read and checked
by the web side; ``event.params`` all else as text. The file's ``NOUN`` is the declared class; what is no stored noun
has its name as ``KIND`` instead.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from types import ModuleType


@functools.cache
def collect() -> dict[str, ModuleType]:
    """Class name of the noun → the file that carries out its writes."""
    found = {}
    for module in pkgutil.iter_modules(__path__, __name__ + "."):
        loaded = importlib.import_module(module.name)
        if hasattr(loaded, "NOUN"):
            found[loaded.NOUN.__name__] = loaded
        elif hasattr(loaded, "KIND"):
            found[loaded.KIND] = loaded
    return found
