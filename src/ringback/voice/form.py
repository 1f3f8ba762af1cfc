"""The form of a REST request to the voice core, read with checks (rest-conventions.md; voice-calls.md §2)."""

from __future__ import annotations

from typing import Final

from ringback.kernel.errors import Refused
from ringback.voice import urls

METHODS: Final = ("GET", "POST")
UNKNOWN_LIMIT: Final = 20
"""Unknown parameters that are warned of, a request."""


class Form:
    """The parameters of a request, read with checks; raises :class:`Refused`."""

    def __init__(self, params: dict[str, list[str]]) -> None:
        self._params = params

    def get(self, name: str) -> str:
        """The first value, or an empty string."""
        values = self._params.get(name)
        return values[0] if values else ""

    def words(self, name: str) -> list[str]:
        """All values, each split at spaces."""
        return [word for value in self._params.get(name, []) for word in value.split()]

    def unknown(self, known: frozenset[str]) -> list[tuple[int, str]]:
        """A warning for every parameter that does not exist (20001); names are case-sensitive."""
        return [
            (20001, f"Parameter {name[:60]!r} is unknown and was ignored: names are case-sensitive")
            for name in sorted(self._params.keys() - known)[:UNKNOWN_LIMIT]
        ]

    def refuse(self, code: int, text: str) -> Refused:
        """The exception to raise."""
        return Refused(code, text)

    def method(self, name: str, default: str = "POST") -> str:
        """GET or POST; 21209 for anything else."""
        value = self.get(name).upper() or default
        if value not in METHODS:
            raise self.refuse(21209, f"{name} must be GET or POST, not {self.get(name)[:20]!r}")
        return value

    def integer(self, name: str, default: int, low: int, high: int, code: int) -> int:
        """A whole number in a range."""
        text = self.get(name).strip()
        if not text:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 9 and low <= int(text) <= high):
            raise self.refuse(code, f"{name} must be a whole number from {low} to {high}")
        return int(text)

    def flag(self, name: str) -> bool:
        """``true`` or ``false``."""
        return self.get(name).strip().lower() == "true"

    def boolean(self, name: str, default: bool) -> bool:
        """``true``, ``false`` or nothing; 20001 for anything else."""
        text = self.get(name).strip().lower()
        if text not in ("", "true", "false"):
            raise self.refuse(20001, f"{name} must be true or false")
        return text == "true" if text else default

    def url(self, name: str, code: int) -> str | None:
        """An absolute web URL or None."""
        text = self.get(name).strip()
        if not text:
            return None
        if not urls.is_web(text):
            raise self.refuse(code, f"{name} {text[:200]!r} is not an http or https URL")
        return text

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """One of some words; 20001 for others."""
        text = self.get(name) or default
        if text not in choices:
            raise self.refuse(20001, f"{name} must be one of {', '.join(choices)}")
        return text
