"""`<Connect>`: the noun `<Conversation>`, which joins a customer and their worker."""
