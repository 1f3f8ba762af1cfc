"""`MediaPool`: the main process's view of the media workers; one method for each command, reports by
callback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, TypeVar

import msgspec

from ringback.edges.media import protocol as p
from ringback.edges.media.protocol import Address, Item, Law, Report, Track
from ringback.processes.keeper import Keeper, Restarts
from ringback.processes.link import Link, start

_T = TypeVar("_T")
log = logging.getLogger(__name__)

_PATIENCE: Final = 10.0
"""Seconds that a worker may take to answer or to end."""

_RESTARTS: Final = Restarts(pause=0.25, longest=30.0, steady=10.0)
"""For ever: a call centre without sound is no use, and what killed the worker may pass."""


class MediaError(Exception):
    """A leg could not be opened, or a worker did not answer; the message says why."""


class _Worker:
    """One worker process and what is known to run in it."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.keeper: Keeper
        self.legs: set[str] = set()

    def say(self, command: p.Record) -> None:
        """Hand a command over; dropped while the process is being started again."""
        self.keeper.send(p.body(command))


class MediaPool:
    """Starts the workers, spreads groups of legs over them, restarts one that dies.

    ``ports`` is shared out among the workers; an empty range leaves the choice to the system.
    ``on_report`` is called in
    the event loop. When a worker dies, each open playback ends with an error, each recording stops as
    ``lost``, and each
    of its legs is reported by `LegLost`.
    """

    def __init__(
        self, *, workers: int, ports: range, bind_host: str, on_report: Callable[[Report], None],
        data_dir: Path, no_audio_seconds: float = 30.0,
    ) -> None:  # fmt: skip
        self._workers = [_Worker(index) for index in range(workers)]
        self._ports, self._host, self._data_dir = ports, bind_host, data_dir
        self._on_report, self._no_audio = on_report, no_audio_seconds
        self._where: dict[str, tuple[_Worker, str]] = {}
        self._ports_of: dict[str, int] = {}
        self._connects: dict[str, p.Connect] = {}
        self._standing: dict[str, dict[type[p.Record], p.Record]] = {}
        """What holds for a leg in whichever worker it is: the last order of a kind."""
        self._moving: dict[str, tuple[_Worker, list[p.Record]]] = {}
        """Legs on their way from a worker to another: whence, and what the other one is to be told then."""
        self._groups: dict[str, tuple[_Worker, set[str]]] = {}
        self._rooms: dict[str, str] = {}
        self._members: dict[str, set[str]] = {}
        self._playbacks: dict[str, tuple[_Worker, set[str]]] = {}
        self._recordings: dict[str, tuple[_Worker, str, str]] = {}
        self._opening: dict[str, asyncio.Future[Address]] = {}
        self._leg_stats: dict[str, list[asyncio.Future[p.LegStats]]] = {}
        self._worker_stats: dict[int, list[asyncio.Future[p.WorkerStats]]] = {}
        self._decoder = msgspec.msgpack.Decoder(p.Report)
        for worker in self._workers:
            worker.keeper = self._keeper(worker)

    async def start(self) -> None:
        """Spawn the workers."""
        await asyncio.gather(*(worker.keeper.start() for worker in self._workers))

    async def stop(self) -> None:
        """Close the control sockets and wait until the workers have synced their recordings and ended."""
        await asyncio.gather(*(worker.keeper.stop() for worker in self._workers))

    async def open(self, leg: str, *, group: str) -> Address:
        """Bind a port for the leg in the group's worker; raises `MediaError` when none is free or the
        leg is open."""
        if leg in self._where:
            raise MediaError(f"{leg} is open already")
        worker, members = self._groups.get(group) or (self._idlest(), set())
        if not worker.keeper.up:
            raise MediaError("the media worker is being restarted")
        self._groups[group] = worker, members
        members.add(leg)
        worker.legs.add(leg)
        self._where[leg] = worker, group
        self._opening[leg] = future = asyncio.get_running_loop().create_future()
        self._send(leg, p.Open(leg))
        try:
            address: Address = await asyncio.wait_for(future, _PATIENCE)
        except (TimeoutError, MediaError) as error:
            self.close(leg)
            raise MediaError(str(error) or "the media worker does not answer") from error
        finally:
            self._opening.pop(leg, None)
        self._ports_of[leg] = address[1]
        return address

    def _idlest(self) -> _Worker:
        """The worker with the fewest legs, of those that run if any does."""
        return min(self._workers, key=lambda worker: (not worker.keeper.up, len(worker.legs)))

    def connect(
        self, leg: str, remote: Address, codec: Law, payload_type: int, telephone_event: int | None,
        send: bool, receive: bool, others: str = "", inband: bool | None = None,
    ) -> None:  # fmt: skip
        """Set the far side, or change it after a re-INVITE. ``others``: see `protocol.Connect`; ``inband``: look
        for tones (default: when no events)."""
        find = telephone_event is None if inband is None else inband
        command = p.Connect(leg, remote, codec, payload_type, telephone_event, send, receive, others, find)
        if leg in self._where:
            self._connects[leg] = command
        self._send(leg, command)

    def play(self, leg: str, playback: str, items: list[Item], loop: int = 1, *, last: bool = True) -> None:
        """Play the items ``loop`` times (0: endless) in place of what plays; exactly one
        `PlaybackDone` follows."""
        if leg not in self._where:
            self._on_report(p.PlaybackDone(leg, playback, 0.0, False, "no such leg"))
            return
        self._playbacks.setdefault(leg, (self._where[leg][0], set()))[1].add(playback)
        self._send(leg, p.Play(leg, playback, items, loop, last))

    def enqueue(self, leg: str, playback: str, items: list[Item], last: bool) -> None:
        """Append to a playback that was begun with ``last=False``."""
        self._send(leg, p.Enqueue(leg, playback, items, last))

    def stop_playback(self, leg: str, playback: str) -> None:
        """End a playback; without effect when it has ended."""
        self._send(leg, p.StopPlayback(leg, playback))

    def record(
        self, leg: str, recording: str, path: str, *, channels: Literal[1, 2] = 1, track: Track = "both",
        max_seconds: float | None = None, silence_timeout: float | None = None, finish_on_silence: bool
        = False,
    ) -> None:  # fmt: skip
        """Record into a WAV file; two channels: 1 what the leg says, 2 what it hears. Seconds throughout.

        After ``silence_timeout`` of silence `RecordingSilence` comes, and with ``finish_on_silence``
        the recording ends.
        """
        if leg not in self._where:
            self._on_report(p.RecordingStopped(leg, recording, "closed", 0.0, 0, True, None, "no such leg"))
            return
        self._recordings[recording] = self._where[leg][0], leg, path
        self._send(
            leg,
            p.Record_(leg, recording, path, channels, track, max_seconds, silence_timeout, finish_on_silence),
        )

    def record_room(self, leg: str, room: str, recording: str, path: str, owner: str) -> None:
        """Record what is said in a room that ``leg`` is in, whoever leaves it later; reports name ``owner``."""
        if self._rooms.get(leg) != room:
            self._on_report(
                p.RecordingStopped(owner, recording, "closed", 0.0, 0, True, None, "no such room")
            )
            return
        self._recordings[recording] = self._where[leg][0], owner, path
        self._send(leg, p.RecordRoom(room, recording, path, owner))

    def pause_recording(self, recording: str, behavior: Literal["skip", "silence"] = "silence") -> None:
        """Leave out or blank what follows."""
        self._send_recording(recording, p.PauseRecording(recording, behavior))

    def resume_recording(self, recording: str) -> None:
        """End a pause."""
        self._send_recording(recording, p.ResumeRecording(recording))

    def stop_recording(self, recording: str) -> None:
        """End a recording; `RecordingStopped` follows when the file is synced."""
        self._send_recording(recording, p.StopRecording(recording))

    def join(
        self, leg: str, room: str, *, muted: bool = False, hold: bool = False, coach: str | None = None
    ) -> None:
        """Enter a room, or change how the leg is in it. When the room is in another worker, the leg is taken
        there first: what plays on it ends, and so do its own recordings."""
        if leg not in self._where:
            return
        # All members are in one worker, so any of them tells which.
        other = next(iter(self._members.get(room, ())), leg)
        if self._where[other][0] is not self._where[leg][0]:
            self._walk_out(leg)
            self._move(leg, self._where[other][0])
        if self._rooms.get(leg) != room:
            self._walk_out(leg)
            self._rooms[leg] = room
            self._members.setdefault(room, set()).add(leg)
        self._send(leg, p.Join(leg, room, muted, hold, coach))

    def leave(self, leg: str) -> None:
        """Leave the room."""
        self._walk_out(leg)
        self._send(leg, p.Leave(leg))

    def watch_speech(self, leg: str, on: bool) -> None:
        """Have it reported (`Speech`) when the leg begins and ceases to be heard in its room, or no more."""
        self._order(leg, p.WatchSpeech(leg, on))

    def echo(self, leg: str, on: bool) -> None:
        """Send the leg its own sound back, or no more."""
        self._order(leg, p.Echo(leg, on))

    def bound_delay(self, leg: str, milliseconds: int | None) -> None:
        """To how much delay the leg's jitter buffer may grow; None: as much as it may by itself."""
        self._order(leg, p.BoundDelay(leg, milliseconds))

    def _order(self, leg: str, command: p.Record) -> None:
        if leg in self._where:
            self._standing.setdefault(leg, {})[type(command)] = command
        self._send(leg, command)

    def close(self, leg: str) -> None:
        """Release the leg: playback and recordings end and are reported."""
        self._send(leg, p.Close(leg))
        self._forget(leg)

    async def leg_stats(self, leg: str) -> p.LegStats:
        """Counts of a leg; zeros for one that is not open."""
        if leg not in self._where:
            return p.LegStats(leg)
        future: asyncio.Future[p.LegStats] = asyncio.get_running_loop().create_future()
        self._leg_stats.setdefault(leg, []).append(future)
        self._send(leg, p.AskLegStats(leg))
        return await asyncio.wait_for(future, _PATIENCE)

    async def worker_stats(self) -> list[p.WorkerStats]:
        """Lateness and consumption of every worker that runs; raises TimeoutError when one does not
        answer."""
        futures = []
        for worker in self._workers:
            if worker.keeper.up:
                future: asyncio.Future[p.WorkerStats] = asyncio.get_running_loop().create_future()
                self._worker_stats.setdefault(worker.index, []).append(future)
                worker.say(p.AskWorkerStats())
                futures.append(asyncio.wait_for(future, _PATIENCE))
        return list(await asyncio.gather(*futures))

    def _move(self, leg: str, worker: _Worker) -> None:
        """Take a leg to another worker, with its port: the far side notices nothing but a new SSRC."""
        old, group = self._where[leg]
        following: list[p.Record] = [p.Open(leg, self._ports_of[leg])]
        if leg in self._connects:
            following.append(self._connects[leg])
        following += self._standing.get(leg, {}).values()
        if leg in self._moving:  # it has not even arrived where it is to leave from
            old = self._moving[leg][0]
        elif old.keeper.up:
            old.say(p.Release(leg))
        self._moving[leg] = old, following
        self._where[leg] = worker, group
        self._where[leg][0].legs.add(leg)
        for each in self._workers:
            if each is not worker:
                each.legs.discard(leg)
        members = self._groups[group][1]
        if members == {leg}:
            self._groups[group] = worker, members

    def _arrive(self, leg: str) -> None:
        """The ports of a moving leg are free: it goes on where it is to be."""
        _, commands = self._moving.pop(leg)
        for command in commands:
            self._send(leg, command)

    def _send(self, leg: str, command: p.Record) -> None:
        """To the leg's worker; a command for a leg that has gone is dropped, its end was reported."""
        if leg in self._moving:
            self._moving[leg][1].append(command)
            return
        where = self._where.get(leg)
        if where is not None:
            where[0].say(command)

    def _send_recording(self, recording: str, command: p.Record) -> None:
        if recording in self._recordings:
            worker, leg, _ = self._recordings[recording]
            if leg in self._where:
                self._send(leg, command)
            else:
                worker.say(command)  # a room's: it has no leg

    def _forget(self, leg: str) -> None:
        worker, group = self._where.pop(leg, (None, ""))
        if worker is None:
            return
        worker.legs.discard(leg)
        for known in (self._ports_of, self._connects, self._moving, self._standing):
            known.pop(leg, None)
        for future in self._leg_stats.pop(leg, ()):
            if not future.done():
                future.set_result(p.LegStats(leg))
        self._walk_out(leg)
        members = self._groups[group][1]
        members.discard(leg)
        if not members:
            del self._groups[group]

    def _walk_out(self, leg: str) -> None:
        room = self._rooms.pop(leg, None)
        if room is not None:
            members = self._members[room]
            members.discard(leg)
            if not members:
                del self._members[room]

    def _keeper(self, worker: _Worker) -> Keeper:
        each = len(self._ports) // len(self._workers) // 2 * 2
        low = self._ports.start + (self._ports.start & 1) + worker.index * each
        options = p.Options(self._host, (low, low + each) if each else (0, 0), self._no_audio)

        def take(body: bytes) -> None:
            self._take(worker, self._decoder.decode(body))

        async def start_worker() -> Link:
            name = f"media worker {worker.index}"
            return await start(name, ("-m", "ringback.edges.media.worker"), (), take, patience=_PATIENCE)

        return Keeper(
            start_worker, _RESTARTS,
            on_up=lambda link: link.send(p.body(options)), on_down=lambda: self._lose(worker),
        )  # fmt: skip

    def _take(self, worker: _Worker, report: Report) -> None:
        match report:
            case p.Opened(leg, address) if leg in self._opening and not self._opening[leg].done():
                self._opening[leg].set_result((address[0], address[1]))
                return
            case p.OpenFailed(leg, error) if leg in self._opening and not self._opening[leg].done():
                self._opening[leg].set_exception(MediaError(error))
                return
            case p.Opened():
                return  # one that came from another worker
            case p.Released(leg):
                if leg in self._moving and self._moving[leg][0] is worker:
                    self._arrive(leg)
                return
            case p.OpenFailed(leg) if leg in self._where:
                self._forget(leg)
                self._hand_over(p.LegLost(leg))
                return
            case p.LegStats():
                _answer(self._leg_stats.get(report.leg), report)
                return
            case p.WorkerStats():
                _answer(self._worker_stats.get(worker.index), report)
                return
            case p.PlaybackDone():
                _, left = self._playbacks.get(report.leg, (worker, set()))
                left.discard(report.playback)
                if not left:
                    self._playbacks.pop(report.leg, None)
            case p.RecordingStopped():
                self._recordings.pop(report.recording, None)
        self._hand_over(report)

    def _hand_over(self, report: Report) -> None:
        try:
            self._on_report(report)
        except Exception:
            log.exception("a media report was not taken: %r", report)

    def _lose(self, worker: _Worker) -> None:
        """Report the end of everything that ran in a worker that has ended."""
        for future in self._worker_stats.pop(worker.index, ()):
            if not future.done():
                future.set_exception(TimeoutError("the media worker died"))
        # By the worker, not by its open legs: the end of a closed leg's recording may still be owed.
        for leg, (where, playbacks) in list(self._playbacks.items()):
            if where is worker:
                del self._playbacks[leg]
                for playback in sorted(playbacks):
                    self._hand_over(p.PlaybackDone(leg, playback, 0.0, False, "the media worker died"))
        for recording, (where, leg, path) in list(self._recordings.items()):
            if where is worker:
                from ringback.edges.media.finished import lost_recording  # numpy, only when it is needed

                del self._recordings[recording]
                self._hand_over(lost_recording(leg, recording, path))
        for leg in [leg for leg, (old, _) in self._moving.items() if old is worker]:
            self._arrive(leg)
        for leg in sorted(worker.legs):
            if leg in self._opening and not self._opening[leg].done():
                self._opening[leg].set_exception(MediaError("the media worker died"))
            self._forget(leg)
            if not worker.keeper.stopping:
                self._hand_over(p.LegLost(leg))


def _answer(waiting: list[asyncio.Future[_T]] | None, report: _T) -> None:
    while waiting:
        future = waiting.pop(0)
        if not future.done():  # one that timed out must not swallow a later answer
            future.set_result(report)
            return
