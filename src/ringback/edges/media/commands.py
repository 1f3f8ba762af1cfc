"""What a worker holds (legs, rooms, recordings) and the commands that change it, one method each."""

from __future__ import annotations

import ipaddress
import select
import socket
from collections.abc import Callable

from ringback.edges.media import protocol as p
from ringback.edges.media.leg import Leg
from ringback.edges.media.playback import Playback, Shelf, Unplayable
from ringback.edges.media.recording import Disk, Reason, Recording
from ringback.media import RATE
from ringback.media.activity import Activity
from ringback.media.jitter import MAX_DELAY


class MediaGateway:
    """The state of one worker between two ticks; to the main process it is what a media gateway is to its controller
    (RFC 3435). ``say`` takes the reports and must be safe from a thread."""

    def __init__(self, say: Callable[[p.Report], None]) -> None:
        self.say = say
        self.host, self.ports = "127.0.0.1", (0, 0)
        """Where legs are bound: first port and one past the last; equal ends leave it to the system."""
        self.tick = 0
        self.legs: dict[str, Leg] = {}
        self.by_fd: dict[int, Leg] = {}
        self.rooms: dict[str, dict[str, p.Join]] = {}
        self.recordings: dict[str, tuple[Leg | None, Recording]] = {}
        """By name, with their leg; None: of a room."""
        self.room_recordings: dict[str, list[Recording]] = {}
        self.watched: dict[str, Activity] = {}
        """Legs of which somebody wants to know when they speak."""
        self.audio = select.epoll()
        self._shelf = Shelf()
        self.disk = Disk(say)
        self._port = 0
        self.handlers: dict[type, Callable[..., None]] = {
            p.Open: self.open, p.Connect: self.connect, p.Play: self.play, p.Enqueue: self.enqueue,
            p.StopPlayback: self.stop_playback, p.Record_: self.record, p.PauseRecording: self.pause,
            p.RecordRoom: self.record_room,
            p.ResumeRecording: self.resume, p.StopRecording: self.stop_recording, p.Join: self.join,
            p.WatchSpeech: self.watch_speech, p.BoundDelay: self.bound_delay, p.Echo: self.echo,
            p.Leave: self.leave, p.Close: self.close, p.Release: self.release, p.AskLegStats: self.leg_stats,
        }  # fmt: skip

    def carry_out(self, command: p.Command) -> None:
        """Carry out one command; what cannot be done is reported as `CommandFailed`."""
        subject = str(getattr(command, "recording", None) or getattr(command, "leg", ""))
        try:
            self.handlers[type(command)](command)
        except KeyError as error:
            self.say(p.CommandFailed(type(command).__name__, subject, f"unknown: {error}"))
        except (OSError, ValueError) as error:
            self.say(p.CommandFailed(type(command).__name__, subject, str(error)))

    def open(self, command: p.Open) -> None:
        """Bind the leg's ports."""
        if command.leg in self.legs:
            self.say(p.OpenFailed(command.leg, "the leg is open already"))
            return
        try:
            rtp, rtcp = self.bind(command.port)
        except OSError as error:
            self.say(p.OpenFailed(command.leg, str(error)))
            return
        leg = self.legs[command.leg] = Leg(command.leg, rtp, rtcp)
        self.by_fd[rtp.fileno()] = leg
        self.audio.register(rtp.fileno(), select.EPOLLIN)
        self.say(p.Opened(command.leg, rtp.getsockname()[:2]))

    def bind(self, wanted: int = 0) -> tuple[socket.socket, socket.socket | None]:
        """An RTP socket on an even port and its RTCP neighbour; the next free pair of the range in turn, or
        ``wanted`` and its neighbour."""
        low, high = self.ports
        host = self.host
        if low == high:
            return _bound(host, wanted), None
        pairs = (high - low) // 2
        for _ in range(1 if wanted else pairs):
            port = wanted or low + 2 * (self._port % pairs)
            self._port += 0 if wanted else 1
            try:
                rtp = _bound(host, port)
            except OSError:
                continue
            try:
                rtcp = _bound(host, port + 1)
            except OSError:
                rtp.close()
                continue
            rtcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # never read; the kernel drops the rest
            return rtp, rtcp
        raise OSError("no free RTP port")

    def connect(self, command: p.Connect) -> None:
        """Set or change the far side; raises ValueError for an address that is no IP literal."""
        leg = self.legs[command.leg]
        ipaddress.ip_address(command.remote[0])  # a name would have every packet wait for a resolver
        leg.connect(command, self.tick)
        self.consider(leg)

    def consider(self, leg: Leg) -> None:
        """Decide whether the incoming sound is needed; begin afresh when it becomes so."""
        wanted = leg.room is not None or leg.echo or bool(leg.recordings)
        wanted = wanted or (leg.link is not None and leg.link.inband)
        if wanted and not leg.listening:
            leg.jitter.reset()
        leg.listening = wanted

    def play(self, command: p.Play) -> None:
        """Begin a playback; one that still runs ends incomplete."""
        leg = self.legs.get(command.leg)
        if leg is None:
            self.say(p.PlaybackDone(command.leg, command.playback, 0.0, False, "no such leg"))
            return
        if leg.playback is not None:
            self.end_playback(leg, completed=False)
        events = leg.link is not None and leg.link.telephone_event is not None
        playback = Playback(
            command.playback, self._shelf, loop=command.loop, events=events, open_=not command.last
        )
        try:
            playback.add(command.items)
        except Unplayable as error:
            self.say(p.PlaybackDone(leg.name, command.playback, 0.0, False, str(error)))
            return
        leg.playback = playback
        leg.mark()

    def enqueue(self, command: p.Enqueue) -> None:
        """More items for the playback that runs; without effect when it has ended."""
        playback = self.legs[command.leg].playback
        if playback is None or playback.name != command.playback:
            return
        try:
            playback.add(command.items)
        except Unplayable as error:
            self.end_playback(self.legs[command.leg], completed=False, error=str(error))
            return
        playback.open = not command.last

    def stop_playback(self, command: p.StopPlayback) -> None:
        """End the playback if it still runs."""
        leg = self.legs.get(command.leg)
        if leg is not None and leg.playback is not None and leg.playback.name == command.playback:
            self.end_playback(leg, completed=False)

    def end_playback(self, leg: Leg, *, completed: bool, error: str | None = None) -> None:
        """Report the end of the leg's playback."""
        assert leg.playback is not None
        self.say(p.PlaybackDone(leg.name, leg.playback.name, leg.playback.position, completed, error))
        leg.playback = None

    def record(self, command: p.Record_) -> None:
        """Begin a recording."""
        leg = self.legs[command.leg]
        if command.recording in self.recordings:
            self.say(p.CommandFailed("Record", command.recording, "the recording runs already"))
            return
        recording = Recording(command, leg.law)
        leg.recordings.append(recording)
        self.recordings[command.recording] = leg, recording
        self.disk.open(recording)
        self.consider(leg)

    def record_room(self, command: p.RecordRoom) -> None:
        """Begin a recording of a room; of one that nobody is in there is nothing to record."""
        if command.recording in self.recordings:
            self.say(p.CommandFailed("RecordRoom", command.recording, "the recording runs already"))
            return
        wanted = p.Record_(command.owner, command.recording, command.path, 1, "inbound", None, None, False)
        recording = Recording(wanted, "PCMU")
        self.recordings[command.recording] = None, recording
        self.room_recordings.setdefault(command.room, []).append(recording)
        self.disk.open(recording)
        if command.room not in self.rooms:
            self.finish(None, recording, "closed")

    def pause(self, command: p.PauseRecording) -> None:
        """Pause."""
        self.recordings[command.recording][1].paused = command.behavior

    def resume(self, command: p.ResumeRecording) -> None:
        """Go on."""
        recording = self.recordings[command.recording][1]
        recording.paused = ""
        recording.last_sound = max(recording.last_sound, recording.ticks)

    def stop_recording(self, command: p.StopRecording) -> None:
        """End by command; one that has ended by itself is no error."""
        if command.recording in self.recordings:
            self.finish(*self.recordings[command.recording], "stopped")

    def finish(self, leg: Leg | None, recording: Recording, reason: Reason) -> None:
        """Hand the rest to the disk; the report comes from there. ``leg`` None: a recording of a room."""
        del self.recordings[recording.command.recording]
        self.disk.finish(recording, reason)
        if leg is not None:
            leg.recordings.remove(recording)
            self.consider(leg)
            return
        for room, recordings in list(self.room_recordings.items()):
            if recording in recordings:
                recordings.remove(recording)
            if not recordings:
                del self.room_recordings[room]

    def join(self, command: p.Join) -> None:
        """Into a room, or another way of being in it."""
        leg = self.legs[command.leg]
        if leg.room not in (None, command.room):
            self.leave(p.Leave(leg.name))
        self.rooms.setdefault(command.room, {})[leg.name] = command
        leg.room = command.room
        self.consider(leg)

    def leave(self, command: p.Leave) -> None:
        """Out of the room; an empty room is gone."""
        leg = self.legs[command.leg]
        if leg.room is None:
            return
        members = self.rooms[leg.room]
        del members[leg.name]
        if not members:
            del self.rooms[leg.room]
            for recording in list(self.room_recordings.get(leg.room, ())):
                self.finish(None, recording, "closed")
        leg.room = None
        self.consider(leg)

    def watch_speech(self, command: p.WatchSpeech) -> None:
        """Follow what the leg says, or no more; a second order to do so changes nothing."""
        if not command.on:
            self.watched.pop(command.leg, None)
        elif command.leg in self.legs:
            self.watched.setdefault(command.leg, Activity())

    def echo(self, command: p.Echo) -> None:
        """Begin or end to send the leg its own sound back."""
        leg = self.legs[command.leg]
        leg.echo = command.on
        self.consider(leg)

    def bound_delay(self, command: p.BoundDelay) -> None:
        """Let the jitter buffer grow to so much, also after a re-INVITE."""
        leg = self.legs[command.leg]
        most = MAX_DELAY if command.milliseconds is None else command.milliseconds * RATE // 1000
        leg.most_delay = most
        leg.jitter.bound(most)

    def close(self, command: p.Close) -> None:
        """Release a leg with everything it holds; closing twice is no error."""
        leg = self.legs.get(command.leg)
        if leg is None:
            return
        if leg.playback is not None:
            self.end_playback(leg, completed=False)
        for recording in list(leg.recordings):
            self.finish(leg, recording, "closed")
        self.leave(p.Leave(leg.name))
        self.watched.pop(leg.name, None)
        del self.legs[leg.name]
        del self.by_fd[leg.rtp.fileno()]
        self.audio.unregister(leg.rtp.fileno())
        leg.close()

    def release(self, command: p.Release) -> None:
        """Close a leg, and say that its ports may be bound elsewhere."""
        self.close(p.Close(command.leg))
        self.say(p.Released(command.leg))

    def leg_stats(self, command: p.AskLegStats) -> None:
        """Counts of a leg."""
        leg = self.legs.get(command.leg)
        if leg is None:
            self.say(p.LegStats(command.leg))
            return
        r = leg.receipt
        self.say(
            p.LegStats(
                leg.name, leg.sent, r.packets, r.octets, r.lost, leg.ignored, leg.send_errors,
                leg.late_max * 1000, r.jitter_ms,
            )
        )  # fmt: skip


def _bound(host: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    try:
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made
