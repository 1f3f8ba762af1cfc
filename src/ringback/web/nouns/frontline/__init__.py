"""Frontline's nouns."""
