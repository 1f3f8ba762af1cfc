"""What TaskRouter's nouns share: reading from the desk's memory, and writing by events (taskrouter.md §2)."""
