"""The HTTP face: REST, outgoing webhooks, signatures, live sockets."""
