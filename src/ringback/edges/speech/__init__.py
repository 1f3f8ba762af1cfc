"""Text to speech: sentences become µ-law files, rendered once in a process of its own (speech.md)."""
