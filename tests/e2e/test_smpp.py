"""The whole program with an SMSC in another process: texts both ways, receipts, and a kill between the two."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import ACCOUNT, Site, until
from tests.e2e.web import Web

TOP = Path(__file__).parents[2]
OURS, CUSTOMER = "+15550100", "+15551230001"
LONG = "Grüße, 漢字 und 😀! " * 20
RECEIPT = "id:%s sub:001 dlvrd:001 submit date:2611291200 done date:2611291201 stat:%s err:000 text:x"


class OtherSmsc:
    """``tests/smsc.py`` as a process."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        """A port: the one of before is there again."""
        self.file = folder / f"smsc{port}.jsonl"
        self.file.touch()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.smsc", str(port), str(self.file)], cwd=TOP, stdin=subprocess.PIPE
        )
        self.port = until(lambda: self.of("listening"), 20)[0]

    def of(self, key: str) -> list[Any]:
        """What it wrote of a kind, in order."""
        found = [json.loads(line) for line in self.file.read_text().splitlines()]
        return [one if key == "submitted" else one[key] for one in found if key in one]

    def order(self, **what: Any) -> None:
        """Tell it something."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what).encode() + b"\n")
        self.process.stdin.flush()

    def deliver(self, octets: bytes, **fields: Any) -> int | None:
        """It delivers; gives the status of the response."""
        before = len(self.of("delivered"))
        self.order(deliver={"short_message": octets.hex(), **fields})
        return until(lambda: self.of("delivered")[before:] and [self.of("delivered")[before]], 15)[0]  # type: ignore[no-any-return]

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def smsc(tmp_path: Path) -> Iterator[OtherSmsc]:
    found = OtherSmsc(tmp_path)
    yield found
    found.close()


@pytest.fixture
def site(smsc: OtherSmsc, start_site: Callable[..., Site]) -> Site:
    toml = (
        f'[smpp.acme]\nhost = "127.0.0.1"\nport = {smsc.port}\nsystem_id = "us"\npassword = "secret"\n'
        f'numbers = ["{OURS}"]\nthroughput = 0\n'
    )
    return start_site(toml=toml)


def texts(web: Web, path: str) -> list[dict[str, str]]:
    """What the application was told there."""
    return [one for one in list(web.callbacks) if one["path"] == path]


def point(site: Site, web: Web) -> None:
    """Our number's texts go to the application."""
    (number,) = site.client.incoming_phone_numbers.list(phone_number=OURS)
    number.update(sms_url=f"{web.url}/sms")


def test_texts_both_ways_and_what_became_of_them(site: Site, smsc: OtherSmsc) -> None:
    with Web() as web:
        asked: list[dict[str, str]] = []

        def answer(facts: dict[str, str]) -> str:
            asked.append(facts)
            return "<Response><Message>Thanks 😀</Message></Response>"

        web.documents["/sms"] = answer
        point(site, web)
        sent = site.client.messages.create(
            to=CUSTOMER, from_=OURS, body=LONG, status_callback=f"{web.url}/status"
        )
        parts = until(lambda: len(smsc.of("submitted")) >= 6 and smsc.of("submitted"), 15)
        assert "".join(one["submitted"] for one in parts) == LONG
        assert {(one["coding"], one["header"], one["source"]) for one in parts} == {(8, True, "15550100")}
        until(lambda: site.client.messages(str(sent.sid)).fetch().status == "sent")
        assert site.client.messages(str(sent.sid)).fetch().num_segments == str(len(parts))
        receipt = (RECEIPT % (f"id{len(parts)}", "DELIVRD")).encode()
        assert smsc.deliver(receipt, esm_class=4) == 0
        until(lambda: [one["MessageStatus"] for one in texts(web, "/status")][-1:] == ["delivered"])
        assert [one["MessageStatus"] for one in texts(web, "/status")] == ["sent", "delivered"]

        long = "Ünï 漢 ".encode("utf-16-be")
        head = b"\x05\x00\x03\x2a\x02"
        assert smsc.deliver(head + b"\x02" + long, esm_class=0x40, data_coding=8) == 0
        assert asked == []
        assert smsc.deliver(head + b"\x01" + "1. ".encode("utf-16-be"), esm_class=0x40, data_coding=8) == 0
        (one,) = until(lambda: asked)
        assert (one["Body"], one["From"], one["To"]) == ("1. Ünï 漢 ", CUSTOMER, OURS)
        until(lambda: smsc.of("submitted")[-1]["submitted"] == "Thanks 😀")


def test_the_doctor_asks_a_running_server_about_its_carriers(site: Site, smsc: OtherSmsc) -> None:
    """It has its own connection, so it is not bound to once more; what is wrong with it is said."""
    site.may_warn = True  # its carrier goes away

    def doctor() -> str:
        command = [sys.executable, "-m", "ringback", "doctor"]
        return subprocess.run(
            command, env=site.environment, cwd=site.folder, capture_output=True, text=True, check=False
        ).stdout

    assert re.search(rf"ok +smpp +acme: 127\.0\.0\.1:{smsc.port} takes us", doctor())
    smsc.close()
    said = until(lambda: (found := doctor()) and re.search(r"error +smpp +acme: .*", found) and found, 30)
    assert f"correct [smpp.acme], or ask the carrier: 127.0.0.1:{smsc.port} as us" in said


def parts_without_whole(site: Site) -> None:
    """As if the kill had come when the last part of a message was written, and before the message was."""
    columns = (
        "sid account_sid date_created date_updated channel whole from to number total octets data_coding"
    )
    names = ", ".join(f'"{name}"' for name in (*columns.split(), "carrier_id"))
    with contextlib.closing(sqlite3.connect(site.folder / "var" / "ringback.db")) as database:
        for number, octets in ((1, b"first "), (2, b"second")):
            row = (
                f"TP{number:032x}", ACCOUNT, time.time(), time.time(), "smpp:acme", "k", CUSTOMER, OURS, number, 2,
                octets.hex(), 0, "k.1",
            )  # fmt: skip
            marks = ", ".join("?" * len(row))
            database.execute(f"INSERT INTO text_parts ({names}) VALUES ({marks})", row)
        database.commit()


def test_kill_9_between_submit_and_response(site: Site, smsc: OtherSmsc) -> None:
    """It is not sent again, and its status says that nobody knows; what comes after works."""
    site.may_warn = True
    with Web() as web:
        web.documents |= {"/sms": "<Response/>"}
        point(site, web)
        smsc.order(hold=True)
        sent = site.client.messages.create(to=CUSTOMER, from_=OURS, body="once")
        until(lambda: smsc.of("submitted"))
        assert smsc.deliver(b"kept") == 0
        site.kill()
        smsc.order(hold=False)
        parts_without_whole(site)
        site.start()
        until(lambda: site.client.messages(str(sent.sid)).fetch().status not in ("sending", "queued"))
        found = site.client.messages(str(sent.sid)).fetch()
        assert (found.status, found.error_code) == ("failed", 30008)
        assert smsc.deliver(b"kept") == 0  # its response may not have been read
        after = site.client.messages.create(to=CUSTOMER, from_=OURS, body="after")
        until(lambda: site.client.messages(str(after.sid)).fetch().status == "sent")
        assert [one["submitted"] for one in smsc.of("submitted")] == ["once", "after"]
        inbound = site.client.messages.list(to=OURS)
        assert sorted(str(one.body) for one in inbound) == ["first second", "kept"]
