"""The media worker process: ``python -m ringback.edges.media.worker FD`` with the control socket as FD.

One loop: every 20 ms by an absolute clock it reads all sockets, then sends one frame for every leg. It
ends when the
control socket closes, so it never outlives the main process.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from ringback.edges.media import protocol as p
from ringback.edges.media.leg import Leg
from ringback.edges.media.playback import Playback, Shelf, Unplayable
from ringback.edges.media.recording import Disk, Reason, Recording
from ringback.edges.media.room import Heard, hear
from ringback.media import FRAME_SECONDS
from ringback.media.dtmf import detect
from ringback.media.g711 import decode, encode, transcode
from ringback.media.mix import add

_CATCH_UP: Final = 5
"""Ticks behind (100 ms) up to which the missed frames are still sent; beyond, time is skipped."""

_ROUNDS: Final = 6
"""Datagrams taken from one socket in one tick; a flood beyond it stays in the kernel and is dropped there."""

_MOST_OWED: Final = 16 * 1024 * 1024
"""Bytes of unread reports after which the main process counts as stuck and the worker ends."""


class Options(msgspec.Struct, frozen=True):
    """First frame on the control socket."""

    bind_host: str
    ports: tuple[int, int]
    """First port and one past the last; equal ends leave the choice to the system."""
    no_audio_seconds: float


class Worker:
    """Legs, rooms and recordings of one process."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.reader = p.FrameReader()
        self.decoder = msgspec.msgpack.Decoder(p.Command)
        self.options: Options | None = None
        self.legs: dict[str, Leg] = {}
        self.by_fd: dict[int, Leg] = {}
        self.rooms: dict[str, dict[str, p.Join]] = {}
        self.recordings: dict[str, tuple[Leg, Recording]] = {}
        self.shelf = Shelf()
        self.tick = self.skipped = 0
        self.late: deque[float] = deque(maxlen=3000)
        self.port = 0
        self.owed = bytearray()
        self.reports: deque[p.Report] = deque()
        self.disk = Disk(self.reports.append)  # deque.append is atomic
        self.audio = select.epoll()
        self.alive = True
        self.handlers: dict[type, Callable[..., None]] = {
            p.Open: self.open, p.Connect: self.connect, p.Play: self.play, p.Enqueue: self.enqueue,
            p.StopPlayback: self.stop_playback, p.Record_: self.record, p.PauseRecording: self.pause,
            p.ResumeRecording: self.resume, p.StopRecording: self.stop_recording, p.Join: self.join,
            p.Leave: self.leave, p.Close: self.close, p.AskLegStats: self.leg_stats,
            p.AskWorkerStats: self.worker_stats,
        }  # fmt: skip

    # the loop

    def run(self) -> None:
        """Tick until the control socket closes; then finish the recordings."""
        due = time.monotonic()
        while self.alive:
            due += FRAME_SECONDS
            while self.alive and (rest := due - time.monotonic()) > 0:
                if select.select([self.control], [], [], rest)[0]:
                    self.read_control()
            behind = int((time.monotonic() - due) / FRAME_SECONDS)
            if behind > _CATCH_UP:
                self.skipped += behind
                due += behind * FRAME_SECONDS
                for leg in self.legs.values():
                    leg.skip(behind)
            self.run_tick()
            lateness = time.monotonic() - due
            self.late.append(lateness)
            for leg in self.legs.values():
                if lateness > leg.late_max and leg.link is not None:
                    leg.late_max = lateness
            self.flush()
        for name in list(self.legs):
            self.close(p.Close(name))
        self.disk.stop()

    def run_tick(self) -> None:
        """Receive, route, send, record: one 20 ms step of every leg."""
        self.tick += 1
        self.receive()
        said: dict[str, Heard | None] = {}
        tonal: list[tuple[Leg, bytes]] = []
        for leg in self.legs.values():
            if leg.listening:
                frame = leg.jitter.pull()
                said[leg.name] = None if frame is None else (frame, leg.law)
                if frame is not None and leg.link is not None and leg.link.inband:
                    tonal.append((leg, frame))
        heard: dict[str, bytes | None] = {}
        for members in self.rooms.values():
            heard.update(hear(members, said, {name: self.legs[name].law for name in members}))
        for leg in self.legs.values():
            if leg.events.active:
                for press in leg.events.tick():
                    self.say(p.Digit(leg.name, press.key, press.duration_ms, "rfc4733"))
            if leg.link is not None:
                out = self.speak(leg, heard.get(leg.name))
                if leg.recordings:
                    self.collect(leg, said.get(leg.name), out)
        if tonal:
            self.find_keys(tonal)
        if self.tick % 50 == 0:
            self.notice_silence()

    def receive(self) -> None:
        """Read every socket that holds something."""
        if not self.by_fd:
            return
        for _ in range(_ROUNDS):
            ready = self.audio.poll(0, len(self.by_fd))
            if not ready:
                return
            for fd, _event in ready:
                leg = self.by_fd[fd]
                try:
                    datagram, source = leg.rtp.recvfrom(2048)
                except OSError:  # an ICMP error of a packet that we sent; nothing to read
                    continue
                for press in leg.receive(datagram, source, self.tick):
                    self.say(p.Digit(leg.name, press.key, press.duration_ms, "rfc4733"))
                if not leg.heard_any and leg.receipt.packets:
                    leg.heard_any = True
                    self.say(p.FirstPacket(leg.name))

    def speak(self, leg: Leg, room: bytes | None) -> bytes:
        """Send the leg's frame of this tick and return it, in the leg's law."""
        playback = leg.playback
        sound = None
        if playback is not None:
            sound = playback.next()
            if playback.events is not None:
                leg.send_events(playback.events)
                return leg.silence
            if sound is None:
                self.end_playback(leg, completed=True)
        if sound is not None:
            frame = transcode(sound, "PCMU", leg.law)
            if room is not None:
                frame = encode(add(decode(frame, leg.law), decode(room, leg.law)), leg.law)
        else:
            frame = leg.silence if room is None else room
        leg.send(frame)
        return frame

    def collect(self, leg: Leg, said: Heard | None, out: bytes) -> None:
        """Give the tick's two frames to the leg's recordings, and end those that are full or silent."""
        for recording in list(leg.recordings):
            inbound = said[0] if said is not None else None
            if recording.law != leg.law:
                inbound = None if inbound is None else transcode(inbound, leg.law, recording.law)
                out = transcode(out, leg.law, recording.law)
            if recording.note(inbound, out):
                self.disk.append(recording)
            command = recording.command
            if command.max_seconds is not None and recording.seconds >= command.max_seconds:
                self.finish(leg, recording, "max-length")
            elif (
                command.silence_timeout
                and not recording.told_silence
                and not recording.paused
                and recording.silence >= command.silence_timeout
            ):
                recording.told_silence = True
                self.say(p.RecordingSilence(leg.name, command.recording, recording.silence))
                if command.finish_on_silence:
                    self.finish(leg, recording, "silence")

    def find_keys(self, tonal: list[tuple[Leg, bytes]]) -> None:
        """In-band keys of all legs that want them, in one matrix product."""
        import numpy as np

        windows = np.concatenate([leg.tones.windows(decode(frame, leg.law)) for leg, frame in tonal])
        keys = detect(windows)
        for at, (leg, _) in enumerate(tonal):
            for press in leg.tones.push(keys[2 * at : 2 * at + 2]):
                self.say(p.Digit(leg.name, press.key, press.duration_ms, "inband"))

    def notice_silence(self) -> None:
        """Once a second: which legs hear nothing."""
        limit = self.options.no_audio_seconds if self.options else 0
        for leg in self.legs.values():
            if leg.link is None or not leg.link.receive:
                continue
            seconds = (self.tick - leg.heard_at) * FRAME_SECONDS
            if seconds < limit:
                leg.told_silence = False
            elif limit and not leg.told_silence:
                leg.told_silence = True
                self.say(p.NoAudio(leg.name, seconds))

    # control

    def say(self, report: p.Report) -> None:
        """Queue a report; `flush` sends it at the end of the tick."""
        self.reports.append(report)

    def flush(self) -> None:
        """Send what is queued without waiting."""
        while self.reports:
            self.owed += p.frame(self.reports.popleft())
        if not self.owed:
            return
        try:
            del self.owed[: self.control.send(self.owed)]
        except BlockingIOError:
            if len(self.owed) > _MOST_OWED:
                self.alive = False
        except OSError:  # the main process is gone
            self.alive = False

    def read_control(self) -> None:
        """Carry out the commands that arrived; the end of the stream ends the worker."""
        try:
            data = self.control.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.alive = False
            return
        for body in self.reader.feed(data):
            if self.options is None:
                self.options = msgspec.msgpack.decode(body, type=Options)
                continue
            command = self.decoder.decode(body)
            subject = str(getattr(command, "recording", None) or getattr(command, "leg", ""))
            try:
                self.handlers[type(command)](command)
            except KeyError as error:
                self.say(p.CommandFailed(type(command).__name__, subject, f"unknown: {error}"))
            except OSError as error:
                self.say(p.CommandFailed(type(command).__name__, subject, str(error)))
        self.flush()

    def open(self, command: p.Open) -> None:
        """Bind the leg's ports."""
        if command.leg in self.legs:
            self.say(p.OpenFailed(command.leg, "the leg is open already"))
            return
        try:
            rtp, rtcp = self.bind()
        except OSError as error:
            self.say(p.OpenFailed(command.leg, str(error)))
            return
        leg = self.legs[command.leg] = Leg(command.leg, rtp, rtcp)
        self.by_fd[rtp.fileno()] = leg
        self.audio.register(rtp.fileno(), select.EPOLLIN)
        self.say(p.Opened(command.leg, rtp.getsockname()[:2]))

    def bind(self) -> tuple[socket.socket, socket.socket | None]:
        """An RTP socket on an even port and its RTCP neighbour; the next free pair of the range in turn."""
        assert self.options is not None
        low, high = self.options.ports
        host = self.options.bind_host
        if low == high:
            return _bound(host, 0), None
        pairs = (high - low) // 2
        for _ in range(pairs):
            port = low + 2 * (self.port % pairs)
            self.port += 1
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
        """Set or change the far side."""
        leg = self.legs[command.leg]
        leg.connect(command, self.tick)
        self.consider(leg)

    def consider(self, leg: Leg) -> None:
        """Decide whether the incoming sound is needed; begin afresh when it becomes so."""
        wanted = leg.room is not None or bool(leg.recordings) or (leg.link is not None and leg.link.inband)
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
            command.playback, self.shelf, loop=command.loop, events=events, open_=not command.last
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

    def finish(self, leg: Leg, recording: Recording, reason: Reason) -> None:
        """Hand the rest to the disk; the report comes from there."""
        leg.recordings.remove(recording)
        del self.recordings[recording.command.recording]
        self.disk.finish(recording, reason)
        self.consider(leg)

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
        leg.room = None
        self.consider(leg)

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
        del self.legs[leg.name]
        del self.by_fd[leg.rtp.fileno()]
        self.audio.unregister(leg.rtp.fileno())
        leg.close()

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

    def worker_stats(self, _: p.AskWorkerStats) -> None:
        """Lateness and consumption of the process."""
        late = sorted(self.late) or [0.0]
        usage = resource.getrusage(resource.RUSAGE_SELF)
        with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - the hot process avoids Path
            rss = int(statm.read().split()[1]) * resource.getpagesize()
        self.say(
            p.WorkerStats(
                os.getpid(), len(self.legs), self.tick, self.skipped, late[-1] * 1000,
                late[int(len(late) * 0.99)] * 1000, usage.ru_utime + usage.ru_stime, rss,
                len(self.recordings),
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


def main() -> None:
    """Run on the control socket whose descriptor is the first argument."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the main process decides when audio ends
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sys.setswitchinterval(0.0005)  # the disk thread must not hold up a tick
    control = socket.socket(fileno=int(sys.argv[1]))
    control.setblocking(False)
    Worker(control).run()


if __name__ == "__main__":
    main()
