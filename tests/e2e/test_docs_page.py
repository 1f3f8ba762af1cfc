"""``/docs`` in a browser (tests/e2e/node/docs_page.mjs): axe finds nothing, 320 px suffice, keys and no script work."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.site import Site

NODE = Path(__file__).parent / "node"


@pytest.mark.timeout(420)
def test_the_pages_in_a_browser(shared: Site) -> None:
    """Wide and light, narrow and dark; axe-core on every kind of page."""
    chromium = shutil.which("chromium")
    assert chromium is not None, "the test needs Chromium: apt-get install chromium"
    done = subprocess.run(
        ["node", NODE / "docs_page.mjs", chromium, shared.url],
        capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []
