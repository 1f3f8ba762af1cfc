"""SMPP 3.4 without sockets: units of the protocol, texts and their parts, receipts, what a status means."""
