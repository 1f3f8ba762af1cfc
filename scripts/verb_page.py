"""The page docs/reference/verbs.md, written from the verbs' and nouns' own declarations."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from typing import Any

PLACES = {
    "Number": "Content: an E.164 number, or a US national one.",
    "Sip": "Content: a `sip:` URI; or `<Uri>` children, tried one after the other, and `<Headers>`.",
    "Client": "Content: an identity; or an `<Identity>` child.",
    "Application": "Children: `<ApplicationSid>`, and `<Parameter name value>`, which go with every request to the "
    "application. It may be another account's, when that has set `PublicApplicationConnectEnabled`. What its "
    "`<Hangup>` or `<Reject>` has as `<Parameter>` children is handed back to the `action` of `<Dial>`.",
    "Conference": "Content: the conference's name.",
    "Queue": "Content: the queue's name.",
}
"""Noun → what stands in it."""


def page() -> str:
    """The page, as Markdown."""
    from ringback.voice.dial import application_noun, conference_noun, noun, queue_noun
    from ringback.voice.verbs import collect

    lines = [
        "# TwiML verbs",
        "",
        "Each verb is one file in `src/ringback/voice/verbs/`. A bad value is told in the debugger with the code",
        "in the last column, and the default is used; an unknown attribute, child or verb is 12200, and the rest runs.",
        "",
    ]
    for tag, verb in sorted(collect().items()):
        doc = inspect.getdoc(sys.modules[verb.run.__module__]) or ""
        lines += [f"## {tag}", "", doc.replace("``", "`"), ""]
        if verb.children:
            lines += [f"May hold: {', '.join(f'`<{child}>`' for child in sorted(verb.children))}.", ""]
        lines += table(verb.attributes)
    lines += ["## Nouns of Dial", ""]
    nouns: dict[str, Mapping[str, Any]] = {
        **noun.NOUNS,
        "Application": application_noun.ATTRIBUTES,
        "Conference": conference_noun.ATTRIBUTES,
        "Queue": queue_noun.NOUN,
    }
    for tag, attributes in nouns.items():
        lines += [f"### `<{tag}>`", "", PLACES[tag], "", *table(attributes)]
    return "\n".join(lines)


def table(attributes: Mapping[str, Any]) -> Iterator[str]:
    """Attributes with their defaults and warnings; nothing for none."""
    if not attributes:
        return
    yield from ("| attribute | default | bad value |", "|---|---|---|")
    for name, attribute in attributes.items():
        yield f"| `{name}` | {shown(attribute.default)} | {attribute.code} |"
    yield ""


def shown(value: Any) -> str:
    """A default as it is written in a document."""
    if value in (None, [], ""):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{' '.join(value) if isinstance(value, list) else value}`"
