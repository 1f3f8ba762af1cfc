"""What is sent to applications is listed: the sources that make parameters are looked through."""

from __future__ import annotations

import ast
from pathlib import Path

import ringback
from ringback.conversations.parameters import CONVERSATION, DELIVERY, MESSAGE, PARTICIPANT, STATE, USER
from ringback.web.docs.webhooks import CALL, WEBHOOKS

SOURCE = Path(ringback.__file__).parent


def sent() -> dict[str, set[str]]:
    """``("CallSid", …)`` in the product folders that make requests: name → files."""
    found: dict[str, set[str]] = {}
    for folder in ("voice", "taskrouter", "messaging"):
        for path in (SOURCE / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if not isinstance(node, ast.Tuple | ast.List) or len(node.elts) != 2:
                    continue
                first, second = node.elts
                if not isinstance(first, ast.Constant) or isinstance(second, ast.Constant):
                    continue
                name = first.value
                if isinstance(name, str) and name[:1].isupper() and name.isalnum() and not name.isupper():
                    found.setdefault(name, set()).add(path.relative_to(SOURCE).as_posix())
    return found


def test_every_parameter_of_conversations_is_listed() -> None:
    families = (CONVERSATION, STATE, MESSAGE, PARTICIPANT, USER, DELIVERY)
    made = {name for family in families for name in family}
    assert made <= {name for one in WEBHOOKS if "onversation" in one.name for name in one.parameters}


def test_every_parameter_that_is_sent_is_listed() -> None:
    listed = {*CALL, *(name for one in WEBHOOKS for name in one.parameters)}
    made = sent()
    assert len(made) > 80
    assert {name: files for name, files in made.items() if name not in listed} == {}


def test_no_parameter_is_listed_that_nobody_sends() -> None:
    words = "".join(
        path.read_text("utf-8")
        for part in ("voice", "taskrouter", "conversations", "messaging", "web")
        for path in (SOURCE / part).rglob("*.py")
        if "docs" not in path.parts
    )
    listed = {*CALL, *(name for one in WEBHOOKS for name in one.parameters)}
    assert [name for name in sorted(listed) if f'"{name}"' not in words] == []
