"""Decoders end with the main process, however that ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from ringback.media.tones import sine
from ringback.media.wav import header

PROGRAM = """
import asyncio, sys
from ringback.edges.sounds.decoders import Decoders

async def main():
    decoders = Decoders(1)
    await decoders.decode("A", sys.argv[1], sys.argv[2])
    print(next(iter(decoders._pools[0]._processes)), flush=True)
    await asyncio.sleep(60)

if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_none_is_left_when_the_main_process_is_killed(tmp_path: Path) -> None:
    """kill -9 gives it no time to end its children."""
    tone, program = sine(1000, 0.1), tmp_path / "program.py"
    program.write_text(PROGRAM)
    (tmp_path / "a.wav").write_bytes(header(1, tone.nbytes) + tone.tobytes())
    main = await asyncio.create_subprocess_exec(
        sys.executable, str(program), str(tmp_path / "a.wav"), str(tmp_path / "a.ul"), stdout=asyncio.subprocess.PIPE
    )  # fmt: skip
    assert main.stdout is not None
    decoder = int(await asyncio.wait_for(main.stdout.readline(), 30))
    os.kill(main.pid, signal.SIGKILL)
    await main.wait()
    async with asyncio.timeout(10):
        while await asyncio.to_thread(os.path.exists, f"/proc/{decoder}"):
            await asyncio.sleep(0.01)
