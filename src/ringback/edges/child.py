"""Worker processes of ours: each is a module that is run with a socket to this process, and ends when that closes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from typing import NamedTuple


class Child(NamedTuple):
    """A running worker process, and our end of its socket."""

    process: asyncio.subprocess.Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


async def start_child(module: str, *arguments: str, limit: int = 1 << 16, **environment: str) -> Child:
    """Run ``python -m MODULE FD ARGUMENT…``, FD being its end of the socket; raises ``OSError``.

    ``limit``: bytes of one line that it sends; ``environment``: added to ours. Whoever is canceled meanwhile
    leaves no process behind.
    """
    ours, theirs = socket.socketpair()
    process: asyncio.subprocess.Process | None = None
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, str(theirs.fileno()), *arguments,
            pass_fds=[theirs.fileno()], stdin=asyncio.subprocess.DEVNULL,
            # One thread each: there are as many workers as cores are wanted.
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **environment},
        )  # fmt: skip
        reader, writer = await asyncio.open_connection(sock=ours, limit=limit)
    except BaseException:
        ours.close()
        if process is not None:
            await end_now(process)
        raise
    finally:
        theirs.close()
    return Child(process, reader, writer)


async def end_now(process: asyncio.subprocess.Process) -> None:
    """Kill it and wait until it is gone."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def end_soon(process: asyncio.subprocess.Process, patience: float) -> int:
    """Wait until it has ended by itself; it is killed after ``patience`` seconds, or when the wait is canceled.

    Gives its exit status.
    """
    try:
        return await asyncio.wait_for(process.wait(), patience)
    except TimeoutError:
        await end_now(process)
    except asyncio.CancelledError:
        await end_now(process)
        raise
    assert process.returncode is not None
    return process.returncode
