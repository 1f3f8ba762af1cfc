"""``examples/webchat`` in a browser (tests/e2e/node/webchat_page.mjs): as its how-to says, with the official client."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.e2e.site import ACCOUNT, TOKEN, Site, free_port, until

NODE = Path(__file__).parent / "node"
EXAMPLE = Path(__file__).parents[2] / "examples" / "webchat"


@pytest.mark.timeout(300)
def test_a_customer_chats_in_a_page(tmp_path: Path) -> None:
    """Axe finds nothing, HTML stays text, a lost connection and a reload lose nothing, a closed chat says so."""
    chromium = shutil.which("chromium")
    assert chromium is not None, "the test needs Chromium: apt-get install chromium"
    port = free_port()
    page = f"http://127.0.0.1:{port}"
    site = Site(tmp_path / "site", web_chat_origins=page)
    site.start()
    with contextlib.closing(site):
        client = site.client
        service = client.conversations.v1.services.create(friendly_name="Shop")
        configuration = client.conversations.v1.address_configurations.create(
            type="chat", address="shop page", auto_creation_enabled=True,
            auto_creation_conversation_service_sid=service.sid,
        )  # fmt: skip
        made = client.flex_api.v2.web_channels.create(address_sid=configuration.sid)
        assert made.conversation_sid.startswith("CH")
        assert made.identity
        known = {
            "RINGBACK_URL": site.url, "RINGBACK_ACCOUNT_SID": ACCOUNT, "RINGBACK_AUTH_TOKEN": TOKEN,
            "CHAT_ADDRESS": configuration.sid, "PORT": str(port),
        }  # fmt: skip
        back_end = subprocess.Popen(
            [sys.executable, EXAMPLE / "server.py"], env=os.environ | known, stderr=subprocess.DEVNULL
        )
        try:
            until(lambda: _there(page))
            done = subprocess.run(
                [
                    "node", NODE / "webchat_page.mjs", chromium, site.url, page, service.sid, ACCOUNT, TOKEN, tmp_path,
                ],
                capture_output=True, text=True, timeout=240, check=False,
            )  # fmt: skip
        finally:
            back_end.kill()
            back_end.wait()
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout.splitlines()[-1]) == []


def _there(page: str) -> bool:
    try:
        with urllib.request.urlopen(page, timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
