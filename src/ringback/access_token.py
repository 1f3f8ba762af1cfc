"""``ringback token``: an access token for the Voice and TaskRouter SDKs."""

from __future__ import annotations

import base64
import time
import urllib.error
import urllib.request
from typing import Annotated, Any, Literal

import typer

from ringback.command_line import ConfigOption, DataDirOption, refuse, settings_of, warn
from ringback.credentials import NoCredentials, kept
from ringback.kernel.sid import is_sid

Role = Literal["worker", "supervisor", "admin"]
PATIENCE = 5.0
"""Seconds that the running server may take to say whether it knows a workspace."""


def command(
    identity: Annotated[str, typer.Option(help="Who the token is for.")],
    ttl: Annotated[int, typer.Option(help="Seconds that it is valid.", min=1, max=86400)] = 3600,
    workspace: Annotated[str | None, typer.Option(help="TaskRouter workspace SID.")] = None,
    worker: Annotated[str | None, typer.Option(help="TaskRouter worker SID.")] = None,
    role: Annotated[
        Role, typer.Option(help="TaskRouter role: a supervisor may see the whole workspace.")
    ] = "worker",
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Print an access token for the Voice and TaskRouter SDKs."""
    settings = settings_of(config, data_dir)
    from ringback.web.auth import make_token

    if not identity.strip():
        refuse("--identity '': write who the token is for, such as alice")
    for option, prefix, sid in (("--workspace", "WS", workspace), ("--worker", "WK", worker)):
        if sid is not None and not is_sid(sid, prefix):
            refuse(f"{option} {sid!r} is no SID: write {prefix} and 32 hexadecimal digits")
    if worker and not workspace:
        refuse("--worker needs --workspace: write the SID of the worker's workspace too")
    try:
        account, secret = kept(settings)
    except NoCredentials as error:
        refuse(error)
    if workspace:
        _look_up(settings.base_url_here, (account, secret), workspace, worker)
    grants: dict[str, Any] = {"voice": {"incoming": {"allow": True}}}
    if workspace:
        grants["task_router"] = {"workspace_sid": workspace, "worker_sid": worker, "role": role}
    typer.echo(
        make_token(
            account_sid=account, key_sid=account, secret=secret, identity=identity, grants=grants,
            now=time.time(), seconds=ttl,
        )
    )  # fmt: skip


def _look_up(base: str, known: tuple[str, str], workspace: str, worker: str | None) -> None:
    """Ask the running server for the workspace and the worker: a token for none would be refused later."""
    path = f"/taskrouter/v1/Workspaces/{workspace}" + (f"/Workers/{worker}" if worker else "")
    signed = base64.b64encode(":".join(known).encode()).decode()
    request = urllib.request.Request(base + path, headers={"Authorization": f"Basic {signed}"})  # noqa: S310 - http
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE):  # noqa: S310 - http
            return
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 404:
            what = f"worker {worker} in workspace {workspace}" if worker else f"workspace {workspace}"
            refuse(f"the server at {base} has no {what}")
        warn(f"{path} is not checked: the server at {base} answered {error.code}")
    except OSError:
        warn(f"{path} is not checked: no server answers at {base}")
