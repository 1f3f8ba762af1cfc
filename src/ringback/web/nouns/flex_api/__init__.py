"""What the nouns of Flex need beyond their declarations."""
