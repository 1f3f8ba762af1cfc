"""The official Node client, unmodified but for the five-line hook: every method gets the status that it is promised."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.e2e.site import ACCOUNT, TOKEN, Site
from tests.e2e.taskrouter_sdk import FOLDER, needs_node


@pytest.mark.parametrize(("program", "least"), [("rest_methods.mjs", 80), ("conversations.mjs", 95)])
def test_every_method_gets_its_status(site: Site, program: str, least: int) -> None:
    needs_node()
    setup = json.dumps({"url": site.url, "account": ACCOUNT, "token": TOKEN})
    ended = subprocess.run(
        ["node", str(FOLDER / program), setup], capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    *wrong, last = [json.loads(line) for line in ended.stdout.splitlines()]
    assert wrong == []
    assert last["methods"] >= least
