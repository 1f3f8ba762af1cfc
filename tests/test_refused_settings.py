"""Nonsense for every setting there is: the message names the setting and the value, and says what to write instead."""

from __future__ import annotations

import os
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import pytest

from ringback.callbacks.options import Options, read_options
from ringback.settings import Phone, Settings, SettingsError, Trunk, load, unknown_variables, variable

NONE = Path(os.devnull)
TABLES = ("notifications", "callback", "trunks", "phones", "smpp", "http_carriers")
PLAIN = [one for one in fields(Settings) if one.name not in TABLES]
PLACES = {"data_dir", "plugins"}
"""Any text may be the name of a folder; what is there must be one."""
NONSENSE = {
    "int": ["banana", "-1", "1.5", "9" * 400, "1e3", "nan"],
    "float": ["banana", "-0.5", "nan", "inf", "-inf", "1,5"],
    "bool": ["banana", "2", "no no"],
    "Literal": ["banana", "1", "re al"],
    "text": ["¡banana! 🍌", "a\tb\x07", "x y z" * 200],
}


def kind_of(one: Field[Any]) -> str:
    """Which nonsense a setting gets."""
    annotation = str(one.type)
    return next((kind for kind in ("int", "float", "bool", "Literal") if annotation.startswith(kind)), "text")


def cases() -> list[tuple[str, str]]:
    """Every setting with every nonsense of its kind."""
    return [(one.name, bad) for one in PLAIN if one.name not in PLACES for bad in NONSENSE[kind_of(one)]]


@pytest.mark.parametrize(
    ("name", "bad"), cases(), ids=lambda text: text[:20].encode("ascii", "replace").decode()
)
def test_nonsense_is_refused(name: str, bad: str) -> None:
    """From the environment, by name, with the value (a secret is not repeated) and what to write."""
    with pytest.raises(SettingsError) as caught:
        load(environ={variable(name): bad}, file=NONE)
    said = str(caught.value)
    assert f"{variable(name)}=" in said
    assert "write " in said
    assert len(said) < 400, "a message is read by people"
    secret = name.endswith(("token", "secret"))
    assert (bad not in said) if secret else (repr(bad)[1:6] in said)


@pytest.mark.parametrize("name", [one.name for one in PLAIN])
def test_nonsense_in_the_file_and_in_flags_is_refused_alike(name: str, tmp_path: Path) -> None:
    """A TOML value of a wrong type, and a flag."""
    file = tmp_path / "ringback.toml"
    file.write_text(f"{name} = [[1]]\n")
    with pytest.raises(SettingsError, match=f"{variable(name)}=.*: write "):
        load(environ={}, file=file)
    with pytest.raises(SettingsError, match=f"{variable(name)}=.*: write "):
        load(environ={}, file=NONE, flags={name: "a\nb"})


