"""The parts of the simulated carrier: parties, their scripts, the phone book, recordings and faults."""
