"""``python -m ringback`` is the command ``ringback``."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point. The server starts without what reads the other commands' arguments: that weighs 14 MB."""
    if sys.argv[1:2] == ["serve"]:
        from ringback.serve import main as serve

        sys.exit(serve(sys.argv[2:]))
    from ringback.cli import main as command

    command()


if __name__ == "__main__":
    main()
