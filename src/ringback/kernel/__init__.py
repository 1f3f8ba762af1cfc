"""The kernel: identifiers, time, records and registries. It imports the standard library only."""
