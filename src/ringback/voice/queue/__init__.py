"""Who waits in the queues, and who takes them out."""
