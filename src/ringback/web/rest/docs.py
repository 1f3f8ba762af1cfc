"""The page at ``/docs``: resources, parameters and error codes from the declarations; no other host is asked."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping

from ringback.kernel.error_codes import titles
from ringback.kernel.resource import Noun, Place, Record
from ringback.web.rest.openapi import leaves, shown_type
from ringback.web.rest.paging import filters_of
from ringback.web.rest.render import View

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
nav{columns:3;margin:1rem 0}table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem}
td,th{border:1px solid #8886;padding:.3rem .5rem;text-align:left;vertical-align:top}
h2{margin-top:3rem}code{font-size:.9em}.path{font-size:1.05em}:target{background:#fc05}
"""


def text(words: str) -> str:
    """Docstring text as HTML: double backticks become code."""
    return re.sub(r"``(.+?)``", r"<code>\1</code>", html.escape(words))


def docs_page(nouns: Iterable[type[Record]]) -> str:
    """One self-contained HTML page."""
    links, parts = [], []
    for record in nouns:
        noun = record.__noun__
        for place in noun.places:
            name = place.tag or noun.name
            anchor = re.sub(r"[^a-z0-9]+", "-", f"{name}-{place.product}".lower())
            links.append(f'<a href="#{anchor}">{text(name)}</a><br>')
            parts.append(_section(noun, place, name, anchor))
    errors = "".join(
        f'<tr id="error-{code}"><td>{code}</td><td>{text(title)}</td></tr>'
        for code, title in sorted(titles().items())
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Ringback API</title><style>{STYLE}</style><h1>Ringback API</h1>"
        '<p>All of this for machines: <a href="openapi.json">OpenAPI 3.1</a>. Sign in with the account SID and auth '
        "token, or with an API key and its secret (HTTP basic).</p>"
        f"<nav>{''.join(links)}<a href='#errors'>Errors</a></nav>{''.join(parts)}"
        f'<h2 id="errors">Errors</h2><table><tr><th>Code</th><th>Meaning</th></tr>{errors}</table></html>'
    )


def _section(noun: Noun, place: Place, name: str, anchor: str) -> str:
    view = View(noun, place, "")
    filters = ", ".join(f"<code>{html.escape(one)}</code>" for one in filters_of(view))
    takes = "".join(
        f"<h3>{operation.capitalize()}: parameters</h3><table>{_parameters(parameters)}</table>"
        for operation, parameters in place.takes.items()
    )
    return (
        f'<h2 id="{anchor}">{text(name)}</h2><p>{text(noun.doc)}</p>'
        f'<p class="path"><code>/{place.product}{html.escape(place.path)}</code></p>'
        f"<p>Operations: {', '.join(place.can)}. Filters: {filters or 'none'}.{_sorted(noun, place)}</p>{takes}"
        f"<table><tr><th>Key</th><th>Type</th><th>Parameter</th><th>Meaning</th></tr>{_rows(noun, place)}</table>"
    )


def _sorted(noun: Noun, place: Place) -> str:
    """What else is said of paths and lists: their order, and a name in place of the SID."""
    order = place.order.partition(" ")[0]
    way = (
        f" Sorted by <code>{order}</code>, {' or '.join(place.orders)} (<code>Order</code>)." if order else ""
    )
    name = f" <code>{noun.names}</code> may stand for the SID in a path." if noun.names else ""
    return way + name


def _parameters(parameters: Mapping[str, str]) -> str:
    return "".join(
        f"<tr><td><code>{html.escape(name)}</code></td><td>{text(doc)}</td></tr>"
        for name, doc in parameters.items()
    )


def _rows(noun: Noun, place: Place) -> str:
    docs, out = noun.docs, []
    for key, name in View(noun, place, "").shown.items():
        field = noun.by_name[name]
        use = [word for word in ("create", "update") if getattr(field, word) and word in place.can]
        params = [
            f"<code>{part.param}</code> ({', '.join(use)}; error {part.code})" for part in leaves(field)
        ]
        kind = shown_type(field, place.wires.get(name, field.wire)) + (" or null" if field.optional else "")
        out.append(
            f"<tr><td><code>{html.escape(key)}</code></td><td>{kind}</td><td>{'<br>'.join(params) if use else ''}</td>"
            f"<td>{text(docs.get(name, ''))}</td></tr>"
        )
    return "".join(out)
