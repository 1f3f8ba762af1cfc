"""Conferences: who is in them, and what they hear."""
