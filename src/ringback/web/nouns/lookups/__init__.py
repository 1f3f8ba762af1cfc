"""Nouns of the product ``lookups``."""
