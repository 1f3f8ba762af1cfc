"""The worker process: ``python -m ringback.edges.transcription.worker DESCRIPTOR ENGINE``.

It says ``{"ready": name}`` once the engine is loaded, or ``{"error"}``. A job is a line of JSON ``{"path"}``, its
answer ``{"text"}`` or ``{"error"}``. It ends when its socket closes.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any, cast

from ringback.edges.transcription.engine import Engine

NICE = 10
"""Calls come first: audio that is late is lost, a text that is late is only late."""


def load(name: str) -> Engine:
    """Make the engine ``package.module:Class``; raises whatever its import raises."""
    module, _, attribute = name.partition(":")
    return cast("Engine", getattr(importlib.import_module(module), attribute)())


def main(descriptor: int, engine_name: str) -> None:
    """Work until the socket closes."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(
            number, signal.SIG_IGN
        )  # they come to the whole group; the main process closes the socket
    os.nice(NICE)
    link = socket.socket(fileno=descriptor)
    try:
        engine = load(engine_name)
    except Exception as error:  # noqa: BLE001 - told to the main process, which tells everybody
        _say(link, {"error": _told(error)})
        return
    if not _say(link, {"ready": engine.name}):
        return
    with link.makefile("rb") as jobs:
        for line in jobs:
            try:
                answer: dict[str, Any] = {"text": engine.transcribe(Path(json.loads(line)["path"]))}
            except Exception as error:  # noqa: BLE001 - one recording that fails must not end the others
                answer = {"error": _told(error)}
            if not _say(link, answer):
                return


def _say(link: socket.socket, answer: dict[str, Any]) -> bool:
    try:
        link.sendall(json.dumps(answer).encode() + b"\n")
    except OSError:  # nobody listens any more
        return False
    return True


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
