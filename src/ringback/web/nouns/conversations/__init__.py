"""Conversations' nouns."""
