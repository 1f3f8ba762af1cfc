"""The pages of error codes: all of them, and each with what is behind it and what to do."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from ringback.web.docs.api_page import HOME, path_shown
from ringback.web.docs.layout import Page, badge, heading
from ringback.web.docs.markup import Piece, el, join, prose, table
from ringback.web.docs.vocabulary import Explained

_FAMILIES = (
    (10000, "Requests to your application and documents"),
    (13000, "TwiML: verbs"),
    (14000, "Queues and tasks in TwiML"),
    (15000, "Calls, conferences, recordings"),
    (20000, "REST API"),
    (21000, "Calls and numbers over REST"),
    (30000, "Telephony"),
    (40000, "Assignment instructions"),
    (45000, "Agents' calls"),
    (50000, "Other"),
)


def errors_page(errors: Mapping[int, Explained]) -> Page:
    """All codes."""
    parts: list[Piece] = [
        el("h1", "Errors"),
        el(
            "p",
            (
                "The numbers are Twilio's where they mean the same. A refused request is answered "
                "with one; what goes wrong while a call is handled is in the debugger. "
            ),
            el("code", "more_info"),
            " leads here.",
            class_="lead",
        ),
    ]
    contents = []
    bounds = [*_FAMILIES, (100000, "")]
    for (low, title), (high, _) in itertools.pairwise(bounds):
        rows = [
            (el("a", str(one.code), href=one.url, id=f"error-{one.code}"), one.title, one.level)
            for one in errors.values()
            if low <= one.code < high
        ]
        if rows:
            anchor = f"from-{low}"
            parts += [heading(2, anchor, title), table(("Code", "Meaning", "Level"), rows, title)]
            contents.append((title, anchor))
    return Page(
        url="/docs/errors",
        title="Errors",
        body=join(*parts),
        trail=(HOME,),
        contents=tuple(contents),
        description="Error codes of Ringback.",
    )


def error_page(error: Explained) -> Page:
    """One code: what it means, what is behind it, what to do."""
    parts: list[Piece] = [
        el("p", el("span", error.level, class_=f"level {error.level}"), class_="above"),
        el("h1", f"{error.code}: {error.title}"),
        heading(2, "cause", "What is behind it"),
        el("p", prose(error.advice.cause)),
        heading(2, "remedy", "What to do"),
        el("p", prose(error.advice.remedy)),
    ]
    if error.attributes:
        rows = [
            (
                el("a", el("code", f"<{verb.tag}>"), " ", name, href=f"/docs/twiml/{verb.tag.lower()}"),
                prose(attribute.read.__doc__ or ""),
            )
            for verb, name, attribute in error.attributes
        ]
        parts += [
            heading(2, "attributes", "TwiML attributes"),
            table(("Attribute", "What is allowed"), rows, "Attributes that lead to it"),
        ]
    everywhere = len(error.operations) > 40
    if everywhere:
        parts.append(el("p", "Any operation of the REST API may answer with it."))
    elif error.operations:
        rows = [
            (
                el("a", operation.title, href=f"{resource.url}#{operation.anchor}"),
                join(badge(operation.method), path_shown(operation.path)),
            )
            for resource, operation in error.operations
        ]
        parts += [
            heading(2, "operations", "Operations that answer with it"),
            table(("Operation", "Request"), rows, "Operations"),
        ]
    return Page(
        url=error.url,
        title=f"{error.code}: {error.title}",
        body=join(*parts),
        trail=(HOME, ("Errors", "/docs/errors")),
        description=error.advice.cause.replace("``", ""),
    )
