"""What Conversations' nouns share: the default service, writes as events, what is looked up for them, pre-events."""
