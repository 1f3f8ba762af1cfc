"""Conversations' nouns (conversations.md §1). A conversation's own lane edits it and all that is in it."""
