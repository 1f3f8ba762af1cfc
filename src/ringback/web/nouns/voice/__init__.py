"""Nouns of the product ``voice``: dialling permissions (call-outcomes.md §4.1)."""
