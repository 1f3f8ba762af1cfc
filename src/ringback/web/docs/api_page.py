"""The pages of the REST API: products, and a resource with its operations, examples, fields and errors."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ringback.web.docs import official
from ringback.web.docs.examples import Maker
from ringback.web.docs.highlight import code_block
from ringback.web.docs.layout import Page, badge, cards, heading
from ringback.web.docs.markup import Html, Piece, el, escape, join, prose, table
from ringback.web.docs.reference import Operation, Parameter, Product, Resource
from ringback.web.docs.vocabulary import Explained

HOME = ("Documentation", "/docs")
LANGUAGES = (("curl", "curl", "bash"), ("python", "Python", "python"), ("node", "Node", "javascript"))


def path_shown(path: str) -> Html:
    """A path whose variable parts stand out; it may break after a slash."""
    pieces: list[Piece] = []
    for number, part in enumerate(path.split("/")):
        if number:
            pieces.append(Html("/<wbr>"))
        name = part.removesuffix(".json")
        pieces.append(el("var", name) if name.startswith("{") else name)
        pieces.append(part[len(name) :])
    return el("code", *pieces, class_="path")


def product_page(product: Product) -> Page:
    """What a product has, operation by operation."""
    parts: list[Html] = [
        el("h1", product.title),
        el(
            "p",
            "Every path below begins with ",
            el("code", f"/{product.name}"),
            ". The same paths without it are served when the host name begins with ",
            el("code", f"{product.name}."),
            ".",
            class_="lead",
        ),
    ]
    for resource in product.resources:
        parts.append(heading(2, resource.slug, el("a", resource.name, href=resource.url)))
        parts.append(el("p", prose(_first(resource.noun.doc))))
        parts.append(_operation_list(resource, resource.url))
    return Page(
        url=product.url,
        title=product.title,
        body=join(*parts),
        trail=(HOME,),
        description=f"The {product.title} API of Ringback: resources and operations.",
        contents=tuple((each.name, each.slug) for each in product.resources),
    )


def _operation_list(resource: Resource, page: str) -> Html:
    """Links to a resource's operations; ``page``: its address, empty on its own page."""

    def line(each: Operation) -> Html:
        request = el("a", badge(each.method), path_shown(each.path), href=f"{page}#{each.anchor}")
        return el("li", request, el("span", each.title, class_="told"))

    return el("ul", *(line(each) for each in resource.operations), class_="operations")


def resource_page(
    product: Product, resource: Resource, maker: Maker, errors: Mapping[int, Explained]
) -> Page:
    """One resource."""
    sample = resource.sample(
        maker.account_sid or "ACXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", maker.base_url, maker.prefixes
    )
    operations = [_operation(resource, each, maker, errors) for each in resource.operations]
    parts = [
        el("h1", resource.name),
        el("p", prose(_first(resource.noun.doc)), class_="lead"),
        *(el("p", prose(more)) for more in resource.noun.doc.split("\n\n")[1:]),
        _operation_list(resource, ""),
        *operations,
    ]
    contents = [(each.title, each.anchor) for each in resource.operations]
    if resource.fields:
        rows = [
            (el("code", each.key), el("span", each.kind, class_="kind"), prose(each.doc))
            for each in resource.fields
        ]
        fields = table(("Key", "Type", "What it is"), rows, f"Keys of a {resource.name.lower()}")
        block = code_block(json.dumps(sample, indent=2, ensure_ascii=False), "json", "Answer")
        parts.append(
            el(
                "section",
                heading(2, "answer", "The answer"),
                el("div", el("div", fields, class_="text"), el("div", block, class_="aside"), class_="pair"),
            )
        )
        contents.append(("The answer", "answer"))
    return Page(
        url=resource.url,
        title=resource.name,
        body=join(*parts),
        trail=(HOME, (product.title, product.url)),
        contents=tuple(contents),
        wide=True,
        description=_first(resource.noun.doc),
    )


def _first(doc: str) -> str:
    return doc.split("\n\n")[0]


def _operation(
    resource: Resource, operation: Operation, maker: Maker, errors: Mapping[int, Explained]
) -> Html:
    groups = (("path", "Path"), ("query", "Query"), ("form", "Form"))
    tables = [
        join(el("h3", f"{title} parameters"), _parameters(operation.given(where), errors, operation))
        for where, title in groups
        if operation.given(where)
    ]
    status = el("p", "Answers ", el("strong", str(operation.status)), _with(operation), class_="status")
    text = el(
        "div",
        el("p", badge(operation.method), path_shown(operation.path), class_="line"),
        el("p", prose(operation.doc)) if operation.doc else None,
        *tables,
        status,
        _codes(operation, errors),
        class_="text",
    )
    return el(
        "section",
        heading(2, operation.anchor, operation.title),
        el("div", text, el("div", _examples(resource, operation, maker), class_="aside"), class_="pair"),
        class_="operation",
    )


