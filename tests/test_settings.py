"""Settings: where they come from, what they become, and how clearly a bad one is refused."""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path

import pytest

from ringback import settings as settings_module
from ringback.settings import Settings, SettingsError, load, own_address

NONE = Path(os.devnull)
"""A settings file with nothing in it."""


def test_the_defaults_are_the_documented_ones() -> None:
    settings = load(environ={}, file=NONE)
    assert settings.http_address == ("127.0.0.1", 8080)
    assert settings.base_url == "http://127.0.0.1:8080"
    assert [(one.transport, one.port) for one in settings.listeners] == [("udp", 5060), ("tcp", 5060)]
    assert settings.rtp_range == range(20000, 30000)
    assert settings.carrier == "simulated"
    assert settings.private_webhooks is True


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "ringback.toml"
    file.write_text('http = "127.0.0.1:1"\nsip = "off"\ncalls_per_second = 2\n')
    environ = {"RINGBACK_HTTP": "127.0.0.1:2", "RINGBACK_DATA_DIR": "/srv/a"}
    settings = load(environ=environ, file=file, flags={"data_dir": Path("/srv/b")})
    assert settings.http == "127.0.0.1:2"
    assert settings.data_dir == Path("/srv/b")
    assert settings.calls_per_second == 2.0
    assert settings.listeners == []


def test_trunks_and_phones_are_tables(tmp_path: Path) -> None:
    file = tmp_path / "ringback.toml"
    file.write_text(
        '[trunk.berlin]\nhost = "sip.example.test"\ntransport = "tls"\nusername = "u"\npassword = "p"\n'
        'register = true\nnumbers = ["+4930123"]\nprefixes = ["+49"]\nmax_calls = 10\n'
        '[phone.alice]\npassword = "secret"\n'
    )
    settings = load(environ={}, file=file)
    (trunk,), (phone,) = settings.trunks, settings.phones
    assert (trunk.name, trunk.numbers, trunk.prefixes, trunk.max_calls) == (
        "berlin",
        ("+4930123",),
        ("+49",),
        10,
    )
    assert (phone.name, phone.password) == ("alice", "secret")


def test_private_webhooks_follow_the_listen_address() -> None:
    none = NONE
    assert load(environ={"RINGBACK_HTTP": "0.0.0.0:8080"}, file=none).private_webhooks is False
    environ = {"RINGBACK_HTTP": "0.0.0.0:8080", "RINGBACK_ALLOW_PRIVATE_WEBHOOKS": "true"}
    assert load(environ=environ, file=none).private_webhooks is True


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"RINGBACK_TRANSCRIPTION": "loud"}, "write one of whisper, script, off"),
        ({"RINGBACK_TRANSCRIPTION_WORKERS": "-1"}, "RINGBACK_TRANSCRIPTION_WORKERS"),
        ({"RINGBACK_TRANSCRIPTION_QUEUE": "0"}, "RINGBACK_TRANSCRIPTION_QUEUE"),
        (
            {"RINGBACK_KEEP_CALLS_DAYS": "-1"},
            "RINGBACK_KEEP_CALLS_DAYS='-1': write a number, 0 or more",
        ),
        ({"RINGBACK_REQUESTS_MEGABYTES": "nan"}, "RINGBACK_REQUESTS_MEGABYTES"),
        ({"RINGBACK_ACCOUNT_RECORDS": "-5"}, "RINGBACK_ACCOUNT_RECORDS"),
        ({"RINGBACK_HTTP": "8080"}, "host:port"),
        ({"RINGBACK_HTTP": "127.0.0.1:99999"}, "host:port"),
        ({"RINGBACK_SIP": "quic:127.0.0.1:5060"}, "transport:host:port"),
        ({"RINGBACK_SIP": "tls:127.0.0.1:5061"}, "CERTIFICATE"),
        ({"RINGBACK_RTP_PORTS": "30000-20000"}, "low-high"),
        ({"RINGBACK_CLOCK": "wrong"}, "real, virtual"),
        ({"RINGBACK_CARRIER": "nobody"}, "trunk's name"),
        ({"RINGBACK_SIP_TRUSTED": "10.0.0.0/99"}, "RINGBACK_SIP_TRUSTED"),
        ({"RINGBACK_CALLS_PER_SECOND": "fast"}, "a number"),
        ({"RINGBACK_ALLOW_PRIVATE_WEBHOOKS": "perhaps"}, "true or false"),
        ({"RINGBACK_PUBLIC_URL": "ftp://example.test"}, "http"),
        (
            {"RINGBACK_HTTP_HEAD_BYTES": "0"},
            "RINGBACK_HTTP_HEAD_BYTES='0': write a whole number, 1024 or more",
        ),
        ({"RINGBACK_HTTP_HEAD_SECONDS": "nan"}, "RINGBACK_HTTP_HEAD_SECONDS='nan': write a number"),
        ({"RINGBACK_HTTP_IDLE_SECONDS": "inf"}, "RINGBACK_HTTP_IDLE_SECONDS"),
        (
            {"RINGBACK_SIP_CONNECTIONS": "-1"},
            "RINGBACK_SIP_CONNECTIONS='-1': write a whole number, 0 or more",
        ),
    ],
)
def test_a_bad_value_is_refused_with_what_to_write(environ: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load(environ=environ, file=NONE)


@pytest.mark.parametrize(
    "text", ["colour = 1", "[trunk.a]\nhots = 'x'", "[phone.a]\n", "http = [", "[trunk]\na = 1"]
)
def test_a_bad_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "ringback.toml"
    file.write_text(text)
    with pytest.raises(SettingsError):
        load(environ={}, file=file)


def test_every_address_has_a_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Links lead to an address that others can open; nobody opens 0.0.0.0."""
    monkeypatch.setattr(settings_module, "own_address", lambda wildcard: "192.0.2.7")
    for http in ("0.0.0.0:8080", "[::]:8080"):
        settings = Settings(http=http)
        assert settings.listens_everywhere
        assert settings.base_url == "http://192.0.2.7:8080"
        assert Settings(http=http, public_url="https://x.test/").base_url == "https://x.test"
    assert Settings(http="[::1]:8080").base_url == "http://[::1]:8080"
    assert Settings(http="192.0.2.9:80").base_url == "http://192.0.2.9:80"


@pytest.mark.parametrize("wildcard", ["0.0.0.0", "::"])
def test_the_machines_own_address(wildcard: str) -> None:
    """Whatever networks there are: an address that can be bound here, never the wildcard."""
    own_address.cache_clear()
    found = ipaddress.ip_address(own_address(wildcard))
    assert not found.is_unspecified
    with socket.socket(socket.AF_INET6 if found.version == 6 else socket.AF_INET) as probe:
        probe.bind((str(found), 0))


def test_secrets_are_not_in_the_text_of_settings() -> None:
    assert "very-secret" not in repr(Settings(auth_token="very-secret"))


def test_scripted_transcription_is_for_simulated_callers_alone(tmp_path: Path) -> None:
    file = tmp_path / "ringback.toml"
    file.write_text(
        'carrier = "berlin"\ntranscription = "script"\n[trunk.berlin]\nhost = "sip.example.test"\n'
    )
    with pytest.raises(SettingsError, match="only with RINGBACK_CARRIER=simulated"):
        load(environ={}, file=file)
    assert load(environ={"RINGBACK_TRANSCRIPTION": "off"}, file=file).transcription == "off"
