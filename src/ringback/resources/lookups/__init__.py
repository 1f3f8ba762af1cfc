"""Nouns of the product ``lookups`` (call-outcomes.md §2.3)."""
