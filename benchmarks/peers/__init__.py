"""The far ends of the benchmarks of whole conversations: callers, agents, their audio, the application."""
