"""The media worker process: ``python -m ringback.edges.media.worker FD`` with the control socket as FD.

One loop: every 20 ms by an absolute clock it reads all sockets, then sends one frame for every leg. Half-way
between two ticks it reads them once more: that halves the reading which delays the sending, and tells which
streams come so early in the 20 ms that the very next tick can send them on. It ends when the control socket
closes, so it never outlives the main process.
"""

from __future__ import annotations

import os
import resource
import select
import socket
import sys
import time
from collections import deque
from typing import Final

import msgspec

from ringback.edges.media import protocol as p
from ringback.edges.media.commands import MediaGateway
from ringback.edges.media.leg import Leg
from ringback.edges.media.room import Heard, hear, public
from ringback.media import FRAME_SECONDS
from ringback.media.dtmf import detect
from ringback.media.g711 import decode, encode, transcode
from ringback.media.mix import add
from ringback.processes.child import inherited
from ringback.processes.frames import Frames, frame

_CATCH_UP: Final = 5
"""Ticks behind (100 ms) up to which the missed frames are still sent; beyond, time is skipped."""

_HALF: Final = FRAME_SECONDS / 2

_EARLY: Final = 0.008
"""Seconds before the tick until which the reading between two ticks may be done: what was there by then has
at least so much room for jitter when the tick sends it on."""

_ROUNDS: Final = 3
"""Datagrams taken from one socket in half a tick; a flood beyond it stays in the kernel and is dropped there."""

_MOST_OWED: Final = 16 * 1024 * 1024
"""Bytes of unread reports after which the main process counts as stuck and the worker ends."""


