"""What the main process and a media worker say to each other, in frames (`ringback.processes.frames`).

A body is a msgpack map with a ``type`` tag; the first that a worker gets are its `Options`. Commands go to the
worker, reports come back. Times are seconds, addresses ``(host, port)``.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from ringback.media import Law as Law

Address = tuple[str, int]
"""IP address literal and UDP port."""

Track = Literal["inbound", "outbound", "both"]
"""What a recording holds: what the leg says, what it hears, or the two."""


class Record(msgspec.Struct, tag=True, frozen=True):
    """Root of every record on the wire; the tag is the class name."""


class Options(msgspec.Struct, frozen=True):
    """First frame on the control socket."""

    bind_host: str
    ports: tuple[int, int]
    """First port and one past the last; equal ends leave the choice to the system."""
    no_audio_seconds: float


# What can be played


class AudioFile(Record, frozen=True):
    """A file of raw µ-law at 8 kHz, one byte a sample."""

    path: str


class Silence(Record, frozen=True):
    """Nothing, for so many seconds."""

    seconds: float


class Tone(Record, frozen=True):
    """One period of a tone of `ringback.media.tones` (``beep``, ``ringback-de``, ``busy`` …)."""

    name: str


class Digits(Record, frozen=True):
    """Keys to send (``0-9 A-D * #``, ``w`` half a second, ``W`` a second): RFC 4733 when negotiated,
    else tones."""

    digits: str


Item = AudioFile | Silence | Tone | Digits


# Commands


class Open(Record, frozen=True):
    """Bind the RTP and RTCP ports of a leg; answered by `Opened` or `OpenFailed`."""

    leg: str
    port: int = 0
    """The RTP port of a leg that comes from another worker; 0: the next free one."""


class Connect(Record, frozen=True):
    """The far side is known (again): address, law, payload types, and which directions are live.

    ``others``: the host from which its audio may come instead, for a while; "": none, ``*``: any, at any time.
    """

    leg: str
    remote: Address
    codec: Law
    payload_type: int
    telephone_event: int | None
    send: bool
    receive: bool
    others: str
    inband: bool


class Play(Record, frozen=True):
    """Play the items from the next tick on, in place of any other playback; ``last`` False leaves it open."""

    leg: str
    playback: str
    items: list[Item]
    loop: int
    last: bool


class Enqueue(Record, frozen=True):
    """More items for a playback that was left open."""

    leg: str
    playback: str
    items: list[Item]
    last: bool


class StopPlayback(Record, frozen=True):
    """End a playback now; nothing happens when it has ended."""

    leg: str
    playback: str


class Record_(Record, frozen=True, tag="Record"):  # noqa: N801 - Record is the root
    """Record the leg into a WAV file; see `MediaPool.record` for the fields."""

    leg: str
    recording: str
    path: str
    channels: Literal[1, 2]
    track: Track
    max_seconds: float | None
    silence_timeout: float | None
    finish_on_silence: bool


class RecordRoom(Record, frozen=True):
    """Record what is said in a room, mixed; it ends by command or with the room. ``owner`` is the ``leg`` of
    its reports."""

    room: str
    recording: str
    path: str
    owner: str


class PauseRecording(Record, frozen=True):
    """Leave the time out (``skip``) or fill it with silence."""

    recording: str
    behavior: Literal["skip", "silence"]


class ResumeRecording(Record, frozen=True):
    """Go on after a pause."""

    recording: str


class StopRecording(Record, frozen=True):
    """End a recording; `RecordingStopped` follows once the file is safe on disk."""

    recording: str


class Join(Record, frozen=True):
    """Put the leg into a room, or change how it takes part in it."""

    leg: str
    room: str
    muted: bool
    hold: bool
    coach: str | None


class Leave(Record, frozen=True):
    """Take the leg out of its room."""

    leg: str


class WatchSpeech(Record, frozen=True):
    """Report by `Speech` when the leg begins and ceases to be heard in its room, or do so no more."""

    leg: str
    on: bool


class Echo(Record, frozen=True):
    """Send the leg its own sound back in place of what it would hear, or do so no more."""

    leg: str
    on: bool


class BoundDelay(Record, frozen=True):
    """To how much delay the leg's jitter buffer may grow."""

    leg: str
    milliseconds: int | None
    """None: as much as it may by itself."""


class Close(Record, frozen=True):
    """Release the leg: its playback and recordings end, its ports are free."""

    leg: str


class Release(Record, frozen=True):
    """Close a leg that goes on in another worker; `Released` says that its ports are free."""

    leg: str


class AskLegStats(Record, frozen=True):
    """Ask for `LegStats`; an unknown leg answers with zeros."""

    leg: str


class AskWorkerStats(Record, frozen=True):
    """Ask for `WorkerStats`."""


Command = (
    Open
    | Connect
    | Play
    | Enqueue
    | StopPlayback
    | Record_
    | RecordRoom
    | PauseRecording
    | ResumeRecording
    | StopRecording
    | Join
    | Leave
    | WatchSpeech
    | Echo
    | BoundDelay
    | Close
    | Release
    | AskLegStats
    | AskWorkerStats
)


# Reports


class Opened(Record, frozen=True):
    """The leg's RTP port is bound."""

    leg: str
    address: Address


class Released(Record, frozen=True):
    """The ports of a leg are free for another worker."""

    leg: str


class OpenFailed(Record, frozen=True):
    """No port could be bound."""

    leg: str
    error: str


class PlaybackDone(Record, frozen=True):
    """A playback ended: exactly one for each `Play`. ``completed`` only when everything was played."""

    leg: str
    playback: str
    position_seconds: float
    completed: bool
    error: str | None = None


class RecordingStarted(Record, frozen=True):
    """The file is open and sound is being collected."""

    leg: str
    recording: str


class RecordingSilence(Record, frozen=True):
    """Nothing was heard for ``seconds``; once for each silence."""

    leg: str
    recording: str
    seconds: float


class RecordingStopped(Record, frozen=True):
    """The file is complete and synced. Reasons: the command, the length, silence, the leg's end, a
    full or broken
    disk, a lost worker (then the file misses at most the last second)."""

    leg: str
    recording: str
    reason: Literal["stopped", "max-length", "silence", "closed", "disk", "lost"]
    seconds: float
    bytes: int
    silent: bool
    speech_bounds: tuple[float, float] | None
    """First and last second in which something was heard."""
    error: str | None = None


class Digit(Record, frozen=True):
    """The far side pressed a key."""

    leg: str
    digit: str
    duration_ms: int
    via: Literal["rfc4733", "inband"]


class Speech(Record, frozen=True):
    """A leg that is watched begins to speak in its room, or has ceased to."""

    leg: str
    speaking: bool


class FirstPacket(Record, frozen=True):
    """The first valid RTP packet since `Connect` arrived."""

    leg: str


class NoAudio(Record, frozen=True):
    """Nothing arrived for so long although the leg should receive; once until something arrives again."""

    leg: str
    seconds: float


class LegLost(Record, frozen=True):
    """The leg's worker died; the leg is closed."""

    leg: str


class LegStats(Record, frozen=True):
    """Counts of one leg since it was opened; times in milliseconds."""

    leg: str
    packets_sent: int = 0
    packets: int = 0
    bytes: int = 0
    lost: int = 0
    ignored: int = 0
    """Datagrams refused: not RTP, from elsewhere, or of an unknown payload type."""
    send_errors: int = 0
    late_max_ms: float = 0.0
    """Latest packet behind its 20 ms slot."""
    jitter_ms: float = 0.0


class WorkerStats(Record, frozen=True):
    """How a worker does: lateness is the end of a tick's sending against its due time, over the last
    minute."""

    pid: int
    legs: int
    ticks: int
    ticks_skipped: int
    late_max_ms: float
    late_p99_ms: float
    cpu_seconds: float
    rss_bytes: int
    recordings: int


class CommandFailed(Record, frozen=True):
    """A command could not be carried out (unknown leg, file not writable …); the worker goes on."""

    command: str
    subject: str
    error: str


Report = (
    Opened
    | Released
    | OpenFailed
    | PlaybackDone
    | RecordingStarted
    | RecordingSilence
    | RecordingStopped
    | Digit
    | Speech
    | FirstPacket
    | NoAudio
    | LegLost
    | LegStats
    | WorkerStats
    | CommandFailed
)

_encoder = msgspec.msgpack.Encoder()


def body(record: Record | Options) -> bytes:
    """One record as the body of a frame."""
    return _encoder.encode(record)
