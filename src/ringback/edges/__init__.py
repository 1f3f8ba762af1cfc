"""The edges: everything that touches the network, files or other processes."""
