"""The worker process: ``python -m ringback.edges.transcription.worker DESCRIPTOR ENGINE``.

The first frame says why the engine cannot be loaded; empty: it is. A job is a frame of JSON ``{"path"}``, its
answer ``{"text"}`` or ``{"error"}``. It ends when its socket closes.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import cast

from ringback.edges.transcription.engine import Engine
from ringback.processes.child import bodies, inherited, tell

NICE = 10
"""Calls come first: audio that is late is lost, a text that is late is only late."""


def load(name: str) -> Engine:
    """Make the engine ``package.module:Class``; raises whatever its import raises."""
    module, _, attribute = name.partition(":")
    return cast("Engine", getattr(importlib.import_module(module), attribute)())


def main(engine_name: str) -> None:
    """Work until the socket closes."""
    link = inherited()
    os.nice(NICE)
    try:
        engine = load(engine_name)
    except Exception as error:  # noqa: BLE001 - told to the main process, which tells everybody
        tell(link, _told(error).encode())
        return
    if not tell(link, b""):
        return
    for body in bodies(link):
        try:
            answer = {"text": engine.transcribe(Path(json.loads(body)["path"]))}
        except Exception as error:  # noqa: BLE001 - one recording that fails must not end the others
            answer = {"error": _told(error)}
        if not tell(link, json.dumps(answer).encode()):
            return


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


if __name__ == "__main__":
    main(sys.argv[2])
