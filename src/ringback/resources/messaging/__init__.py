"""Messaging: services and their senders, and who has opted out."""