@pytest.mark.parametrize("name", sorted(PLACES))
def test_a_folder_that_is_a_file(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=f"{variable(name)}=.*file.*: write the path of a folder"):
        load(environ={variable(name): str(tmp_path / "file")}, file=NONE)


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"RINGBACK_MEDIA_WORKERS": "0"}, "RINGBACK_MEDIA_WORKERS='0': write a whole number from 1 to 64"),
        ({"RINGBACK_MEDIA_WORKERS": "-1"}, "RINGBACK_MEDIA_WORKERS='-1': write a whole number from 1 to 64"),
        ({"RINGBACK_LOG": "LOUD"}, "RINGBACK_LOG='LOUD': write one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ({"RINGBACK_DATABASE_URL": "mysql://foo"}, "RINGBACK_DATABASE_URL='mysql://foo': write postgresql://"),
        ({"RINGBACK_DATABASE_URL": "mysql://me:secret@foo"}, "RINGBACK_DATABASE_URL='mysql://…@foo': write"),
        ({"RINGBACK_SIP": "udp:localhost:5060"}, "RINGBACK_SIP='udp:localhost:5060': write transport:host:port"),
        ({"RINGBACK_SIP": "udp:127.0.0.1:70000"}, "RINGBACK_SIP='udp:127.0.0.1:70000': write"),
        ({"RINGBACK_PUBLIC_URL": "http://"}, "RINGBACK_PUBLIC_URL='http://': write an http(s) URL"),
        ({"RINGBACK_CONFIG": "/no/such.toml"}, "RINGBACK_CONFIG=/no/such.toml: No such file or directory"),
        ({"RINGBACK_SIP_TLS_KEY": "/no/such.pem"}, "RINGBACK_SIP_TLS_KEY='/no/such.pem': write the path of a PEM"),
        ({"RINGBACK_DEFAULT_NUMBER": "0041"}, "RINGBACK_DEFAULT_NUMBER='0041': write a number such as +15550100"),
    ],
)  # fmt: skip
def test_what_strangers_wrote(environ: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(environ=environ, file=None if "RINGBACK_CONFIG" in environ else NONE)
    assert says in str(caught.value)


def test_a_settings_file_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--config .*none\.toml: No such file.*: write the path"):
        load(environ={}, file=tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="is no TOML"):
        load(environ={}, file=tmp_path / "binary.toml")
    with pytest.raises(SettingsError, match=r"--config .*directory"):
        load(environ={}, file=tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[phone.alice]\n", '[phone.alice]: password is missing: write password = "…" below it'),
        ('[phone.alice]\npassword = ""\n', "[phone.alice]: password is missing"),
        ("[phone.alice]\npassword = 3\n", "[phone.alice] password=…: write a text of one line"),
        ('[phone.alice]\npasword = "x"\n', "[phone.alice] pasword: there is no such key: did you mean password?"),
        ("phone = 3\n", "phone='3': write a table: [phone]"),
        ("[trunk]\na = 1\n", "[trunk.a]: write a table with keys of host,"),
        ("[trunk.berlin]\n", '[trunk.berlin]: host is missing: write host = "…" below it'),
        ('[trunk.b]\nhost = "x"\ntransport = "quic"\n', "[trunk.b] transport='quic': write one of udp, tcp, tls"),
        ('[trunk.b]\nhost = "x"\nnumbers = "+1"\n', "[trunk.b] numbers='+1': write a list of texts"),
        ('[trunk.b]\nhost = "x"\nmax_calls = "many"\n', "[trunk.b] max_calls='many': write a whole number, 0 or more"),
        ('[trunk.b]\nhost = "x"\nmax_calls = -1\n', "[trunk.b] max_calls='-1': write a whole number, 0 or more"),
        ('[trunk.b]\nhost = "x"\nregister = "perhaps"\n', "[trunk.b] register='perhaps': write true or false"),
        ('[trunk.b]\nhost = "x"\nrtp_source = "far"\n', "[trunk.b] rtp_source='far': write one of nat, told, any"),
        ('htpp = "127.0.0.1:1"\n', "htpp in ringback.toml: there is no such setting: did you mean http?"),
        ("[phnoe.alice]\n", "phnoe in ringback.toml: there is no such setting"),
        ("[notifications]\nkey = 3\n", "[notifications] key='3': write a text of one line"),
        ("callback = 3\n", "callback='3': write a table: [callback]"),
    ],
)  # fmt: skip
def test_nonsense_in_the_tables(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "ringback.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load(environ={}, file=file)
    assert says in str(caught.value)


@pytest.mark.parametrize("kind", [Trunk, Phone], ids=lambda kind: kind.__name__)
def test_every_key_of_a_part_refuses_what_is_none(kind: type[Any], tmp_path: Path) -> None:
    """Also those that are added later: found from the declaration."""
    names = [one.name for one in fields(kind) if one.name != "name"]
    good = {one.name: "x" for one in fields(kind) if one.name in ("host", "password")}
    for name in names:
        file = tmp_path / "ringback.toml"
        rest = "".join(f'{key} = "{value}"\n' for key, value in good.items() if key != name)
        file.write_text(f"[{kind.__name__.lower()}.a]\n{name} = [[1]]\n{rest}")
        with pytest.raises(SettingsError, match=rf"\[{kind.__name__.lower()}\.a\] {name}=.*: write "):
            load(environ={}, file=file)


def test_misspelt_variables_are_told() -> None:
    """With what was probably meant; those of other programs, and ours that are no settings, are not."""
    environ = {
        "RINGBACK_DATADIR": "x", "RINGBACK_HTTP": "x", "RINGBACK_BANANA": "x", "RINGBACK_CONFIG": "x", "PATH": "x",
        "RINGBACK_URL": "x",
    }  # fmt: skip
    assert unknown_variables(environ) == [
        "RINGBACK_BANANA is no setting; docs/settings.md lists them all",
        "RINGBACK_DATADIR is no setting: did you mean RINGBACK_DATA_DIR?",
    ]


def test_what_has_no_effect_is_told() -> None:
    assert load(environ={}, file=NONE).warnings == []
    (line,) = load(environ={"RINGBACK_BUS_URL": "nats://a:b@h"}, file=NONE).warnings
    assert line.startswith("RINGBACK_BUS_URL=nats://…@h has no effect")


def test_off_is_no_number() -> None:
    assert load(environ={"RINGBACK_DEFAULT_NUMBER": "off"}, file=NONE).default_number == ""


def test_words_in_capitals_are_understood() -> None:
    given = load(environ={"RINGBACK_LOG": "debug", "RINGBACK_SQLITE_SYNCHRONOUS": "full"}, file=NONE)
    assert (given.log, given.sqlite_synchronous) == ("DEBUG", "FULL")


OPTIONS = [one.name for one in fields(Options) if one.name not in ("own_url", "home")]


@pytest.mark.parametrize("name", OPTIONS)
def test_every_key_of_callback_refuses_what_is_none(name: str) -> None:
    """Found from the declaration; also numbers that are none."""
    for bad in ([[1]], float("nan"), float("-inf"), -1):
        with pytest.raises(SettingsError) as caught:
            read_options({name: bad}, "http://own.test")
        assert str(caught.value).startswith(f"[callback] {name}=")
        assert ": write " in str(caught.value)
        secret = name.endswith("token")
        assert secret or str(bad).strip("[]") in str(caught.value)


def test_a_misspelt_key_of_callback() -> None:
    with pytest.raises(
        SettingsError, match=r"\[callback\] max_atempts: there is no such key: did you mean max_att"
    ):
        read_options({"max_atempts": 1}, "")
