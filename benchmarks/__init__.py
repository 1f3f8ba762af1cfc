"""Benchmarks: one file each, all run by ``make bench``. They print; nothing asserts a timing."""
