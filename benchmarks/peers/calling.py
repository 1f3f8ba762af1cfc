"""SIPp callers, each from a number of its own, and when each of them sent its INVITE."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Final

from benchmarks import sipp
from benchmarks.scenario import call, ended

PREFIX: Final = "+1555200"
"""The callers' numbers: this and four digits."""


def run(
    *, number: str, port: int, rate: float, calls: int, limit: int, media_port: int
) -> tuple[sipp.Result, dict[str, float]]:
    """Make calls that wait for the other side's BYE; gives SIPp's counts and, for each caller's number, the
    time of its (first) INVITE in seconds since the epoch. ``calls``: at most 10,000."""
    folder = Path(tempfile.mkdtemp(prefix="ringback-sipp-"))
    (folder / "uac.xml").write_text(call(number, media_port, ended(), caller="[field0]"))
    numbers = [f"{PREFIX}{at:04d}" for at in range(calls)]
    (folder / "callers.csv").write_text("SEQUENTIAL\n" + "".join(f"{one}\n" for one in numbers))
    subprocess.run(
        ["sipp", f"127.0.0.1:{port}", "-sf", "uac.xml", "-inf", "callers.csv", "-m", str(calls),
         "-r", str(rate), "-l", str(limit), "-nostdin", "-i", "127.0.0.1", "-trace_stat", "-stf", "stat.csv",
         "-fd", "1", "-trace_shortmsg", "-shortmessage_file", "messages.log", "-timeout", "90",
         "-max_socket", "20000"],
        check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
    )  # fmt: skip
    invited: dict[str, float] = {}
    for line in (folder / "messages.log").read_text().splitlines():
        fields = line.split("\t")  # date, time, epoch, S or R, Call-ID, CSeq, first line
        if len(fields) >= 7 and fields[3] == "S" and fields[6].startswith("INVITE "):
            caller = numbers[int(fields[4].partition("-")[0]) - 1]
            invited.setdefault(caller, float(fields[2]))
    return sipp.read(folder / "stat.csv"), invited
