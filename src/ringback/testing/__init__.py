"""The test kit: the whole product in one process, on the virtual clock, with simulated customers.

``pytest_plugins = ["ringback.testing.plugin"]`` gives the fixture ``ringback``, a :class:`World`.
"""

from ringback.testing.world import Caller, World, world

__all__ = ["Caller", "World", "world"]
