"""Transcription: how fast one worker is, how well it hears, and how late texts are when messages pile up."""

from __future__ import annotations

import asyncio
import re
import resource
import tempfile
import time
from pathlib import Path

from benchmarks.__main__ import Figure
from ringback.edges.speech.client import Speech
from ringback.edges.transcription.client import Transcriber
from ringback.edges.transcription.engine import DEFAULT
from ringback.media.wav import read

MESSAGES = (
    "Good morning, this is Maria Jones. Please call me back tomorrow about my broken washing machine.",
    "Hello, I have waited for my parcel since last week. Nobody could tell me where it is.",
    "I would like to cancel my appointment on Friday afternoon and make a new one for next month.",
    "There is a mistake on my last bill. You have charged me for two telephones, but I own only one.",
)
PILE = 8
"""Messages that end at the same moment."""


def measure(quick: bool) -> list[Figure]:
    """Real-time factor, word errors, start, memory, and the lateness of a pile."""
    return asyncio.run(_measure(2 if quick else PILE))


async def _measure(pile: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        speech = Speech(cache_dir=Path(folder))
        try:
            files = [await speech.render_wav(one) for one in MESSAGES]
        finally:
            await speech.close()
        seconds = [len(read(path.read_bytes())) / 8000 for path in files]
        transcriber = Transcriber(engine=DEFAULT)
        began = time.perf_counter()
        await transcriber.transcribe(files[0])
        cold = time.perf_counter() - began
        took: list[float] = []
        wrong = words = 0
        for path, said in zip(files, MESSAGES, strict=True):
            began = time.perf_counter()
            heard = await transcriber.transcribe(path)
            took.append(time.perf_counter() - began)
            wrong += _errors(_words(said), _words(heard.text))
            words += len(_words(said))
        lateness = sorted(
            await asyncio.gather(*(_late(transcriber, files[each % len(files)]) for each in range(pile)))
        )
        await transcriber.close()
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return [
        Figure("real-time factor, one worker", f"{sum(took) / sum(seconds):.2f}", "", "speech.md: 0.19"),
        Figure("word error rate, our own voice", f"{100 * wrong / words:.1f}", "%", "speech.md: 1.1"),
        Figure("first text, process not started", f"{cold:.1f}", "s", ""),
        Figure(
            f"text of a {sum(seconds) / len(seconds):.0f} s message", f"{sum(took) / len(took):.2f}", "s", ""
        ),
        Figure(f"lateness of {pile} at once, median", f"{lateness[len(lateness) // 2]:.1f}", "s", ""),
        Figure(f"lateness of {pile} at once, last", f"{lateness[-1]:.1f}", "s", ""),
        Figure("memory of the largest child process", f"{memory:.0f}", "MB", "speech.md: 266"),
    ]


async def _late(transcriber: Transcriber, path: Path) -> float:
    began = time.perf_counter()
    heard = await transcriber.transcribe(path)
    assert not heard.problem, heard
    return time.perf_counter() - began


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def _errors(wanted: list[str], heard: list[str]) -> int:
    """Words substituted, left out or added (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(wanted, 1):
        before, row[0] = row[0], number
        for index, other in enumerate(heard, 1):
            before, row[index] = row[index], min(row[index] + 1, row[index - 1] + 1, before + (word != other))
    return row[-1]
