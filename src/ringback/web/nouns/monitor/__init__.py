"""Rules of the nouns of the product monitor."""
