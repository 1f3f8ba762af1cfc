"""The words of simulated parties: kept while they are needed, in order, and only what the party said."""

from __future__ import annotations

from pathlib import Path

from ringback.edges.simulator.take import Take
from ringback.edges.transcription.spoken import Spoken
from ringback.effects import RecordLeg

SID = "RE" + "1" * 32


async def test_words_are_kept_until_they_are_forgotten(tmp_path: Path) -> None:
    Spoken(tmp_path / "spoken").note(SID, "grüß Gott")
    after_a_crash = Spoken(tmp_path / "spoken")
    for _ in range(2):
        assert (await after_a_crash.transcribe(tmp_path / f"{SID}.wav")).text == "grüß Gott"
    after_a_crash.forget(SID)
    after_a_crash.forget(SID)
    heard = await after_a_crash.transcribe(tmp_path / f"{SID}.wav")
    assert (heard.text, heard.crashed) == ("", False)
    assert heard.problem


def test_a_take_knows_what_its_party_said_and_nothing_else() -> None:
    take = Take(RecordLeg(call_sid="CA1", recording_sid=SID), 10.0)
    take.sound(11.0, 1.0, 0, "speech", "hello there")
    take.sound(12.0, 1.0, 1, "speech", "what the other side says")
    take.sound(13.0, 0.1, 0, "keys", "5")
    take.pause(14.0, skip=True)
    take.sound(14.5, 1.0, 0, "speech", "said during a pause")
    take.resume(16.0)
    take.sound(17.0, 1.0, 0, "speech", "good bye")
    assert take.words() == "hello there good bye"
