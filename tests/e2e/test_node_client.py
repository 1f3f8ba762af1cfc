"""The official Node client, unmodified but for the five-line hook: every method gets the status that it is promised."""

from __future__ import annotations

import json
import subprocess

from tests.e2e.site import ACCOUNT, TOKEN, Site
from tests.e2e.taskrouter_sdk import FOLDER, needs_node


def test_every_method_gets_its_status(site: Site) -> None:
    needs_node()
    setup = json.dumps({"url": site.url, "account": ACCOUNT, "token": TOKEN})
    ended = subprocess.run(
        ["node", str(FOLDER / "rest_methods.mjs"), setup], capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    *wrong, last = [json.loads(line) for line in ended.stdout.splitlines()]
    assert wrong == []
    assert last["methods"] >= 80
