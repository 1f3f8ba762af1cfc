"""The nouns of the 2010 API (rest-conventions.md, "2010 API"), one file each."""
