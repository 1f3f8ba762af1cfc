"""Voice: the core of calls. Pure: events in, effects out (house.md); the entrance is ``switchboard.py``."""
