"""``python -m ringback`` is the command ``ringback``."""

from __future__ import annotations

import contextlib
import signal
import sys
from typing import Any


def main() -> None:
    """Entry point. The server starts without what reads the other commands' arguments: that weighs 14 MB."""
    if sys.argv[1:2] == ["serve"]:
        signal.signal(
            signal.SIGINT, _leave
        )  # until the server takes the signals: a start leaves without a traceback
        from ringback.serve import Unclear
        from ringback.serve import main as serve

        with contextlib.suppress(Unclear):  # said below, as of every command
            sys.exit(serve(sys.argv[2:]))
    from ringback.cli import main as command

    command()


def _leave(number: int, frame: Any) -> None:
    """End as a program does that Ctrl-C ends."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
