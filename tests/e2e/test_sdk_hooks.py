"""The official SDKs through the hooks of the documentation, run as they stand there: Python, and Node."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import ACCOUNT, TOKEN, Site
from tests.e2e.taskrouter_sdk import FOLDER, needs_node

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "confirm-call-outcomes.md"
TWIML = "<Response><Hangup/></Response>"


def hook(language: str, url: str, *, local: bool = False) -> str:
    """The documentation's code, for this server."""
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (code,) = [block for block in blocks if "class Ringback" in block]
    assert "http://127.0.0.1:8080" in code
    code = (
        code.replace("http://127.0.0.1:8080", url)
        .replace("ACCOUNT_SID", ACCOUNT)
        .replace("AUTH_TOKEN", TOKEN)
    )
    return code.replace(r"\.twilio\.com", r"\.local\.twilio\.com") if local else code


def python(site: Site, *, local: bool = False) -> dict[str, Any]:
    """What the code leaves behind."""
    space: dict[str, Any] = {}
    exec(hook("python", site.url, local=local), space)
    return space


@pytest.mark.parametrize("where", [{}, {"region": "local"}, {"region": "local", "edge": "here"}], ids=str)
def test_python(shared: Site, where: dict[str, str]) -> None:
    space = python(shared)
    client = space["Client"](ACCOUNT, TOKEN, http_client=space["client"].http_client, **where)
    call = client.calls.create(to="+15557654321", from_="+15550100", twiml=TWIML)
    assert client.calls(call.sid).fetch().sid == call.sid
    assert client.taskrouter.v1.workspaces.list() == []
    client.http_client.session.close()


def test_python_with_region_local_leaves_other_regions_alone(shared: Site, monkeypatch: Any) -> None:
    space = python(shared, local=True)
    asked: list[str] = []
    above = space["Ringback"].__mro__[1]
    monkeypatch.setattr(above, "request", lambda self, method, url, *args, **kwargs: asked.append(url))
    for host in (
        "api.twilio.com",
        "api.ie1.twilio.com",
        "api.local.twilio.com",
        "taskrouter.here.local.twilio.com",
    ):
        space["client"].http_client.request("GET", f"https://{host}/v1/x")
    assert asked == [
        "https://api.twilio.com/v1/x", "https://api.ie1.twilio.com/v1/x", f"{shared.url}/api/v1/x",
        f"{shared.url}/taskrouter/v1/x",
    ]  # fmt: skip


NODE = """
const found = {};
for (const where of [{}, {region: "local"}, {region: "local", edge: "here"}]) {
  const one = twilio("%s", "%s", { httpClient: client.httpClient, ...where });
  const twiml = "<Response><Hangup/></Response>";
  const call = await one.calls.create({ to: "+15557654321", from: "+15550100", twiml });
  found[JSON.stringify(where)] = [(await one.calls(call.sid).fetch()).sid === call.sid,
                                  (await one.taskrouter.v1.workspaces.list()).length];
}
try { await client.calls("CA00000000000000000000000000000000").fetch(); } catch (error) { found.error = error.code; }
console.log(JSON.stringify(found));
"""


@pytest.mark.parametrize("local", [False, True])
def test_node(shared: Site, local: bool) -> None:
    needs_node()
    assert (FOLDER / "node_modules" / "twilio").is_dir(), "the npm packages: scripts/install test"
    code = hook("javascript", shared.url) + NODE % (ACCOUNT, TOKEN)
    if local:  # the same, with the pattern for one region only
        code = hook("javascript", shared.url, local=True) + (NODE % (ACCOUNT, TOKEN)).replace(
            "[{}, ", "["
        ).replace(
            "await client.calls",
            "await twilio(client.username, client.password, { httpClient: client.httpClient, "
            'region: "local" }).calls',
        )
    done = subprocess.run(
        ["node", "--input-type=module", "-e", code],
        cwd=FOLDER,
        timeout=60,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found.pop("error") == 20404
    assert set(map(tuple, found.values())) == {(True, 0)}
    assert len(found) == (2 if local else 3)
