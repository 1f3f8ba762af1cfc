"""Any audio file to raw µ-law at 8 kHz, and back to MP3. Blocking: run it in the pool of ``fetch.py``."""

from __future__ import annotations

import os
import resource
import signal
import threading
from collections.abc import Iterator
from multiprocessing import parent_process
from pathlib import Path

SECONDS_LIMIT = 4 * 3600
"""Longest sound that is kept; the rest is cut off."""
FORMATS = "wav,mp3,aiff,au,gsm,ogg,flac,mov,aac,w64"
"""The containers that are read. Playlists are not among them: they would have FFmpeg open further files."""
MEMORY_LIMIT = 4 << 30
"""Bytes of address space of the decoding process."""


class Undecodable(ValueError):
    """No audio could be read from the file."""


def prepare() -> None:
    """Limit the decoding process before it reads anything from the network."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # they come to the whole group; the main process ends the pool
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def warm() -> None:
    """Load what decoding needs: half a second of computing."""
    import av
    import numpy as np

    from ringback.media.g711 import encode

    encode(np.zeros(1, np.int16), "PCMU")
    av.AudioResampler(format="s16", layout="mono", rate=8000)


def _end_with_parent() -> None:
    """A pool's process holds both ends of its queue: it would wait for ever when the main process is killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


def to_ulaw_within(seconds: int, source: str, target: str) -> float:
    """`to_ulaw` in a process of its own, which the alarm ends when it takes longer, wherever it hangs."""
    signal.alarm(seconds)
    try:
        return to_ulaw(source, target)
    finally:
        signal.alarm(0)


def to_ulaw(source: str, target: str) -> float:
    """Decode ``source`` (see :data:`FORMATS`) into ``target``, whole or not at all; gives its seconds.

    A truncated file gives what can be decoded. Raises :class:`Undecodable` when that is nothing.
    """
    import av

    from ringback.media import RATE

    fresh = Path(f"{target}.{os.getpid()}.new")  # two accounts may have the same sound
    trouble: Exception | None = None
    size = 0
    try:
        with fresh.open("wb") as out:
            try:
                for piece in _pieces(source):
                    size += out.write(piece)
                    if size > SECONDS_LIMIT * RATE:
                        break
            except (av.FFmpegError, ValueError, MemoryError) as error:
                trouble = error
        if not size:
            raise Undecodable(str(trouble or "it is empty"))
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    return size / RATE


def _pieces(source: str) -> Iterator[bytes]:
    """The sound of a file, piece by piece, as µ-law."""
    import av
    import numpy as np

    from ringback.media import RATE
    from ringback.media.g711 import encode

    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    with av.open(source, metadata_errors="ignore", options=options) as container:
        stream = next((one for one in container.streams if one.type == "audio"), None)
        if stream is None:
            raise Undecodable("there is no audio in it")
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        heard = False
        for frame in container.decode(stream):
            assert isinstance(frame, av.AudioFrame)
            for piece in resampler.resample(frame):
                heard = True
                yield encode(piece.to_ndarray().reshape(-1).astype(np.int16), "PCMU")
        for piece in resampler.resample(None) if heard else ():
            yield encode(piece.to_ndarray().reshape(-1).astype(np.int16), "PCMU")


def to_mp3(source: str, target: str) -> None:
    """Encode a WAV file as MP3 (whole or not at all). Raises :class:`Undecodable`."""
    import av

    fresh = Path(f"{target}.{threading.get_ident()}.new")  # two requests may encode the same recording
    try:
        with av.open(source) as wav, av.open(str(fresh), "w", format="mp3") as mp3:
            stream = wav.streams.audio[0]
            out = mp3.add_stream("libmp3lame", rate=stream.rate)
            # The encoder opens only with a sample format of its own and a layout that it knows by name.
            out.format, out.layout = "s16p", "mono" if stream.channels == 1 else "stereo"
            resampler = av.AudioResampler(format="s16p", layout=out.layout, rate=stream.rate)
            for frame in wav.decode(stream):
                for piece in resampler.resample(frame):
                    mp3.mux(out.encode(piece))
            mp3.mux(out.encode(None))
    except (av.FFmpegError, IndexError) as error:
        fresh.unlink(missing_ok=True)
        raise Undecodable(str(error)) from error
    if not fresh.exists():
        raise Undecodable("it is empty")
    fresh.replace(target)
