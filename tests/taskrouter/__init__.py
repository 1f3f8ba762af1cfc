"""The routing core, without anything around it."""
