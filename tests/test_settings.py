"""Settings: where they come from, what they become, and how clearly a bad one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringback.settings import Settings, SettingsError, load


def test_the_defaults_are_the_documented_ones(tmp_path: Path) -> None:
    settings = load(environ={}, file=tmp_path / "none.toml")
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


def test_private_webhooks_follow_the_listen_address(tmp_path: Path) -> None:
    none = tmp_path / "none.toml"
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
            "RINGBACK_KEEP_CALLS_DAYS=-1.0: write a number that is 0 or more",
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
    ],
)
def test_a_bad_value_is_refused_with_what_to_write(
    tmp_path: Path, environ: dict[str, str], says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        load(environ=environ, file=tmp_path / "none.toml")


@pytest.mark.parametrize(
    "text", ["colour = 1", "[trunk.a]\nhots = 'x'", "[phone.a]\n", "http = [", "[trunk]\na = 1"]
)
def test_a_bad_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "ringback.toml"
    file.write_text(text)
    with pytest.raises(SettingsError):
        load(environ={}, file=file)


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
