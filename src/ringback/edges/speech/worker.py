"""The speech process: ``python -m ringback.edges.speech.worker DESCRIPTOR``. Reads jobs, writes µ-law files.

Bodies of frames are JSON. A job is ``{"id", "text", "language", "speed", "path"}``; the answer is ``{"id", "seconds"}``
or ``{"id", "error"}``. It ends when its socket closes.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from ringback.edges.speech.engine import Engine
from ringback.media import RATE
from ringback.media.g711 import encode
from ringback.processes.child import bodies, inherited, tell

LEVEL = 0.9
"""Peak of what is loud enough to need a limit."""


class Voices:
    """Engines by language, loaded when first needed."""

    def __init__(self) -> None:
        from ringback.edges.speech.hibari import Hibari

        self.default: Engine = Hibari()
        self._other: Engine | None = None

    def engine(self, language: str) -> Engine:
        """The engine for a language; the default one reads what no other can."""
        if language.lower().startswith("en"):
            return self.default
        if self._other is None:
            try:
                from ringback.edges.speech.espeak import Espeak

                self._other = Espeak()
            except (ImportError, OSError):
                # The extra "languages" is not installed: documented, and warned of by the voice core (13512).
                self._other = self.default
        return self._other

    def render(self, text: str, language: str, speed: float) -> bytes:
        """A sentence as µ-law at 8 kHz."""
        engine = self.engine(language)
        samples = engine.say(text, language, speed)
        if not len(samples):
            return b""
        narrow = soxr.resample(samples, engine.rate, RATE)
        peak = float(np.abs(narrow).max())
        if peak > LEVEL:
            narrow = narrow * (LEVEL / peak)
        return encode((narrow * 32767).astype(np.int16), "PCMU")


def write(path: Path, data: bytes) -> None:
    """Write whole or not at all."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        fresh.write_bytes(data)
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def main() -> None:
    """Work until the socket closes."""
    link = inherited()
    voices = Voices()
    for body in bodies(link):
        job: dict[str, Any] = json.loads(body)
        answer: dict[str, Any] = {"id": job["id"]}
        try:
            if job.get("path"):
                data = voices.render(job["text"], job["language"], job["speed"])
                write(Path(job["path"]), data)
                answer["seconds"] = len(data) / RATE
            else:
                voices.render(job["text"], "en-US", 1.0)  # warming: the first run of the model is slow
                answer["seconds"] = 0.0
        except Exception as error:  # noqa: BLE001 - one sentence that fails must not end the others
            answer["error"] = f"{type(error).__name__}: {error}"[:300]
        if not tell(link, json.dumps(answer).encode()):
            return


if __name__ == "__main__":
    main()
