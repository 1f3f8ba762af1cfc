"""Nouns of the product monitor."""
