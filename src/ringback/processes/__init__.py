"""Child processes of ours: how they are started, spoken to, watched, started again and ended."""
