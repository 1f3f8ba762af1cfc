"""The HTTP side of features: doors with their checks, the client of the public REST API, durable notes, retries.

The features themselves are pure (``callbacks/``) and are handed in by the composition root.
"""
