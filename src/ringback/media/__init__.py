"""The pure part of audio: G.711, RTP, jitter, DTMF, tones, mixing, trimming and WAV; no socket, no clock.

Everything here works on 8 kHz audio in frames of 160 samples (20 ms). PCM is little-endian ``numpy.int16``.
"""

from typing import Literal

Law = Literal["PCMU", "PCMA"]
"""The two laws of G.711 by their RTP encoding names (RFC 3551 §4.5.14)."""

RATE = 8000
"""Samples per second of every stream in this package."""

FRAME = 160
"""Samples (and, in G.711, bytes) of one 20 ms frame."""

FRAME_SECONDS = FRAME / RATE
"""Length of a frame in seconds."""
