"""The first page: a request to try, the client files, and where everything is."""

from __future__ import annotations

from collections.abc import Mapping

from ringback.web.docs import client_file
from ringback.web.docs.api_page import product_cards
from ringback.web.docs.examples import Maker
from ringback.web.docs.handbook import Guide, opening
from ringback.web.docs.highlight import code_block
from ringback.web.docs.layout import Page, cards, heading
from ringback.web.docs.markup import Piece, el, join
from ringback.web.docs.vocabulary import Sources


def home_page(sources: Sources, maker: Maker, guides: Mapping[str, Guide]) -> Page:
    """Where everybody begins."""
    account = maker.account_sid or "$RINGBACK_ACCOUNT_SID"
    first = (
        f'curl "{maker.base_url}/api/2010-04-01/Accounts/{account}/Calls.json" \\\n'
        f'  -u "{account}:$RINGBACK_AUTH_TOKEN"'
    )
    hint: Piece = None
    if not maker.account_sid:
        hint = el(
            "p",
            "This server can be reached by others, so its account SID is not shown: set ",
            el("code", "RINGBACK_ACCOUNT_SID"),
            " as well.",
        )
    parts = [
        el("h1", "Ringback documentation"),
        el(
            "p",
            (
                "Calls, queues and agents over the API that Twilio's libraries speak. Everything "
                "here is made from the declarations of this very server."
            ),
            class_="lead",
        ),
        heading(2, "first", "A first request"),
        el(
            "p",
            "The auth token is in ",
            el("code", "credentials.json"),
            (
                " of the data directory. Put it into the environment, then every example of these "
                "pages can be pasted:"
            ),
        ),
        code_block('export RINGBACK_AUTH_TOKEN="…"', "bash", "shell"),
        hint,
        code_block(first, "bash", "curl"),
        heading(2, "client", "The official libraries"),
        el(
            "p",
            (
                "The Python and Node examples import one small file, which points the unmodified "
                "library here. Save it beside your program: "
            ),
            el("a", client_file.PYTHON_NAME, href=f"/docs/{client_file.PYTHON_NAME}", download=True),
            " or ",
            el("a", client_file.NODE_NAME, href=f"/docs/{client_file.NODE_NAME}", download=True),
            ".",
        ),
        code_block(client_file.python(maker.base_url, maker.account_sid), "python", client_file.PYTHON_NAME),
        code_block(client_file.node(maker.base_url, maker.account_sid), "javascript", client_file.NODE_NAME),
        heading(2, "api", "REST API"),
        product_cards(sources.products),
        heading(2, "more", "What your application speaks"),
        cards(
            [
                ("TwiML", "/docs/twiml", ", ".join(f"<{each.tag}>" for each in sources.verbs)),
                (
                    "Webhooks",
                    "/docs/webhooks",
                    "What your application is asked and told, with every parameter.",
                ),
                (
                    "Errors",
                    "/docs/errors",
                    f"{len(sources.errors)} codes: what is behind each, and what to do.",
                ),
                (
                    "Features and simulator",
                    "/docs/features",
                    "Callback and voicemail, simulated callers, health and metrics.",
                ),
                ("Coverage", "/docs/coverage", "What is served, and what the official library calls it."),
            ]
        ),
        heading(2, "guides", "Guides"),
        cards((each.title, each.url, opening(each)) for name, each in guides.items() if "/" not in name),
    ]
    return Page(
        url="/docs",
        title="Documentation",
        body=join(*parts),
        description="Documentation of Ringback: REST API, TwiML, webhooks, errors and guides.",
        contents=(
            ("A first request", "first"),
            ("The official libraries", "client"),
            ("REST API", "api"),
            ("What your application speaks", "more"),
            ("Guides", "guides"),
        ),
    )
