"""`<Dial>`: the legs it makes, and its nouns."""
