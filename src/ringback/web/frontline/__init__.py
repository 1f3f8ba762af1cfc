"""``/frontline/…``: what a worker's app asks of us, with the worker's own token (conversations.md §2).

We ask the application's callbacks for it, and begin calls and conversations in its place.
"""
