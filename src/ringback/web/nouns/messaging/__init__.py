"""Rules of the nouns of messaging."""
