"""espeak-ng for languages other than English: the optional extra ``languages`` (GPL-3; speech.md)."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from ringback.edges.speech.engine import Samples

_SYNCHRONOUS = 2
_UTF8 = 1


class Espeak:
    """Over a hundred languages by ctypes; raises ``ImportError`` when the extra is not installed."""

    name = "espeak-ng"
    rate = 22_050

    def __init__(self) -> None:
        import espeakng_loader

        self._library: Any = ctypes.cdll.LoadLibrary(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        self.rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0))
        if self.rate <= 0:
            raise ImportError("espeak-ng did not start")
        self._heard: list[bytes] = []
        callback = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
        )
        self._callback = callback(self._take)
        self._library.espeak_SetSynthCallback(self._callback)

    def _take(self, samples: Any, count: int, _: Any) -> int:
        if count > 0:
            self._heard.append(ctypes.string_at(samples, count * 2))
        return 0

    def say(self, sentence: str, language: str, speed: float) -> Samples:
        """Speak in the language (its first part when the whole tag is unknown)."""
        for tag in (language.lower(), language.partition("-")[0].lower(), "en-us"):
            if self._library.espeak_SetVoiceByName(tag.encode()) == 0:
                break
        self._library.espeak_SetParameter(1, int(175 * speed), 0)
        self._heard.clear()
        text = sentence.encode()
        self._library.espeak_Synth(text, len(text) + 1, 0, 0, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        return np.frombuffer(b"".join(self._heard), dtype=np.int16).astype(np.float32) / 32768.0
