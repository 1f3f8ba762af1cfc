"""Points a number of ours at the voicemail app, and makes the number when it is not there yet.

.venv/bin/python examples/voicemail/point.py +15550100 http://127.0.0.1:5000/voice
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from client_hook import connect


def point(number: str, voice_url: str) -> str:
    """Set the number's voice URL; return its SID."""
    client = connect()
    for found in client.incoming_phone_numbers.list(phone_number=number, limit=1):
        # An application would win over the URL, so it is taken off.
        client.incoming_phone_numbers(found.sid).update(voice_url=voice_url, voice_application_sid="")
        return str(found.sid)
    return str(client.incoming_phone_numbers.create(phone_number=number, voice_url=voice_url).sid)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: point.py NUMBER VOICE_URL")
    print(f"{sys.argv[1]} ({point(sys.argv[1], sys.argv[2])}) is answered by {sys.argv[2]}")
