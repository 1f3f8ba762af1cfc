"""A call from its creation to its end."""
