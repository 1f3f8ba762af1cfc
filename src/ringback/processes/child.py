"""The child's side of a link: the socket that it was started with, and what is said over it."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Iterator

from ringback.processes.frames import Frames, frame


def inherited() -> socket.socket:
    """The socket whose descriptor is the first argument. From here on the end of its stream alone ends the process:
    a signal that the whole group gets must not, because the parent may still want something finished."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    return socket.socket(fileno=int(sys.argv[1]))


def bodies(link: socket.socket) -> Iterator[bytes]:
    """Bodies of the frames that come, until the end of the stream."""
    frames = Frames()
    while data := _received(link):
        yield from frames.feed(data)


def _received(link: socket.socket) -> bytes:
    try:
        return link.recv(1 << 16)
    except ConnectionResetError:  # the parent was killed with an answer of ours unread
        return b""


def tell(link: socket.socket, body: bytes) -> bool:
    """Send a frame; False: nobody listens any more."""
    try:
        link.sendall(frame(body))
    except OSError:
        return False
    return True
