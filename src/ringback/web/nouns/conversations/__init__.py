"""Rules of Conversations' nouns (conversations.md)."""
