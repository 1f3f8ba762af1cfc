"""Playbacks on simulated legs: what the party hears, piece by piece, each ended by an alarm."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from ringback.edges.simulator.party import Party, Playing
from ringback.edges.simulator.sound import Piece, piece
from ringback.effects import PlayAudio
from ringback.events import Event, PlaybackEnded
from ringback.kernel.clock import Clock

FETCH_FAILED = 11200
"""The error code of a sound whose failure names none (errors.md)."""
SHORTEST_ROUND = 0.02


class Listening:
    """Plays to parties; every playback of a living leg is answered by exactly one ``PlaybackEnded``."""

    def __init__(
        self,
        *,
        clock: Clock,
        post: Callable[[Event], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        seconds_of: Callable[[str, str], Awaitable[float]] | None,
        reached: Callable[[Party, str, str], None],
    ) -> None:
        """``reached(party, kind, text)`` is told whenever a piece was heard to its end."""
        self._clock = clock
        self._post = post
        self._spawn = spawn
        self._seconds_of = seconds_of
        self._reached = reached

    def play(self, party: Party, effect: PlayAudio) -> None:
        """Start a playback."""
        playing = Playing(
            effect.playback, [piece(item) for item in effect.items], effect.loop, self._clock.now(),
            effect.account_sid,
        )  # fmt: skip
        party.playing[effect.playback] = playing
        self._go_on(party, playing)

    def stop(self, party: Party, playback: str) -> None:
        """Stop a playback now; none of that name is fine."""
        playing = party.playing.get(playback)
        if playing is not None:
            self._over(party, playing, completed=False)

    def close(self, party: Party) -> None:
        """The leg is over: no event is owed any more."""
        for playing in party.playing.values():
            if playing.alarm is not None:
                playing.alarm.cancel()
        party.playing.clear()

    def _go_on(self, party: Party, playing: Playing) -> None:
        """Begin the next piece, or end."""
        if playing.at == len(playing.pieces):
            playing.at = 0
            playing.round += 1
            if playing.endless:
                return  # it sounds on, but nothing new will be heard: no alarm until somebody stops it
            if playing.round >= playing.rounds:
                self._over(party, playing, completed=True)
                return
        if not playing.pieces:
            self._alarm(party, playing, 0.0)
            return
        now = playing.pieces[playing.at]
        if now.url:
            self._spawn(self._fetched(party, playing, now))
        else:
            self._begin(party, playing, now, now.seconds)

    async def _fetched(self, party: Party, playing: Playing, sound: Piece) -> None:
        try:
            if self._seconds_of is None:
                raise ValueError("sounds from URLs are not available here")
            seconds = await self._seconds_of(sound.url, playing.account)
        except Exception as error:  # noqa: BLE001 - reported as the playback's end
            if party.playing.get(playing.id) is playing:
                code = getattr(error, "code", FETCH_FAILED)
                self._over(party, playing, completed=False, code=code, text=str(error))
            return
        if party.playing.get(playing.id) is playing:
            self._begin(party, playing, sound, seconds)

    def _begin(self, party: Party, playing: Playing, now: Piece, seconds: float | None) -> None:
        party.hear(self._clock.now(), now.kind, now.text)
        for take in party.takes.values():
            if now.kind != "silence":
                kind = "speech" if now.kind == "say" else "tone"
                take.sound(self._clock.now(), 0.0 if seconds is None else seconds, 1, kind, now.text)
        if party.playing.get(playing.id) is not playing:
            return  # a watcher ended it
        if seconds is None:
            self._reached(party, now.kind, now.text)
            return
        self._alarm(party, playing, max(seconds, SHORTEST_ROUND if playing.rounds > 1 else 0.0))

    def _alarm(self, party: Party, playing: Playing, seconds: float) -> None:
        playing.alarm = self._clock.call_at(
            self._clock.now() + seconds, lambda: self._heard(party, playing), pulls=not playing.endless
        )

    def _heard(self, party: Party, playing: Playing) -> None:
        if party.playing.get(playing.id) is not playing:
            return
        if not playing.pieces:
            self._over(party, playing, completed=True)
            return
        heard = playing.pieces[playing.at]
        playing.at += 1
        self._reached(party, heard.kind, heard.text)
        if party.playing.get(playing.id) is playing:
            self._go_on(party, playing)

    def _over(
        self, party: Party, playing: Playing, *, completed: bool, code: int | None = None, text: str = ""
    ) -> None:
        del party.playing[playing.id]
        if playing.alarm is not None:
            playing.alarm.cancel()
        self._post(
            PlaybackEnded(
                call_sid=party.sid,
                playback=playing.id,
                seconds=self._clock.now() - playing.started,
                completed=completed,
                error_code=code,
                error_text=text,
            )
        )
