"""Sounds for ``<Play>``: fetched from URLs, decoded once, kept as µ-law files; and recordings as MP3."""
