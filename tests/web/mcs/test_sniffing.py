"""What a file is, whatever it is said to be."""

from __future__ import annotations

import pytest

from ringback.web.mcs.sniffing import true_type

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


@pytest.mark.parametrize(
    ("head", "declared", "wanted"),
    [
        (PNG, "image/png", "image/png"),
        (PNG, "", "image/png"),
        (PNG, "text/html", "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "application/octet-stream", "image/jpeg"),
        (b"<html><script>alert(1)</script>", "image/jpeg", "text/html"),
        (b"\n\n <!DOCTYPE HTML>", "image/png", "text/html"),
        (b"\xef\xbb\xbf<svg xmlns='x' onload='alert(1)'/>", "image/png", "image/svg+xml"),
        (b"<?xml version='1.0'?><!-- --><svg/>", "image/jpeg", "image/svg+xml"),
        (b"<?xml version='1.0'?><a/>", "image/jpeg", "text/xml"),
        ("<script>alert(1)</script>".encode("utf-16"), "image/gif", "text/html"),
        (b"alert(1)", "image/jpeg", "text/plain"),
        (b"alert(1)", "application/javascript", "application/javascript"),
        (b"\0\1\2\3", "image/jpeg", "application/octet-stream"),
        (b"\0\1\2\3", "text/plain", "application/octet-stream"),
        (b"\0\1\2\3", "application/x-own", "application/x-own"),
        (b"BEGIN:VCARD\r\nVERSION:3.0\r\n", "text/vcard", "text/vcard"),
        (b"a;b\r\n", "text/csv; charset=utf-8", "text/csv"),
        (b"hello", "", "text/plain"),
        (b"hello", "no type at all", "text/plain"),
        (b"a=b", "application/x-www-form-urlencoded", "text/plain"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "", "image/webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/x-wav", "audio/x-wav"),
        (b"\0\0\0\x18ftypisom", "audio/mp4", "audio/mp4"),
        (b"\0\0\0\x18ftypisom", "image/jpeg", "video/mp4"),
        (b"\0\0\0\x18ftypheic", "", "image/heic"),
        (b"PK\x03\x04", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
         "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"PK\x03\x04", "image/jpeg", "application/zip"),
        (b"%PDF-1.7", "image/jpeg", "application/pdf"),
        (b"%PDX", "application/pdf", "text/plain"),
        (b"\xff\xfb\x90\0", "audio/mpeg", "audio/mpeg"),
        (b"", "image/jpeg", "text/plain"),
    ],
)  # fmt: skip
def test_true_type(head: bytes, declared: str, wanted: str) -> None:
    assert true_type(head, declared) == wanted
