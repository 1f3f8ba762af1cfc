"""``ringback credentials``: the account SID and the auth token that clients sign in with."""

from __future__ import annotations

import json

import typer

from ringback.command_line import ConfigOption, DataDirOption, refuse, settings_of
from ringback.settings import Settings


class NoCredentials(Exception):
    """There are none yet; the message says what to do."""


def kept(settings: Settings) -> tuple[str, str]:
    """Account SID and auth token: those of the settings, else those that the first start kept.

    Raises :class:`NoCredentials`.
    """
    path = settings.data_dir / "credentials.json"
    try:
        known = json.loads(path.read_text("utf-8")) if path.exists() else {}
        sid = settings.account_sid or known["account_sid"]
        return str(sid), str(settings.auth_token or known["auth_token"])
    except OSError as error:
        raise NoCredentials(
            f"{path}: {error.strerror}: run this as the user that the server runs as"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise NoCredentials(
            f"no credentials in {path}: start the server once (ringback serve), name its directory"
            " (RINGBACK_DATA_DIR), or set RINGBACK_ACCOUNT_SID and RINGBACK_AUTH_TOKEN"
        ) from None


def command(config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Print account SID and auth token as ``SID:TOKEN``, for ``curl -u "$(ringback credentials)" …``."""
    try:
        sid, token = kept(settings_of(config, data_dir))
    except NoCredentials as error:
        refuse(error)
    typer.echo(f"{sid}:{token}")
