"""Nouns of TaskRouter: read from TaskRouter's memory, written by events of the workspace (taskrouter.md §2)."""
