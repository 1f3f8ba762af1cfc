"""Keys in the body of INFO (RFC 6086 has no package for them; two bodies are in use)."""

TYPES = ("application/dtmf-relay", "application/dtmf")
"""`Signal=5` and a duration on lines of their own; or the key alone."""

_NUMBERED = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D", "16": "!"}
"""Keys as the events of RFC 4733 are numbered; 16 is the hook flash."""


def key_of(content_type: str, body: bytes) -> str:
    """The key of an INFO body, one of `0-9 * # A-D`; empty when there is none."""
    text = body[:200].decode("ascii", "replace")
    if content_type == TYPES[0]:
        named = (line.partition("=") for line in text.splitlines())
        text = next((value for name, _, value in named if name.strip().lower() == "signal"), "")
    key = text.strip().upper()
    key = _NUMBERED.get(key, key)
    return key if len(key) == 1 and key in "0123456789*#ABCD" else ""
