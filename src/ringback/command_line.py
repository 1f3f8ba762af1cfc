"""What the commands share: the option ``--config``, the settings or a refusal, and the words of a refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ringback.settings import Settings, SettingsError, load, unknown_variables

ConfigOption = Annotated[Path | None, typer.Option("--config", help="Settings file; default ringback.toml.")]
DataDirOption = Annotated[
    Path | None, typer.Option("--data-dir", help="Where everything is kept; default: as the settings say.")
]


def refuse(message: object, status: int = 2) -> NoReturn:
    """Say why the command is not carried out, and leave; status 2: it was asked for wrongly."""
    typer.secho(f"ringback: {message}", fg="red", err=True)
    raise typer.Exit(status)


def warn(message: object) -> None:
    """Say what the person should know; the command goes on."""
    typer.secho(f"ringback: {message}", fg="yellow", err=True)


def settings_of(config: Path | None, data_dir: Path | None = None) -> Settings:
    """Read the settings, warn of variables that are none; leaves with status 2 when something is wrong."""
    for line in unknown_variables():
        warn(line)
    try:
        return load(file=config, flags={"data_dir": data_dir})
    except SettingsError as error:
        refuse(error)
