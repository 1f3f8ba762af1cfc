"""Nouns of TaskRouter: read from the desk's memory, written by events of the workspace (taskrouter.md §2)."""