class Worker:
    """The loop and the control socket of one process; what it works on is the `MediaGateway`."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.frames = Frames()
        self.decoder = msgspec.msgpack.Decoder(p.Command)
        self.options: p.Options | None = None
        self.skipped = 0
        self.late: deque[float] = deque(maxlen=3000)
        self.owed = bytearray()
        self.reports: deque[p.Report] = deque()
        self.gateway = MediaGateway(self.reports.append)  # deque.append is atomic
        self.gateway.handlers[p.AskWorkerStats] = self.worker_stats
        self.alive = True

    # the loop

    def run(self) -> None:
        """Tick until the control socket closes; then finish the recordings."""
        # Each tick is due 20 ms after the last one was *due*, not after it was done: what a tick takes must not add up,
        # or the far sides' jitter buffers would run dry at the pace of our delays.
        due = time.monotonic()
        while self.alive:
            due += FRAME_SECONDS
            self.wait(due - _HALF)
            # A process that is late has no time to read early; the tick reads everything anyway.
            if self.alive and time.monotonic() < due - _EARLY:
                self.receive(early=True)
            self.wait(due)
            # A few missed frames are sent in a burst, which a jitter buffer levels out. After a longer stop (the
            # core was taken away) that would be a flood of old sound: the time is skipped instead, and the RTP
            # timestamps say so.
            behind = int((time.monotonic() - due) / FRAME_SECONDS)
            if behind > _CATCH_UP:
                self.skipped += behind
                due += behind * FRAME_SECONDS
                for leg in self.gateway.legs.values():
                    leg.skip(behind)
            self.run_tick()
            # Measured after the work: what the last leg's packet was late, which is what somebody hears.
            lateness = time.monotonic() - due
            self.late.append(lateness)
            for leg in self.gateway.legs.values():
                if lateness > leg.late_max and leg.link is not None:
                    leg.late_max = lateness
            self.flush()  # last: no packet waits for what the main process is told
        for name in list(self.gateway.legs):
            self.gateway.close(p.Close(name))
        self.gateway.disk.stop()

    def wait(self, until: float) -> None:
        """Carry out commands until that time of the monotonic clock."""
        # Only the control socket wakes it: audio that comes meanwhile waits in the kernel for the next reading, so a
        # thousand streams cost two wake-ups in 20 ms and not a thousand.
        while self.alive and (rest := until - time.monotonic()) > 0:
            if select.select([self.control], [], [], rest)[0]:
                self.read_control()

    def run_tick(self) -> None:
        """Receive, route, send, record: one 20 ms step of every leg."""
        # Everybody is heard before anybody is spoken to, so that what came in this tick leaves in this tick: a room
        # adds no delay of its own, in whatever order its legs stand.
        self.gateway.tick += 1
        self.receive()
        said: dict[str, Heard | None] = {}
        tonal: list[tuple[Leg, bytes]] = []
        for leg in self.gateway.legs.values():
            if leg.listening:
                frame = leg.jitter.pull()
                said[leg.name] = None if frame is None else (frame, leg.law)
                if frame is not None and leg.link is not None and leg.link.inband:
                    tonal.append((leg, frame))
        if self.gateway.watched:
            self.follow_speech(said)
        heard: dict[str, bytes | None] = {}
        for members in self.gateway.rooms.values():
            heard.update(hear(members, said, {name: self.gateway.legs[name].law for name in members}))
        for leg in self.gateway.legs.values():
            if leg.echo:
                own = said.get(leg.name)
                heard[leg.name] = None if own is None else own[0]
        for room, recordings in self.gateway.room_recordings.items():
            frame = public(self.gateway.rooms[room], said)
            for recording in recordings:
                if recording.note(frame, None):
                    self.gateway.disk.append(recording)
        for leg in self.gateway.legs.values():
            if leg.events.active:
                for press in leg.events.tick():
                    self.say(p.Digit(leg.name, press.key, press.duration_ms, "rfc4733"))
            if leg.link is not None:
                out = self.speak(leg, heard.get(leg.name))
                if leg.recordings:
                    self.collect(leg, said.get(leg.name), out)
        if tonal:
            self.find_keys(tonal)
        if self.gateway.tick % 50 == 0:
            self.notice_silence()

    def receive(self, *, early: bool = False) -> None:
        """Read every socket that holds something; ``early``: half a tick before the tick that it is for."""
        if not self.gateway.by_fd:
            return
        tick = self.gateway.tick + early
        for _ in range(_ROUNDS):
            ready = self.gateway.audio.poll(0, len(self.gateway.by_fd))
            if not ready:
                return
            for fd, _event in ready:
                leg = self.gateway.by_fd[fd]
                try:
                    datagram, source = leg.rtp.recvfrom(2048)
                except OSError:  # an ICMP error of a packet that we sent; nothing to read
                    continue
                for press in leg.receive(datagram, source, tick, early=early):
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
                self.gateway.end_playback(leg, completed=True)
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
            outbound = out
            if recording.law != leg.law:
                inbound = None if inbound is None else transcode(inbound, leg.law, recording.law)
                outbound = transcode(out, leg.law, recording.law)
            if recording.note(inbound, outbound):
                self.gateway.disk.append(recording)
            command = recording.command
            if command.max_seconds is not None and recording.seconds >= command.max_seconds:
                self.gateway.finish(leg, recording, "max-length")
            elif (
                command.silence_timeout
                and not recording.told_silence
                and not recording.paused
                and recording.silence >= command.silence_timeout
            ):
                recording.told_silence = True
                self.say(p.RecordingSilence(leg.name, command.recording, recording.silence))
                if command.finish_on_silence:
                    self.gateway.finish(leg, recording, "silence")

    def follow_speech(self, said: dict[str, Heard | None]) -> None:
        """Who begins and who ceases to speak; nobody does who is in no room, muted or on hold."""
        from ringback.media.activity import level

        for name, activity in self.gateway.watched.items():
            join = self.gateway.rooms.get(self.gateway.legs[name].room or "", {}).get(name)
            if join is None or join.muted or join.hold:
                change = activity.hush()
            else:
                frame = said.get(name)
                change = activity.hear(0.0 if frame is None else level(*frame))
            if change is not None:
                self.say(p.Speech(name, change))

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
        for leg in self.gateway.legs.values():
            if leg.link is None or not leg.link.receive:
                continue
            seconds = (self.gateway.tick - leg.heard_at) * FRAME_SECONDS
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
            self.owed += frame(p.body(self.reports.popleft()))
        if not self.owed:
            return
        try:
            del self.owed[: self.control.send(self.owed)]
        except BlockingIOError:  # waiting would stop the sound: it is tried again after the next tick
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
        for body in self.frames.feed(data):
            if self.options is None:
                self.options = msgspec.msgpack.decode(body, type=p.Options)
                self.gateway.host, self.gateway.ports = self.options.bind_host, self.options.ports
                continue
            self.gateway.carry_out(self.decoder.decode(body))
        self.flush()

    def worker_stats(self, _: p.AskWorkerStats) -> None:
        """Lateness and consumption of the process."""
        late = sorted(self.late) or [0.0]
        usage = resource.getrusage(resource.RUSAGE_SELF)
        with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - the hot process avoids Path
            rss = int(statm.read().split()[1]) * resource.getpagesize()
        self.say(
            p.WorkerStats(
                os.getpid(), len(self.gateway.legs), self.gateway.tick, self.skipped, late[-1] * 1000,
                late[int(len(late) * 0.99)] * 1000, usage.ru_utime + usage.ru_stime, rss,
                len(self.gateway.recordings),
            )
        )  # fmt: skip


def main() -> None:
    """Run on the control socket whose descriptor is the first argument."""
    control = inherited()
    control.setblocking(False)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sys.setswitchinterval(0.0005)  # the disk thread must not hold up a tick
    Worker(control).run()


if __name__ == "__main__":
    main()
