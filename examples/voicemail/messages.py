"""Fetches the newest recordings as WAV files into the working directory."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import requests

sys.path.insert(0, str(Path(__file__).parent.parent))
from client_hook import connect, credentials

if __name__ == "__main__":
    account_sid, auth_token = credentials()
    base = os.environ.get("RINGBACK_URL", "http://127.0.0.1:8080")
    for recording in connect().recordings.list(limit=5):
        if recording.status != "completed":
            print(recording.sid, recording.status)
            continue
        url = f"{base}/api/2010-04-01/Accounts/{account_sid}/Recordings/{recording.sid}.wav"
        answer = requests.get(url, auth=(account_sid, auth_token), timeout=30)
        answer.raise_for_status()
        Path(f"{recording.sid}.wav").write_bytes(answer.content)
        print(f"{recording.sid}.wav: {recording.duration} s, {len(answer.content)} bytes")
