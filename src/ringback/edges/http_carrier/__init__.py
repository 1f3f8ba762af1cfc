"""Carriers that speak HTTP: what they post to us, and how it is known to be theirs."""