def _with(operation: Operation) -> Html:
    if operation.status == 204:
        return join(" without a body.")
    if operation.extra:
        return join(" with JSON.")
    if operation.name == "list":
        return join(" with a page of ", el("a", "records", href="#answer"), ".")
    return join(" with ", el("a", "the record", href="#answer"), ".")


def _parameters(parameters: list[Parameter], errors: Mapping[int, Explained], operation: Operation) -> Html:
    def one(each: Parameter) -> Html:
        facts: list[Piece] = [el("span", each.kind, class_="kind")]
        if each.required and each.where != "path":
            facts.append(el("span", "required", class_="required"))
        if each.max_length:
            facts.append(el("span", f"at most {each.max_length} characters", class_="kind"))
        words: list[Piece] = [prose(each.doc)]
        if each.choices:
            words += [" One of ", _listed([el("code", choice) for choice in each.choices]), "."]
        if each.default:
            words += [" Default ", el("code", each.default), "."]
        own = [code for code in each.codes if code in errors]
        if own:
            words += [
                " ",
                el("span", "Bad: ", _listed([error_link(errors[code]) for code in own]), class_="bad"),
            ]
        anchor = f"{operation.anchor}.{each.name}"
        return join(
            el("dt", el("a", el("code", each.name), href=f"#{anchor}"), *facts, id=anchor),
            el("dd", *words),
        )

    return el("dl", *(one(each) for each in parameters), class_="parameters")


def _listed(pieces: list[Html]) -> Html:
    out: list[Piece] = []
    for number, piece in enumerate(pieces):
        out += [", " if number else None, piece]
    return join(*out)


def error_link(error: Explained) -> Html:
    """A code that leads to its page."""
    return el("a", str(error.code), href=error.url, title=error.title)


def _codes(operation: Operation, errors: Mapping[int, Explained]) -> Html:
    rows = [
        (error_link(errors[code]), escape(errors[code].title)) for code in operation.codes if code in errors
    ]
    return el(
        "details",
        el("summary", f"Errors ({len(rows)})"),
        table(("Code", "Meaning"), rows, f"Errors of: {operation.title}"),
        class_="codes",
    )


def _examples(resource: Resource, operation: Operation, maker: Maker) -> Html:
    """Three languages behind radio buttons: they work without a script, which only remembers the choice."""
    made = {
        "curl": maker.curl(resource, operation),
        "python": maker.python(resource, operation),
        "node": maker.node(resource, operation),
    }
    group = f"lang-{operation.anchor}"
    pieces: list[Piece] = []
    for number, (key, label, _) in enumerate(LANGUAGES):
        name = f"{group}-{key}"
        pieces.append(el("input", type="radio", name=group, id=name, value=key, checked=number == 0))
        pieces.append(el("label", label, for_=name))
    for key, label, language in LANGUAGES:
        pieces.append(el("div", code_block(made[key], language, label), class_=f"panel {key}"))
    note = el(
        "p",
        "Python and Node import ",
        el("a", "ringback_client", href="/docs#client"),
        "; the auth token is taken from ",
        el("code", "$RINGBACK_AUTH_TOKEN"),
        ".",
        class_="hint",
    )
    return join(
        el("div", *pieces, class_="example", role="group", aria_label=f"Example: {operation.title}"), note
    )


def coverage_page(products: tuple[Product, ...], guides: Mapping[str, object]) -> Page:
    """Every operation, and how the official Python client calls it."""
    parts: list[Html] = [
        el("h1", "Coverage"),
        el(
            "p",
            (
                "Every operation that this server answers, and what it is called in the official "
                "Python library. Where the library has no name for one, the example uses its "
            ),
            el("code", "client.request"),
            ".",
            class_="lead",
        ),
    ]
    known = [name for name in sorted(guides) if name.endswith("coverage")]
    if known:
        parts.append(
            el(
                "p",
                "The other way round, everything that the library can ask: ",
                *(el("a", name.rsplit("/", 1)[-1], href=f"/docs/guides/{name}") for name in known),
                ".",
            )
        )
    calls = official.calls()
    for product in products:
        rows = []
        for resource in product.resources:
            for each in resource.operations:
                call = calls.get(official.key_of(each))
                chain = (
                    el(
                        "code",
                        "client." + call.chain.replace("{0}", "…").replace("{1}", "…").replace("{2}", "…"),
                    )
                    if call
                    else "an extension, or older than the library"
                )
                rows.append(
                    (
                        el("a", each.title, href=f"{resource.url}#{each.anchor}"),
                        join(badge(each.method), path_shown(each.path)),
                        chain,
                    )
                )
        parts.append(heading(2, product.name, product.title))
        parts.append(
            table(("Operation", "Request", "Official library"), rows, f"Operations of {product.title}")
        )
    return Page(
        url="/docs/coverage",
        title="Coverage",
        body=join(*parts),
        trail=(HOME,),
        contents=tuple((each.title, each.name) for each in products),
        description="Which operations Ringback serves, and what the official library calls them.",
    )


def product_cards(products: tuple[Product, ...]) -> Html:
    """The products on the first page."""
    return cards((each.title, each.url, ", ".join(one.name for one in each.resources)) for each in products)
