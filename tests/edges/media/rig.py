"""A pool with one real worker, and far ends that talk to it over loopback sockets."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import numpy as np

from ringback.edges.media import protocol as p
from ringback.edges.media.client import MediaPool
from ringback.media.g711 import Law, decode, encode
from ringback.media.rtp import pack, parse
from ringback.media.tones import sine


def strength(samples: np.ndarray, frequency: float) -> float:
    """Amplitude of one frequency in PCM at 8 kHz."""
    turn = np.exp(-2j * np.pi * frequency * np.arange(len(samples)) / 8000)
    return float(abs((samples.astype(float) * turn).mean()) * 2)


class Phone:
    """A far side: collects what it hears and can talk."""

    law: Law = "PCMU"

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.address = self.socket.getsockname()
        self.sequence = 65530
        self.timestamp = 2**32 - 800
        self.talking: asyncio.Task[None] | None = None

    def send(
        self, payload: bytes, target: tuple[str, int], kind: int = 0, timestamp: int | None = None
    ) -> None:
        at = self.timestamp if timestamp is None else timestamp
        self.socket.sendto(pack(kind, self.sequence, at, 77, payload), target)
        self.sequence = (self.sequence + 1) & 0xFFFF

    def talk(self, frequency: float, target: tuple[str, int]) -> None:
        sound = encode(sine(frequency, 1.0), self.law)

        async def loop() -> None:
            clock = asyncio.get_running_loop()
            due = clock.time()
            at = 0
            while True:
                self.send(sound[at : at + 160], target, 0 if self.law == "PCMU" else 8)
                self.timestamp = (self.timestamp + 160) & 0xFFFFFFFF
                at = (at + 160) % 8000
                due += 0.02
                await asyncio.sleep(max(0, due - clock.time()))

        self.talking = asyncio.create_task(loop())

    async def packets(self, count: int) -> list:
        loop = asyncio.get_running_loop()
        return [parse(await asyncio.wait_for(loop.sock_recv(self.socket, 2048), 5)) for _ in range(count)]

    async def hear(self, count: int) -> np.ndarray:
        return np.concatenate([decode(one.payload, self.law) for one in await self.packets(count)])

    def drain(self) -> None:
        """Forget what has arrived."""
        while True:
            try:
                self.socket.recv(2048)
            except BlockingIOError:
                return

    async def close(self) -> None:
        if self.talking is not None:
            self.talking.cancel()
            await asyncio.gather(self.talking, return_exceptions=True)
        self.socket.close()


class Rig:
    """A pool with its reports, and phones connected to it."""

    def __init__(self, data_dir: Path) -> None:
        self.reports: list[p.Report] = []
        self.arrived = asyncio.Event()
        self.pool = MediaPool(
            workers=1, ports=range(0), bind_host="127.0.0.1", on_report=self.take, data_dir=data_dir
        )
        self.phones: list[Phone] = []

    def take(self, report: p.Report) -> None:
        self.reports.append(report)
        self.arrived.set()

    async def wait(self, kind: type, count: int = 1) -> list:
        async with asyncio.timeout(8):
            while len(found := [r for r in self.reports if isinstance(r, kind)]) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return found

    async def call(
        self, leg: str, event: int | None = 101, law: Law = "PCMU", group: str = "g"
    ) -> tuple[Phone, tuple[str, int]]:
        phone = Phone()
        phone.law = law
        self.phones.append(phone)
        address = await self.pool.open(leg, group=group)
        self.pool.connect(leg, phone.address, law, 0 if law == "PCMU" else 8, event, True, True)
        return phone, address
