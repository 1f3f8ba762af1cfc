"""The runtime: event → one transaction → effects; timers, the outbox, and the clocks."""
