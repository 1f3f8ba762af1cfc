"""What TaskRouter's nouns share: reading from TaskRouter's memory, and writing by events (taskrouter.md §2)."""
