"""G.711 µ-law and A-law by table (ITU-T G.711): bytes ⇄ int16, and law to law without PCM in between."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ringback.media import Law as Law

Pcm = NDArray[np.int16]
"""Samples at 8 kHz, full scale ±32767."""

_ULAW_BIAS: Final = 0x84
_ULAW_CLIP: Final = 32635


def _ulaw_decode_table() -> Pcm:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    exponent = (code >> 4) & 7
    magnitude = ((((code & 0x0F) << 3) + _ULAW_BIAS) << exponent) - _ULAW_BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_decode_table() -> Pcm:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent = (code >> 4) & 7
    mantissa = (code & 0x0F) << 4
    magnitude = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _samples() -> NDArray[np.int32]:
    """Every int16 value in the order of its unsigned 16-bit pattern, the index of the encode tables."""
    return np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)


def _exponent(magnitude: NDArray[np.int32], lowest_bit: int) -> NDArray[np.int32]:
    """Segment number 0…7: how many doublings above ``lowest_bit`` the value is."""
    exponent = np.zeros_like(magnitude)
    for segment in range(1, 8):
        exponent[magnitude >= (1 << (lowest_bit + segment))] = segment
    return exponent


def _ulaw_encode_table() -> NDArray[np.uint8]:
    sample = _samples()
    magnitude = np.minimum(np.abs(sample), _ULAW_CLIP) + _ULAW_BIAS
    exponent = _exponent(magnitude, 7)
    code = (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0F) | np.where(sample < 0, 0x80, 0)
    return (~code & 0xFF).astype(np.uint8)


def _alaw_encode_table() -> NDArray[np.uint8]:
    sample = _samples()
    # A negative value is taken one lower, as the standard's sign-magnitude grid has no zero.
    magnitude = np.minimum(np.where(sample < 0, -sample - 1, sample), 32767)
    exponent = _exponent(magnitude, 7)
    mantissa = (magnitude >> np.maximum(exponent + 3, 4)) & 0x0F
    code = (exponent << 4) | mantissa | np.where(sample < 0, 0, 0x80)
    return ((code ^ 0x55) & 0xFF).astype(np.uint8)


DECODE: Final[dict[Law, Pcm]] = {"PCMU": _ulaw_decode_table(), "PCMA": _alaw_decode_table()}
"""256 samples for each law: code → PCM."""

ENCODE: Final[dict[Law, NDArray[np.uint8]]] = {"PCMU": _ulaw_encode_table(), "PCMA": _alaw_encode_table()}
"""65536 codes for each law: the bit pattern of an int16 → code."""

SILENCE: Final[dict[Law, bytes]] = {"PCMU": b"\xff", "PCMA": b"\xd5"}
"""The code of (nearly) zero in each law, one byte."""

ENERGY: Final[dict[Law, NDArray[np.float32]]] = {
    law: table.astype(np.float32) ** 2 for law, table in DECODE.items()
}
"""256 squared samples for each law, so that a frame's energy needs one look-up and no PCM."""


def decode(payload: bytes | bytearray | memoryview, law: Law) -> Pcm:
    """PCM of a payload; any length, one sample a byte."""
    return DECODE[law].take(np.frombuffer(payload, dtype=np.uint8))


def encode(samples: Pcm, law: Law) -> bytes:
    """Payload of PCM; one byte a sample."""
    return ENCODE[law].take(np.ascontiguousarray(samples, dtype=np.int16).view(np.uint16)).tobytes()


def _bridge(source: Law, target: Law) -> bytes:
    return encode(DECODE[source], target)


TRANSCODE: Final[dict[tuple[Law, Law], bytes]] = {
    ("PCMU", "PCMA"): _bridge("PCMU", "PCMA"),
    ("PCMA", "PCMU"): _bridge("PCMA", "PCMU"),
}
"""Tables for ``bytes.translate`` from one law to the other."""


def transcode(payload: bytes, source: Law, target: Law) -> bytes:
    """The same sound in the other law; the payload itself when the laws are equal."""
    return payload if source == target else payload.translate(TRANSCODE[source, target])


HALVE: Final[dict[Law, bytes]] = {
    law: encode((table // 2).astype(np.int16), law) for law, table in DECODE.items()
}
"""Tables for ``bytes.translate`` that lower the sound by 6 dB (loss concealment fades with them)."""


def rms(payload: bytes | bytearray, law: Law) -> float:
    """Root mean square of the samples (0…32767); 0.0 for an empty payload."""
    if not payload:
        return 0.0
    return float(np.sqrt(ENERGY[law].take(np.frombuffer(payload, dtype=np.uint8)).mean()))
