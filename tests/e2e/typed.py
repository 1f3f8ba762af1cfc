"""The code blocks of the pages, and a terminal that types them: commands in order, output compared where it is shown.

A ``console`` block has commands behind ``$`` and what they print below; ``…`` stands for any text, a line with nothing
else for any lines. A ``sh`` block has commands that must succeed.
"""

from __future__ import annotations

import os
import re
import secrets
import selectors
import shutil
import signal
import subprocess
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

TOP = Path(__file__).parents[2]
PATIENCE = 90.0
"""Seconds for one command."""
LASTING = {
    r"^make run$": "Ringback is ready at ",
    r"ringback serve\b": "Ringback is ready at ",
    r"examples/\w+/app\.py": "Ctrl-C stops it",
    r"^baresip .*-e": "Call established",
    r"^baresip -f phone$": "200 OK",
}
"""Commands that go on until they are stopped, and the last thing that they print at their start."""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of a page."""

    page: str
    line: int
    language: str
    text: str

    def commands(self) -> Iterator[tuple[str, str | None]]:
        """Each command with the output that the page shows; None: it shows none."""
        if self.language == "sh":
            yield self.text, None
            return
        command, shown = "", ""
        for line in self.text.splitlines():
            if line.startswith("$ "):
                if command:
                    yield command, shown
                command, shown = line[2:], ""
            else:
                shown += f"{line}\n"
        yield command, shown


def blocks(page: Path) -> list[Block]:
    """Every fenced block of a page, in order."""
    text = page.read_text("utf-8")
    found = re.finditer(r"^( *)```(\w*)\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL)
    name = page.relative_to(TOP).as_posix()
    return [
        Block(name, text[: each.start()].count("\n") + 1, each[2], textwrap.dedent(each[3])) for each in found
    ]


def pages() -> list[Path]:
    """Everything that a newcomer may read and type."""
    return sorted([TOP / "README.md", *(TOP / "docs").rglob("*.md"), *(TOP / "examples").rglob("*.md")])


def shown_as(shown: str, printed: str) -> bool:
    """Whether the output is what the page shows."""
    lines = shown.strip("\n").splitlines()
    pattern = "".join(
        r"(?:.*?\n)??"
        if line.strip() == "…"
        else ".*?".join(map(re.escape, line.rstrip().split("…"))) + r" *\n"
        for line in lines
    )
    return re.fullmatch(pattern, printed.strip("\n") + "\n" if printed.strip() else "", re.DOTALL) is not None


def checkout(folder: Path) -> None:
    """A folder that looks like the checkout after ``make install``, with a data directory of its own."""
    for name in ("Makefile", "pyproject.toml", "scripts", "examples", "docs", "deploy", "src"):
        (folder / name).symlink_to(TOP / name)
    for path in [*TOP.glob("*.lock"), *TOP.glob("*.md")]:
        (folder / path.name).symlink_to(path)
    (folder / ".venv").mkdir()
    for path in (TOP / ".venv").iterdir():
        if path.name != ".installed":
            (folder / ".venv" / path.name).symlink_to(path)
    lock = "requirements-dev.lock"
    stamp = (
        f"echo {lock} $({{ cat {lock} pyproject.toml scripts/install; pwd; }} | sha256sum | cut -d' ' -f1)"
    )
    done = subprocess.run(["bash", "-c", stamp], cwd=folder, check=True, capture_output=True)
    (folder / ".venv" / ".installed").write_bytes(done.stdout)


class Terminal:
    """One shell in one folder, and the programs that were left running; a context manager."""

    def __init__(self, folder: Path, environment: dict[str, str], replaced: Callable[[str], str]) -> None:
        """``replaced`` puts real ports and credentials into what a page says."""
        self.folder, self._environment, self._replaced = folder, environment, replaced
        self._lasting: list[subprocess.Popen[bytes]] = []
        self._shell = subprocess.Popen(
            ["bash", "--norc", "--noprofile"], cwd=folder, env=environment, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def type(self, block: Block) -> None:
        """Every command of a block; raises ``AssertionError`` with what was printed in place of what is shown."""
        for command, shown in block.commands():
            command = self._replaced(command)
            where = f"{block.page}:{block.line}: {command}"
            lasting = next((up for pattern, up in LASTING.items() if re.search(pattern, command)), None)
            if lasting is not None:
                printed = self._begin(command, lasting, where)
                # what comes after the words that it is up is not waited for
                assert shown is None or shown_as(f"{self._replaced(shown)}…", f"{printed}\n"), (
                    f"{where}\n{printed}"
                )
                continue
            status, printed = self.run(command, where)
            assert "Traceback" not in printed, f"{where}\n{printed}"
            assert status == 0, f"{where}: status {status}\n{printed}"
            if shown is not None:
                assert shown_as(self._replaced(shown), printed), (
                    f"{where}\nshown:\n{shown}\nprinted:\n{printed}"
                )

    def run(self, command: str, where: str) -> tuple[int, str]:
        """One command in the shell: its status and what it printed."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        mark = secrets.token_hex(8)
        # the commands' own input is empty: what is typed to a program is in the page as a pipe
        text = f"{{ {command}\n}} </dev/null\nprintf '\\n%s %s\\n' {mark} $?\n"
        self._shell.stdin.write(text.encode())
        self._shell.stdin.flush()
        printed = b""
        end = time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as ready:
            ready.register(self._shell.stdout, selectors.EVENT_READ)
            while not (found := re.search(rb"\n" + mark.encode() + rb" (\d+)\n", printed)):
                assert ready.select(end - time.monotonic()), f"{where}: it does not end\n{printed.decode()}"
                part = os.read(self._shell.stdout.fileno(), 65536)
                assert part, f"{where}: the shell ended\n{printed.decode()}"
                printed += part
        return int(found[1]), printed[: found.start()].decode("utf-8", "replace")

    def _begin(self, command: str, up: str, where: str) -> str:
        """Start what goes on; what it printed until it was up."""
        log = self.folder / f"lasting{len(self._lasting)}.log"
        with log.open("wb") as file:
            self._lasting.append(
                subprocess.Popen(
                    ["bash", "-c", f"exec {command}"], cwd=self.folder, env=self._environment,
                    stdin=subprocess.DEVNULL if not command.startswith("baresip") else subprocess.PIPE,
                    stdout=file, stderr=file, start_new_session=True,
                )
            )  # fmt: skip
        end = time.monotonic() + PATIENCE
        while up not in (printed := log.read_text("utf-8", "replace")) or not printed.endswith("\n"):
            assert self._lasting[-1].poll() is None, f"{where}: it ended\n{printed}"
            assert time.monotonic() < end, f"{where}: it is not up\n{printed}"
            time.sleep(0.05)
        return printed

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in [*reversed(self._lasting), self._shell]:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM if process is not self._shell else signal.SIGKILL)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


def headless_phone(home: Path) -> None:
    """A configuration of baresip without a sound card; it calls from whichever address the system says."""
    folder = home / ".baresip"
    folder.mkdir(parents=True)
    modules = ("g711", "aubridge", "account", "menu", "stdio")
    found = [name for name in modules if (Path("/usr/lib/baresip/modules") / f"{name}.so").exists()]
    kinds = {"account": "module_tmp", "menu": "module_app"}
    lines = [f"{kinds.get(name, 'module')} {name}.so" for name in found]
    (folder / "config").write_text(
        "audio_player aubridge,nowhere\naudio_source aubridge,nowhere\nmodule_path /usr/lib/baresip/modules\n"
        + "\n".join(lines)
        + "\n"
    )
    (folder / "accounts").write_text("<sip:me@127.0.0.1>;regint=0\n")
    (folder / "contacts").write_text("")
    assert shutil.which("baresip")
