"""What a file is, read from its first bytes: whoever sends it may say anything.

A table of our own: the libraries that do this know a thousand formats, and we need only those that people send each
other, and those that a browser would run (WHATWG MIME Sniffing §4.4, §6, §7.1).
"""

from __future__ import annotations

import re
from typing import Final

HEAD: Final = 4096
"""First bytes that are looked at."""

_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"#!AMR", "audio/amr"),
    (0, b".snd", "audio/basic"),
    (0, b"MThd", "audio/midi"),
    (0, b"OggS", "application/ogg"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"\x00\x00\x01\xba", "video/mpeg"),
    (0, b"\x00\x00\x01\xb3", "video/mpeg"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"MZ", "application/vnd.microsoft.portable-executable"),
    (0, b"\x7fELF", "application/x-elf"),
    (0, b"{\\rtf", "application/rtf"),
)
_RIFF: Final = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS: Final = {
    b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heif", b"avif": "image/avif",
    b"qt  ": "video/quicktime", b"M4A ": "audio/mp4", b"M4B ": "audio/mp4",
    b"3gp4": "video/3gpp", b"3gp5": "video/3gpp", b"3gp6": "video/3gpp", b"3g2a": "video/3gpp2",
}  # fmt: skip
"""Major brands of ISO media files (ISO/IEC 14496-12 §4.3); the others are MP4 video."""

_SAME: Final[dict[str, frozenset[str]]] = {
    "application/ogg": frozenset({"audio/ogg", "video/ogg", "audio/opus"}),
    "video/webm": frozenset({"audio/webm", "video/x-matroska", "audio/x-matroska"}),
    "video/mp4": frozenset(
        {"audio/mp4", "audio/aac", "audio/m4a", "audio/x-m4a", "video/3gpp", "audio/3gpp"}
    ),
    "video/3gpp": frozenset({"audio/3gpp"}),
    "video/3gpp2": frozenset({"audio/3gpp2"}),
    "audio/wav": frozenset({"audio/wave", "audio/x-wav", "audio/vnd.wave"}),
    "audio/mpeg": frozenset({"audio/mp3"}),
    "audio/basic": frozenset({"audio/au"}),
    "image/heif": frozenset({"image/heic"}),
    "application/rtf": frozenset({"text/rtf"}),
    "application/gzip": frozenset({"application/x-gzip"}),
    "application/zip": frozenset({"application/epub+zip"}),
}
"""What a format's bytes show → the types that are the same format by another name, and are believed."""
_ZIPPED: Final = ("application/vnd.openxmlformats-", "application/vnd.oasis.opendocument.")
_OLE: Final = frozenset({"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"})

ACTIVE: Final = frozenset(
    {
        *("text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml"),
        *("text/javascript", "application/javascript", "application/ecmascript", "text/ecmascript"),
    }
)
"""What a browser would run."""
_TOLD: Final = ("image/", "audio/", "video/")
"""Types whose files all begin with something that shows it: a claim without it is false."""
_BOMS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_TAG: Final = re.compile(
    rb"<(!doctype\s+html|html|head|body|script|iframe|style|title|img|a|div|table|meta)\b", re.I
)
_SVG: Final = re.compile(rb"<svg\b|<!doctype\s+svg", re.I)
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\Z")


def true_type(head: bytes, declared: str) -> str:
    """The type of a file that begins with ``head`` and is said to be ``declared`` (a Content-Type, perhaps empty)."""
    said = declared.partition(";")[0].strip().lower()
    if not _TYPE.match(said):
        said = ""
    shown = _binary(head)
    if shown:
        kin = said in _SAME.get(shown, ())
        boxed = (shown == "application/zip" and said.startswith(_ZIPPED)) or (
            shown == "application/x-ole-storage" and said in _OLE
        )
        return said if kin or boxed else shown
    markup = _markup(head)
    if markup:
        return said if said in ACTIVE else markup
    plain = "text/plain" if _is_text(head) else "application/octet-stream"
    if not said or said.startswith(_TOLD) or said in ("application/pdf", "application/x-www-form-urlencoded"):
        return plain
    if said.startswith("text/") and plain != "text/plain":
        return plain
    return said


def _binary(head: bytes) -> str:
    """By magic number; empty: none is known."""
    for at, magic, found in _MAGIC:
        if head.startswith(magic, at):
            return found
    if head[:4] == b"RIFF" and head[8:12] in _RIFF:
        return _RIFF[head[8:12]]
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if (
        len(head) > 3
        and not head.startswith(_BOMS)
        and head[0] == 0xFF
        and head[1] & 0xE0 == 0xE0
        and head[1] & 0x06
    ):
        return "audio/mpeg"  # frames without an ID3 tag; layer 0 is ADTS
    if len(head) > 3 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "audio/aac"
    return ""


def _markup(head: bytes) -> str:
    """HTML, SVG or XML, wherever in the first bytes a browser would find it; empty: neither."""
    text = head
    for bom in _BOMS:
        text = text.removeprefix(bom)
    text = text.replace(b"\0", b"")  # UTF-16
    if _SVG.search(text):
        return "image/svg+xml"
    if text.lstrip().startswith(b"<?xml"):
        return "text/xml"
    if _TAG.search(text):
        return "text/html"
    if text.lstrip().startswith(b"#!"):
        return "text/x-shellscript"
    return ""


def _is_text(head: bytes) -> bool:
    """Whether it has none of the bytes that text never has (MIME Sniffing §3, binary data bytes)."""
    return head.startswith(_BOMS) or not any(
        byte < 0x09 or byte == 0x0B or 0x0E <= byte <= 0x1A or 0x1C <= byte <= 0x1F for byte in head
    )
