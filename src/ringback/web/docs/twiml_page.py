"""The pages of what the application speaks: TwiML verbs with their attributes, and webhooks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ringback.web.docs.api_page import HOME, error_link
from ringback.web.docs.highlight import code_block
from ringback.web.docs.layout import Page, cards, heading
from ringback.web.docs.markup import Html, Piece, el, join, prose
from ringback.web.docs.vocabulary import AttributeLike, Explained, VerbLike, about
from ringback.web.docs.webhooks import CALL, WEBHOOKS, Webhook


def twiml_page(verbs: Iterable[VerbLike]) -> Page:
    """All verbs."""
    body = join(
        el("h1", "TwiML"),
        el(
            "p",
            (
                "The document with which your application answers. Ringback carries the verbs out "
                "one after the other; a bad attribute is warned of in the debugger and the call goes "
                "on with what holds without it."
            ),
            class_="lead",
        ),
        code_block(
            '<?xml version="1.0" encoding="UTF-8"?>\n<Response>\n'
            "  <Say>Hello.</Say>\n  <Dial>+15551230001</Dial>\n</Response>",
            "xml",
            "TwiML",
        ),
        cards((f"<{each.tag}>", f"/docs/twiml/{each.tag.lower()}", prose(about(each))) for each in verbs),
    )
    return Page(
        url="/docs/twiml", title="TwiML", body=body, trail=(HOME,), description="The TwiML verbs of Ringback."
    )


def verb_page(verb: VerbLike, errors: Mapping[int, Explained]) -> Page:
    """One verb."""
    parts: list[Piece] = [
        el("h1", el("code", f"<{verb.tag}>")),
        el("p", prose(about(verb)), class_="lead"),
    ]
    contents: list[tuple[str, str]] = []
    if verb.example:
        parts.append(code_block(f"<Response>\n  {verb.example}\n</Response>", "xml", "TwiML"))
    children = sorted(verb.children)
    if children:
        parts.append(el("p", "May hold ", *_commas([el("code", f"<{each}>") for each in children]), "."))
    if not verb.whisper:
        parts.append(el("p", "Not possible in a document for the callee (a whisper)."))
    for owner, declared in ({verb.tag: verb.attributes} | dict(verb.nouns)).items():
        if declared:
            anchor = f"attributes-{owner.lower()}"
            title = f"Attributes of <{owner}>"
            parts += [heading(2, anchor, title), _attributes(declared, errors, anchor)]
            contents.append((title, anchor))
    title = f"<{verb.tag}>"
    return Page(
        url=f"/docs/twiml/{verb.tag.lower()}",
        title=title,
        body=join(*parts),
        trail=(HOME, ("TwiML", "/docs/twiml")),
        contents=tuple(contents),
        description=about(verb),
    )


def _commas(pieces: list[Html]) -> list[Piece]:
    out: list[Piece] = []
    for number, each in enumerate(pieces):
        out += [", " if number else None, each]
    return out


def _attributes(declared: Mapping[str, AttributeLike], errors: Mapping[int, Explained], group: str) -> Html:
    def one(name: str, attribute: AttributeLike) -> Html:
        default = attribute.default
        shown = (
            " ".join(default)
            if isinstance(default, list)
            else str(default).lower()
            if isinstance(default, bool)
            else str(default)
        )
        words: list[Piece] = [prose(attribute.read.__doc__ or "")]
        if default not in (None, "", []):
            words += [" Default ", el("code", shown), "."]
        error = errors.get(attribute.code)
        if error is not None:
            words += [" ", el("span", "Bad: ", error_link(error), class_="bad")]
        anchor = f"{group}.{name}"
        return join(el("dt", el("a", el("code", name), href=f"#{anchor}"), id=anchor), el("dd", *words))

    return el("dl", *(one(name, each) for name, each in declared.items()), class_="parameters")


def webhooks_page() -> Page:
    """All requests to the customer's application."""

    def section(one: Webhook) -> Html:
        return el(
            "section",
            heading(2, one.anchor, one.name),
            el("p", prose(one.when), " Answer: ", prose(one.answer), "."),
            el("p", "Besides the ", el("a", "facts of the call", href="#call-facts"), ":")
            if one.call
            else None,
            _facts(one.parameters, one.anchor),
        )

    body = join(
        el("h1", "Webhooks"),
        el(
            "p",
            (
                "What Ringback asks and tells your application: forms by POST unless you choose GET, "
                "signed with "
            ),
            el("code", "X-Twilio-Signature"),
            ". Retries carry the same ",
            el("code", "I-Twilio-Idempotency-Token"),
            ".",
            class_="lead",
        ),
        heading(2, "call-facts", "Facts of the call"),
        _facts(CALL, "call-facts"),
        *(section(one) for one in WEBHOOKS),
    )
    return Page(
        url="/docs/webhooks",
        title="Webhooks",
        body=body,
        trail=(HOME,),
        contents=(("Facts of the call", "call-facts"), *((one.name, one.anchor) for one in WEBHOOKS)),
        description="Requests of Ringback to your application, and their parameters.",
    )


def _facts(parameters: Mapping[str, str], group: str) -> Html:
    return el(
        "dl",
        *(
            join(
                el("dt", el("a", el("code", name), href=f"#{group}.{name}"), id=f"{group}.{name}"),
                el("dd", prose(doc)),
            )
            for name, doc in parameters.items()
        ),
        class_="parameters",
    )
