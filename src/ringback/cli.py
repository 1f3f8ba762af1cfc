"""The command ``ringback`` (surface.md, Commands)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ringback import __version__
from ringback.access_token import command as token_command
from ringback.backup import command as backup_command
from ringback.command_line import ConfigOption
from ringback.credentials import command as credentials_command
from ringback.doctor import command as doctor_command
from ringback.phone import phone
from ringback.reconcile import command as reconcile_command

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="A contact centre that speaks Twilio's API."
)


@app.command()
def serve(
    config: ConfigOption = None,
    http: Annotated[str | None, typer.Option(help="Listen address, host:port.")] = None,
    sip: Annotated[str | None, typer.Option(help="SIP listeners, or off.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where everything is kept.")] = None,
    clock: Annotated[str | None, typer.Option(help="real or virtual.")] = None,
    standby: Annotated[
        bool, typer.Option("--standby", help="Wait until no other process owns the database, then serve.")
    ] = False,
) -> None:
    """Run the server until SIGTERM or Ctrl-C; calls are drained first."""
    from ringback.serve import with_flags

    raise typer.Exit(
        with_flags(config=config, standby=standby, http=http, sip=sip, data_dir=data_dir, clock=clock)
    )


app.command()(phone)
app.command(name="doctor")(doctor_command)
app.command(name="reconcile")(reconcile_command)
app.command(name="token")(token_command)
app.command(name="credentials")(credentials_command)
app.command(name="backup")(backup_command)


def version(show: bool) -> None:
    """``--version``."""
    if show:
        typer.echo(f"ringback {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=version, is_eager=True)] = False,
) -> None:
    """A contact centre that anyone can host, and that speaks Twilio's API."""


def main() -> None:
    """Entry point of every command but ``serve`` (see ``__main__``)."""
    # NO_COLOR: the library leaves colours out by itself only where the output is no terminal
    app(color=False if os.environ.get("NO_COLOR") else None)
