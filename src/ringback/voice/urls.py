"""Resolving the URLs of documents (twiml.md §1; webhooks.md §5: a fragment carries connection overrides)."""

from __future__ import annotations

from urllib.parse import urldefrag, urljoin, urlsplit

from ringback.kernel.errors import Refused

LIMIT = 4096


def is_web(url: str) -> bool:
    """Whether ``url`` is an absolute http(s) URL that can be asked."""
    if len(url) > LIMIT or any(character.isspace() or ord(character) < 32 for character in url):
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def resolve(base: str | None, url: str, absolute_code: int = 11100) -> str:
    """``url`` seen from the document at ``base``; None: inline TwiML, which has no place to start from.

    Raises :class:`Refused` with 11100, or ``absolute_code`` when only the base is missing.
    """
    url = url.strip()
    if is_web(url):
        return url
    if base is None:
        code = absolute_code if "://" not in url else 11100
        raise Refused(code, f"{url[:200]!r} is relative, but inline TwiML has no URL: write it in full")
    try:
        absolute = urljoin(urldefrag(base).url, url)
    except ValueError:
        absolute = ""
    if not is_web(absolute):
        raise Refused(11100, f"{url[:200]!r} is no http or https URL")
    return absolute


def callback_host_ok(url: str) -> bool:
    """Whether a StatusCallback is usable: a web URL whose host has no underscore (voice-calls.md §2)."""
    return is_web(url) and "_" not in (urlsplit(url).hostname or "")
