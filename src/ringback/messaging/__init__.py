"""Messages to and from carriers: what each must become, and what it tells (conversations.md §1.1)."""
