"""Speech to text: recordings become words, in worker processes of their own (speech.md)."""
