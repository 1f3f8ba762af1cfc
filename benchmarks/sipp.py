"""SIPp as the load generator of the SIP benchmarks: it calls by `scenario.py`, and its statistics are read back."""

from __future__ import annotations

import csv
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scenario import call, ended, hang_up


@dataclass(frozen=True, slots=True)
class Result:
    """What SIPp counted."""

    successful: int
    failed: int
    retransmissions: int


def run(
    *, number: str, port: int, rate: float, calls: int, limit: int, media_port: int, hold: int | None = None
) -> Result:
    """Make ``calls`` calls at ``rate`` a second, at most ``limit`` at once; blocks until all are over.

    ``hold``: milliseconds after which SIPp hangs up; None: it waits for the BYE.
    """
    folder = Path(tempfile.mkdtemp(prefix="ringback-sipp-"))
    scenario = folder / "uac.xml"
    scenario.write_text(call(number, media_port, ended() if hold is None else hang_up(hold)))
    statistics = folder / "stat.csv"
    subprocess.run(
        ["sipp", f"127.0.0.1:{port}", "-sf", str(scenario), "-m", str(calls), "-r", str(rate),
         "-l", str(limit), "-nostdin", "-i", "127.0.0.1", "-trace_stat", "-stf", str(statistics), "-fd", "1",
         "-timeout", str(int(calls / rate + (hold or 1000) / 1000 + 60)), "-max_socket", "20000"],
        check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
    )  # fmt: skip
    return read(statistics)


def read(statistics: Path) -> Result:
    """What SIPp wrote with ``-trace_stat``."""
    with statistics.open() as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    return Result(int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"]), int(last["Retransmissions(C)"]))
