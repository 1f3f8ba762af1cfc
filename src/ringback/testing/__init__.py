"""The test kit: the whole product in one process, on the virtual clock, with simulated customers.

With ``pip install 'ringback[testing]'`` pytest knows the fixture ``ringback``: a :class:`World` for tests
with ``async``, a :class:`BlockingWorld` with the same names for plain ones. ``ringback.client`` is the
official ``twilio`` client, signed in.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ringback.testing.blocking import BlockingCaller, BlockingWorld, blocking_world
    from ringback.testing.world import Asked, Caller, World, world

__all__ = ["Asked", "BlockingCaller", "BlockingWorld", "Caller", "World", "blocking_world", "world"]
_PLACES = {name: "blocking" if "locking" in name else "world" for name in __all__}


def __getattr__(name: str) -> Any:
    """Import the product when it is asked for: pytest reads this package in every run (``plugin.py``)."""
    if name not in _PLACES:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
