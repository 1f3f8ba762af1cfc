"""Outcomes: what is known of a number before a call, and whether it may be called (call-outcomes.md)."""
