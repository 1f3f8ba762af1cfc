"""What TaskRouter's nouns demand of their answers beyond their declaration (taskrouter.md §2, §10)."""

from __future__ import annotations

from typing import Any

from ringback.web.rest.context import Context
from ringback.web.rest.rule import Rule


class TaskRule(Rule):
    """The age is counted when it is shown."""

    def decorate(self, ctx: Context, record: Any, body: dict[str, Any], *, created: bool) -> None:
        """Whole seconds since the task was created."""
        body["age"] = max(0, int(ctx.now - record.date_created))


class EventRule(Rule):
    """Events keep paths; they are shown as URLs."""

    def decorate(self, ctx: Context, record: Any, body: dict[str, Any], *, created: bool) -> None:
        """Make ``resource_url`` and ``actor_url`` absolute."""
        base = f"{ctx.services.settings.public_url}/{ctx.place.product}"
        for key in ("resource_url", "actor_url"):
            if body[key] is not None:
                body[key] = base + body[key]


class WorkflowRule(Rule):
    """A configuration has up to 1 MB, and as a form three times that (§12)."""

    body_limit = 4 * 1024 * 1024
