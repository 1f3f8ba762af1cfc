"""The whole way with nothing replaced: a simulated caller's speech becomes audio, the recording becomes words."""

from __future__ import annotations

import re
from pathlib import Path

from ringback.testing.world import world

WORDS = "Good morning this is Maria please call me back tomorrow about my broken washing machine"


async def test_what_a_simulated_caller_says_is_heard_by_the_real_engine(tmp_path: Path) -> None:
    async with world(tmp_path, transcription="whisper") as ringback:
        ringback.app("/told", "")
        ringback.app("/after", "<Response/>")
        ringback.app(
            "/voice",
            "<Response><Record action='/after' finishOnKey='#' transcribe='true' "
            "transcribeCallback='/told'/></Response>",
        )
        number = await ringback.number("+15550123", voice="/voice")
        script = [{"expect": "beep"}, {"wait": 1}, {"say": WORDS}, {"wait": 1}, {"press": "#"}]
        caller = await ringback.call(number, script=script)
        await caller.ends()
        before = ringback.clock.now()
        await ringback.settled()
        (told,) = ringback.requests("/told")
        assert told["TranscriptionStatus"] == "completed"
        heard = set(re.findall(r"[a-z]+", told["TranscriptionText"].lower()))
        assert len(set(WORDS.lower().split()) - heard) <= 2, told["TranscriptionText"]
        assert ringback.clock.now() == before
        figures = await ringback.product.figures()
        assert figures["transcription_processes"] == 1
        assert figures["transcriptions_waiting"] == 0
