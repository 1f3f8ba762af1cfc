"""Nouns of the 2010 API."""
