"""Conversations: threads, participants, messages, routing to workers (conversations.md, connect-conversation.md)."""
