"""Conversations v1 by its public description, and what is served of it: ``scripts/docs`` writes the page.

``conversations_v1.json`` holds the facts that are compared, no more: every operation, and the names of its parameters.
That each is answered, and bad values are refused, is shown by ``tests/contract/test_conversations_walk.py`` with the
official client and by ``tests/contract/test_conversations_values.py``, which takes its values from :data:`BAD`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

FACTS = Path(__file__).with_name("conversations_v1.json")
HEADER: Final = "X-Twilio-Webhook-Enabled"
OPERATIONS: Final = {
    ("GET", False): "list", ("POST", False): "create", ("GET", True): "fetch", ("POST", True): "update",
    ("DELETE", True): "delete",
}  # fmt: skip
"""HTTP method, and whether the path ends with a SID → our operation."""

WITHOUT: Final = {
    "DateCreated": "accepted without effect: what is imported gets the time of its import",
    "DateUpdated": "accepted without effect: what is imported gets the time of its import",
    HEADER: "accepted without effect: no event is sent",
}
"""Parameter → why it is not served, where it is not."""


def facts() -> dict[str, list[str]]:
    """``METHOD /path`` → names of parameters, without those of paging."""
    found: dict[str, list[str]] = json.loads(FACTS.read_text("utf-8"))
    return found


def router() -> Any:
    """Ours, with nobody behind it."""
    from unittest.mock import MagicMock

    from ringback.resources import all_nouns
    from ringback.web.nouns import collect
    from ringback.web.rest.routing import Router
    from ringback.web.rest.rules import complete

    made = Router()
    every = complete(all_nouns(), collect(MagicMock()))  # the paths are asked for, not the answers
    for rules in every:
        made.add_noun(rules, "", every)
    return made


def served(routes: Any, key: str) -> set[str] | None:
    """The parameters of an operation that are read; None when nobody answers it."""
    method, path = key.split(" ")
    found = routes.find("conversations", re.sub(r"\{\w+\}", "XX" + "0" * 32, path))
    if found is None or method not in found[0].methods:
        return None
    target = found[0]
    rules, place = target.rules, target.view.place
    header = {HEADER} if getattr(rules, "hooked", False) else set()
    if target.custom is not None:
        extra = next(one for one in rules.extras if one.path == place.path)
        return set(extra.takes) | header
    operation = OPERATIONS[method, path.endswith("}")]
    known = set(place.takes.get(operation, ())) | header
    if operation == "list":
        from ringback.web.rest.paging import filters_of, parameters_of

        return known | set(filters_of(target.view)) | set(parameters_of(target.view))
    for field in target.view.noun.fields:
        if getattr(field, operation, False):
            known |= {leaf.param for leaf in leaves(field)}
    return known


def leaves(field: Any) -> list[Any]:
    """A field, or the keys of its nested object."""
    return [leaf for part in field.shape for leaf in leaves(part)] or [field]


def page() -> str:
    """The page as Markdown."""
    routes = router()
    rows, missing, answered, total, kept = [], [], 0, 0, 0
    for key, names in facts().items():
        given = served(routes, key)
        answered += given is not None
        without = [name for name in names if given is None or name not in given]
        total, kept = total + len(names), kept + len(names) - len(without)
        rows.append(
            f"| `{key}` | {'no' if given is None else 'yes'} | {len(names) - len(without)} of {len(names)} |"
        )
        if given is None:
            missing.append(f"* `{key}`: not answered")
        missing += [
            f"* `{key}`, `{name}`: {WITHOUT.get(name, 'not read')}" for name in without if given is not None
        ]
    return "\n".join(
        [
            "# Conversations coverage",
            "",
            "Every operation and parameter of the public description of Conversations v1, and whether it is answered "
            "and read here: computed from the routes and declarations of this server. Parameters of paging are not "
            "counted; all lists have them.",
            "",
            f"{answered} of {len(rows)} operations, {kept} of {total} parameters.",
            "",
            "| operation | answered | parameters |",
            "|---|---|---|",
            *rows,
            "",
            "## What is missing",
            "",
            *(missing or ["Nothing."]),
            "",
        ]
    )
