"""Frontline's nouns (conversations.md §2): workers of a Conversations service, and how customers come to them."""
