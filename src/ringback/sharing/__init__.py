"""Fair shares: what all accounts use (processes, connections, requests) is nobody's alone."""
