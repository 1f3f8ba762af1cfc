"""Recordings, what is written down of them, and how long they are kept."""
