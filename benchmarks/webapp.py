"""The customer's web application of the benchmarks: a process of its own that answers with fixed TwiML.

``python -m benchmarks.webapp PORT``; paths: /voice (Gather), /pressed (Hangup), /play (one second of sound),
/long (a sound in a loop), /status (counts).
"""

from __future__ import annotations

import asyncio
import sys
from typing import ClassVar

import uvloop

from benchmarks.keepalive import Messages

DOCUMENTS = {
    b"/voice": b'<Response><Gather numDigits="1" action="/pressed" timeout="5"><Say>Press one.</Say></Gather>'
    b"</Response>",
    b"/pressed": b"<Response><Hangup/></Response>",
    b"/play": b"<Response><Play>/tone.wav</Play></Response>",
    b"/long": b'<Response><Play loop="0">/tone.wav</Play></Response>',
    b"/status": b"",
    b"/count": b"",
}


def tone() -> bytes:
    """One second of 440 Hz as a WAV file."""
    import io
    import math
    import struct
    import wave

    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        samples = (int(8000 * math.sin(2 * math.pi * 440 * t / 8000)) for t in range(8000))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return out.getvalue()


class App(Messages):
    """Answers each request as soon as its body is in."""

    counts: ClassVar[dict[bytes, int]] = {}
    sound = tone()

    def take(self, head: bytes, body: bytes) -> None:
        path = head.split(b" ", 2)[1].partition(b"?")[0]
        self.counts[path] = self.counts.get(path, 0) + 1
        kind, answer = b"text/xml", DOCUMENTS.get(path, b"")
        if path == b"/tone.wav":
            kind, answer = b"audio/wav", self.sound
        if path == b"/count":
            kind, answer = b"text/plain", str(self.counts.get(b"/status", 0)).encode()
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nCache-Control: max-age=600\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (kind, len(answer), answer)
        )


async def main(port: int) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(App, "127.0.0.1", port, backlog=2048)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
