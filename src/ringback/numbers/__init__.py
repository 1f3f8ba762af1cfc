"""Phone numbers: how they are written, and what the numbering plan says of them."""
