"""TaskRouter's paths that are no stored noun: statistics, explanation, replay (taskrouter.md §11; issue 3, point 9).

``web/`` does not know the routing core: ``app.py`` hands its modules in, as the protocols of ``ports.py``. The files of
``web/nouns/taskrouter`` put them at their paths.
"""
