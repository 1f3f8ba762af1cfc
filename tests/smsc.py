"""An SMSC for the tests: its units are written and read by ``smpplib``, another library than the product's.

``python -m tests.smsc PORT FILE`` runs one as a process of its own: it writes what it gets to FILE, a line of JSON
each, and takes orders on standard input.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from smpplib import consts, smpp

Answer = tuple[int, str] | None
"""Status and message id; ``None``: no answer."""


class Client:
    """Whom smpplib asks for sequence numbers; they are given otherwise."""

    sequence = 0

    def next_sequence(self) -> int:
        """None."""
        return 0


CLIENT = Client()


class Session:
    """One connection of a client."""

    def __init__(self, smsc: Smsc, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.smsc, self.reader, self.writer = smsc, reader, writer
        self.bind = ""
        self.system_id = b""
        self.password = b""
        self.sequence = 0
        self.waiting: dict[int, asyncio.Future[int]] = {}

    def send(self, command: str, sequence: int | None = None, status: int = 0, **fields: Any) -> int:
        """Write a unit; gives its sequence number."""
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        one = smpp.make_pdu(command, client=CLIENT, sequence=sequence, status=status, **fields)
        one.sequence, one.status = sequence, status
        self.writer.write(one.generate())
        return sequence

    async def deliver(self, seconds: float = 10.0, **fields: Any) -> int:
        """Send a ``deliver_sm``; gives the status of the response."""
        given = {
            "source_addr_ton": 1, "source_addr_npi": 1, "source_addr": "15551230001",
            "dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": "15550100", "short_message": b"hello",
        }  # fmt: skip
        sequence = self.send("deliver_sm", **given | fields)
        answer = self.waiting[sequence] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                return await answer
        finally:
            self.waiting.pop(sequence, None)

    async def serve(self) -> None:
        """Answer until the client goes."""
        while True:
            head = await self.reader.readexactly(4)
            data = head + await self.reader.readexactly(struct.unpack(">I", head)[0] - 4)
            one = smpp.parse_pdu(data, client=CLIENT, allow_unknown_opt_params=True)
            self.handle(one)

    def handle(self, one: Any) -> None:
        """One unit of the client's."""
        self.smsc.units.append(one.command)
        if one.command.startswith("bind_") and not one.command.endswith("_resp"):
            status = self.smsc.bind_status
            self.system_id, self.password = one.system_id, one.password
            self.send(f"{one.command}_resp", one.sequence, status, system_id="tests")
            if not status:
                self.bind = one.command
                self.smsc.bound.append(self)
                self.smsc.changed.set()
        elif one.command == "enquire_link":
            if self.smsc.lively:
                self.send("enquire_link_resp", one.sequence)
        elif one.command == "unbind":
            self.send("unbind_resp", one.sequence)
        elif one.command == "submit_sm":
            self.smsc.submitted.append(one)
            self.smsc.changed.set()
            answer = self.smsc.on_submit(one, self)
            if answer is not None:
                self.send("submit_sm_resp", one.sequence, answer[0], message_id=answer[1])
        elif one.command == "deliver_sm_resp":
            waits = self.waiting.get(one.sequence)
            if waits is not None and not waits.done():
                waits.set_result(one.status)


class Smsc:
    """Listens, and remembers."""

    def __init__(self) -> None:
        self.units: list[str] = []
        self.submitted: list[Any] = []
        self.bound: list[Session] = []
        self.all: set[Session] = set()
        self.changed = asyncio.Event()
        self.bind_status = consts.SMPP_ESME_ROK
        self.lively = True
        """Whether it answers ``enquire_link``."""
        self.on_submit: Callable[[Any, Session], Answer] = lambda one, session: (
            0,
            f"id{len(self.submitted)}",
        )
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0, tls: ssl.SSLContext | None = None) -> Smsc:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        self.drop()
        await asyncio.sleep(0)

    def drop(self) -> None:
        """End the connections without a word."""
        for each in list(self.all):
            each.writer.transport.abort()
        self.bound.clear()

    async def until(self, ready: Callable[[], Any], seconds: float = 10.0) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(seconds):
            while not ready():
                self.changed.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.02):
                        await self.changed.wait()

    async def session(self, bind: str = "bind_transceiver") -> Session:
        """A bound connection."""
        await self.until(lambda: any(each.bind == bind for each in self.bound))
        return next(each for each in reversed(self.bound) if each.bind == bind)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self, reader, writer)
        self.all.add(session)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await session.serve()
        finally:
            self.all.discard(session)
            if session in self.bound:
                self.bound.remove(session)
            writer.close()


def text_of(one: Any) -> str:
    """The text of a ``submit_sm`` without its header, read by smpplib's own tables."""
    octets = one.short_message or b""
    if one.esm_class & 0x40:
        octets = octets[octets[0] + 1 :]
    if one.data_coding == 8:
        return octets.decode("utf-16-be", "surrogatepass")
    from smpplib import gsm

    basic, extended = gsm.GSM_CHARACTER_TABLE[:128], gsm.GSM_CHARACTER_TABLE[128:]
    found, codes = "", iter(octets)
    for code in codes:
        found += extended[next(codes)] if code == 0x1B else basic[code]
    return found


async def process(port: int, file: Path) -> None:
    """A process of its own: see the module. Orders are lines of JSON: ``{"deliver": {…}}``, ``{"hold": true}``."""
    smsc = await Smsc().start(port)
    held = False

    def write(**fields: Any) -> None:
        with file.open("a") as out:
            out.write(json.dumps(fields) + "\n")

    def submit(one: Any, _: Session) -> Answer:
        write(
            submitted=text_of(one), to=one.destination_addr.decode(), source=one.source_addr.decode(),
            coding=one.data_coding, header=bool(one.esm_class & 0x40), receipt=one.registered_delivery,
        )  # fmt: skip
        return None if held else (0, f"id{len(smsc.submitted)}")

    smsc.on_submit = submit
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    write(listening=smsc.port)
    while line := await reader.readline():
        order = json.loads(line)
        held = order.get("hold", held)
        if "deliver" in order:
            fields = dict(order["deliver"])
            fields["short_message"] = bytes.fromhex(fields["short_message"])
            session = await smsc.session()
            try:
                write(delivered=await session.deliver(**fields))
            except TimeoutError:
                write(delivered=None)
    await smsc.stop()


if __name__ == "__main__":
    asyncio.run(process(int(sys.argv[1]), Path(sys.argv[2])))
