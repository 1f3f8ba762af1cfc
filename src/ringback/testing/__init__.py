"""The test kit: the whole product in one process, on the virtual clock, with simulated customers.

``pytest_plugins = ["ringback.testing.plugin"]`` gives the fixture ``ringback``: a :class:`World` for tests
with ``async``, a :class:`BlockingWorld` with the same names for plain ones. ``ringback.client`` is the
official ``twilio`` client, signed in.
"""

from ringback.testing.blocking import BlockingCaller, BlockingWorld, blocking_world
from ringback.testing.world import Asked, Caller, World, world

__all__ = ["Asked", "BlockingCaller", "BlockingWorld", "Caller", "World", "blocking_world", "world"]
