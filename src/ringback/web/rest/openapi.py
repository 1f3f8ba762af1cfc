"""Documentation from the declarations: OpenAPI 3.1, the page at ``/docs``, and the coverage table."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

from ringback import __version__
from ringback.kernel.resource import Field, Noun, Place, Record
from ringback.web.rest.paging import filters_of
from ringback.web.rest.render import View

_METHODS = {
    "list": ("get", False), "create": ("post", False), "fetch": ("get", True), "update": ("post", True),
    "delete": ("delete", True),
}  # fmt: skip
_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "json": "object"}
ERRORS = {
    20001: "Invalid or unknown parameter", 20002: "Invalid FriendlyName", 20003: "Permission denied",
    20004: "Method not allowed", 20005: "Account not active", 20008: "Not for test credentials",
    20009: "Cannot be deleted before it is complete", 20404: "Not found", 20409: "Conflict",
    20412: "Precondition failed", 20413: "Body too large", 20429: "Too many requests",
    20500: "Internal server error", 20503: "Not available", 21201: "No To", 21205: "Invalid Url",
    21210: "From is not verified", 21211: "Invalid To", 21212: "Invalid From", 21213: "No From",
    21218: "Invalid ApplicationSid", 21220: "Invalid call state", 21401: "Invalid phone number",
    21402: "Invalid URL", 21403: "Invalid method", 21405: "Voice fallback without primary URL",
    21406: "Message fallback without primary URL", 21420: "ApplicationSid not accessible",
    21421: "Invalid phone number", 21422: "Phone number not available", 21450: "Already verified",
    21451: "Invalid area code", 21452: "No numbers in the area code", 21481: "Invalid PageToken",
    16113: "The recording has one channel", 21475: "Account status cannot be changed",
    21478: "An account cannot change its own status",
}  # fmt: skip


def openapi(nouns: Iterable[type[Record]], public_url: str) -> dict[str, Any]:
    """The OpenAPI 3.1 description of everything declared."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for record in nouns:
        noun = record.__noun__
        for number, place in enumerate(noun.places):
            view = View(noun, place, public_url)
            name = noun.name if number == 0 else f"{noun.name}{number + 1}"
            schemas[name] = _schema(view)
            _paths(paths, view, name)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Ringback", "version": __version__},
        "servers": [{"url": public_url}],
        "security": [{"basic": []}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}}},
    }


def _schema(view: View) -> dict[str, Any]:
    docs = view.noun.docs
    properties: dict[str, Any] = {}
    for key, name in view.shown.items():
        field = view.noun.by_name[name]
        wire = view.place.wires.get(name, field.wire)
        kind = "string" if wire else _TYPES[field.kind]
        if field.kind == "json" and field.factory is list:
            kind = "array"
        properties[key] = {"type": [kind, "null"] if field.optional else kind}
        if docs.get(name):
            properties[key]["description"] = docs[name]
    return {"type": "object", "description": view.noun.doc, "properties": properties}


def _paths(paths: dict[str, Any], view: View, schema: str) -> None:
    place = view.place
    suffix = ".json" if place.classic else ""
    docs = view.noun.docs
    for operation in place.can:
        method, instance = _METHODS[operation]
        path = f"/{place.product}{place.path}{'/{Sid}' if instance else ''}{suffix}"
        names = [*place.parents, *(["Sid"] if instance else [])]
        parameters: list[dict[str, Any]] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
        if operation == "list":
            parameters += [
                {"name": name, "in": "query", "schema": {"type": "string"}}
                for name in (*filters_of(view), "PageSize", "Page", "PageToken")
            ]
        status = {"create": str(place.created), "delete": "204"}.get(operation, "200")
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
        entry: dict[str, Any] = {
            "summary": f"{operation.capitalize()} {place.tag or view.noun.name}",
            "tags": [place.tag or view.noun.name],
            "parameters": parameters,
            "responses": {
                status: {"description": "Success"},
                "default": {"description": "The error envelope"},
            },
        }
        if operation != "delete":
            entry["responses"][status]["content"] = content
        if operation in ("create", "update"):
            writable = [field for field in view.noun.fields if getattr(field, operation)]
            entry["requestBody"] = {"content": {"application/x-www-form-urlencoded": {"schema": {
                "type": "object",
                "properties": {field.param: _param(field, docs.get(field.name, "")) for field in writable},
            }}}}  # fmt: skip
        paths.setdefault(path, {})[method] = entry


def _param(field: Field, doc: str) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "boolean" if field.kind == "bool" else "string"}
    if field.choices:
        found["enum"] = list(field.choices)
    if field.max_length:
        found["maxLength"] = field.max_length
    if doc:
        found["description"] = doc
    return found


def _rows(noun: Noun, place: Place) -> str:
    view = View(noun, place, "")
    docs = noun.docs
    out = []
    for key, name in view.shown.items():
        field = noun.by_name[name]
        use = [word for word in ("create", "update") if getattr(field, word) and word in place.can]
        param = f"<code>{field.param}</code> ({', '.join(use)}; error {field.code})" if use else ""
        out.append(
            f"<tr><td><code>{html.escape(key)}</code></td><td>{_TYPES[field.kind]}</td><td>{param}</td>"
            f"<td>{html.escape(docs.get(name, ''))}</td></tr>"
        )
    return "".join(out)


def docs_page(nouns: Iterable[type[Record]]) -> str:
    """A self-contained HTML page: resources, parameters, error codes."""
    parts = []
    for record in nouns:
        noun = record.__noun__
        for place in noun.places:
            filters = ", ".join(
                f"<code>{html.escape(name)}</code>" for name in filters_of(View(noun, place, ""))
            )
            parts.append(
                f"<h2>{html.escape(place.tag or noun.name)}</h2><p>{html.escape(noun.doc)}</p>"
                f"<p><code>/{place.product}{html.escape(place.path)}</code> — {', '.join(place.can)}</p>"
                f"<p>Filters: {filters or 'none'}</p>"
                "<table><tr><th>Key</th><th>Type</th><th>Parameter</th><th></th></tr>"
                f"{_rows(noun, place)}</table>"
            )
    errors = "".join(
        f'<tr id="error-{code}"><td>{code}</td><td>{html.escape(text)}</td></tr>'
        for code, text in sorted(ERRORS.items())
    )
    style = (
        "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
        "color-scheme:light dark}table{border-collapse:collapse;width:100%}"
        "td,th{border:1px solid #8886;padding:.3rem;text-align:left}"
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Ringback API</title><style>{style}</style><h1>Ringback API</h1>"
        '<p>The same as <a href="openapi.json">OpenAPI</a>.</p>'
        f"{''.join(parts)}<h2>Errors</h2><table>{errors}</table></html>"
    )


def coverage_markdown(nouns: Iterable[type[Record]]) -> str:
    """A table of what exists, for the documentation."""
    lines = ["| resource | path | operations | filters |", "|---|---|---|---|"]
    for record in nouns:
        noun = record.__noun__
        for place in noun.places:
            filters = ", ".join(f"`{name}`" for name in filters_of(View(noun, place, "")))
            path = f"`/{place.product}{place.path}`"
            lines.append(f"| {place.tag or noun.name} | {path} | {', '.join(place.can)} | {filters} |")
    return "\n".join(lines) + "\n"
