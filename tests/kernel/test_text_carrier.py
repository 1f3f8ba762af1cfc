"""``[smpp.NAME]`` and ``[http_carrier.NAME]``: read, and refused with what to write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ringback.settings import SettingsError, load

SMPP = '[smpp.acme]\nhost = "smpp.example.test"\nsystem_id = "us"\npassword = "very-secret"\n'
TWICE = f'{SMPP}numbers = ["+15550100"]\n{SMPP.replace("acme", "b")}numbers = ["+15550100"]'
HTTP = (
    '[http_carrier.chat]\nsend_url = "https://carrier.example.test/messages"\ntoken = "very-secret"\n'
    'webhook_secret = "0123456789abcdef"\nnumbers = ["whatsapp:+15550100"]\n'
)


def read(tmp_path: Path, text: str) -> object:
    file = tmp_path / "ringback.toml"
    file.write_text(text)
    return load(environ={}, file=file)


def test_both_are_tables(tmp_path: Path) -> None:
    settings = load(environ={}, file=Path(os.devnull))
    assert (settings.smpp, settings.http_carriers) == ((), ())
    found = read(
        tmp_path, SMPP + 'numbers = ["+15550100", "*"]\nthroughput = 2.5\nbind = "pair"\ntls = true\n' + HTTP
    )
    (smpp,), (http,) = found.smpp, found.http_carriers  # type: ignore[attr-defined]
    assert (smpp.name, smpp.port, smpp.bind, smpp.throughput, smpp.tls) == ("acme", 2775, "pair", 2.5, True)
    assert smpp.numbers == ("+15550100", "*")
    assert (http.name, http.send_url, http.timeout) == ("chat", "https://carrier.example.test/messages", 15.0)
    assert "secret" not in repr(found)
    assert "0123456789abcdef" not in repr(found)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[smpp]\na = 1", r"\[smpp.a\]: write a table"),
        ('[smpp.acme]\nhost = "a"', r"\[smpp.acme\]: system_id is missing"),
        ('[smpp."a b"]\nhost = "a"\nsystem_id = "b"', "write a name of letters"),
        (SMPP + "prot = 1", "did you mean port"),
        (SMPP + "port = 70000", r"\[smpp.acme\] port='70000': write a whole number from 1 to 65535"),
        (SMPP + "window = 0", "window"),
        (SMPP + "throughput = -1", "throughput"),
        (SMPP + 'bind = "both"', "transceiver, pair"),
        (SMPP + 'tls = "perhaps"', "true or false"),
        (SMPP + 'numbers = ["whatsapp:+15550100"]', "numbers"),
        (SMPP + 'numbers = "+15550100"', "a list of texts"),
        (SMPP + 'default_alphabet = "ebcdic"', "gsm, latin-1, ascii"),
        (SMPP.replace('"us"', '"sixteen-letters-"'), "system_id"),
        (SMPP.replace("smpp.example.test", "http://x/"), "a host name or an address"),
        (TWICE, r"\[smpp.acme\] has it"),
        (HTTP.replace("https:", "ftp:"), "an http"),
        (HTTP.replace("0123456789abcdef", "short"), "16 to 256"),
        (HTTP.replace('["whatsapp:+15550100"]', "[]"), "numbers is missing"),
        (HTTP.replace("whatsapp:+15550100", "WhatsApp"), "whatsapp:"),
        (HTTP.replace('token = "very-secret"\n', ""), "token is missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as refused:
        read(tmp_path, text)
    assert "very-secret" not in str(refused.value)


@pytest.mark.parametrize("secret", ["with blanks in it …", "x" * 2000])
def test_a_secret_is_not_repeated(tmp_path: Path, secret: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, HTTP.replace("very-secret", secret))
    assert secret not in str(refused.value)
