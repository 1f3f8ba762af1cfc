"""The command ``ringback`` (surface.md, Commands)."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ringback import __version__
from ringback.doctor import command as doctor_command
from ringback.phone import phone
from ringback.reconcile import command as reconcile_command
from ringback.settings import Settings, SettingsError, load

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="A contact centre that speaks Twilio's API."
)

ConfigOption = Annotated[Path | None, typer.Option("--config", help="Settings file; default ringback.toml.")]


def settings_or_exit(config: Path | None = None, **flags: Any) -> Settings:
    """Read the settings; print what is wrong with them and leave with status 2 otherwise."""
    try:
        return load(file=config, flags=flags)
    except SettingsError as error:
        typer.secho(f"ringback: {error}", fg="red", err=True)
        raise typer.Exit(2) from None


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def serve(context: typer.Context) -> None:
    """Run the server until SIGTERM or Ctrl-C; calls are drained first."""
    from ringback.serve import main as run

    raise typer.Exit(run(context.args))


app.command()(phone)
app.command(name="doctor")(doctor_command)
app.command(name="reconcile")(reconcile_command)


Role = Literal["worker", "supervisor", "admin"]


@app.command()
def token(
    identity: Annotated[str, typer.Option(help="Who the token is for.")],
    ttl: Annotated[int, typer.Option(help="Seconds that it is valid.", min=1, max=86400)] = 3600,
    workspace: Annotated[str | None, typer.Option(help="TaskRouter workspace SID.")] = None,
    worker: Annotated[str | None, typer.Option(help="TaskRouter worker SID.")] = None,
    role: Annotated[
        Role, typer.Option(help="TaskRouter role: a supervisor may see the whole workspace.")
    ] = "worker",
    config: ConfigOption = None,
) -> None:
    """Print an access token for the Voice and TaskRouter SDKs."""
    settings = settings_or_exit(config)
    from ringback.web.auth import make_token

    known = credentials(settings)
    grants: dict[str, Any] = {"voice": {"incoming": {"allow": True}}}
    if workspace or worker:
        grants["task_router"] = {"workspace_sid": workspace, "worker_sid": worker, "role": role}
    typer.echo(
        make_token(
            account_sid=known["account_sid"],
            key_sid=known["account_sid"],
            secret=known["auth_token"],
            identity=identity,
            grants=grants,
            now=time.time(),
            seconds=ttl,
        )
    )


def credentials(settings: Settings) -> dict[str, str]:
    """What the first start kept in the data directory, overridden by the settings."""
    path = settings.data_dir / "credentials.json"
    known: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    if settings.account_sid:
        known["account_sid"] = settings.account_sid
    if settings.auth_token:
        known["auth_token"] = settings.auth_token
    if "account_sid" not in known:
        typer.secho(
            f"ringback: no credentials in {settings.data_dir}: start the server once (ringback serve)",
            fg="red",
            err=True,
        )
        raise typer.Exit(2)
    return known


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
    app()
