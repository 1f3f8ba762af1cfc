"""OpenAPI 3.1 from the declarations, and the coverage table; the pages at ``/docs`` are ``web/docs/``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ringback import __version__
from ringback.kernel.resource import Field, Record, pascal
from ringback.web.rest.paging import filters_of, parameters_of
from ringback.web.rest.render import View

_METHODS = {
    "list": ("get", False), "create": ("post", False), "fetch": ("get", True), "update": ("post", True),
    "delete": ("delete", True),
}  # fmt: skip
_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "json": "object"}


def openapi(nouns: Iterable[type[Record]], public_url: str) -> dict[str, Any]:
    """The OpenAPI 3.1 description of everything declared."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    every = tuple(nouns)
    used = Counter(record.__noun__.name for record in every)
    for record in every:
        noun = record.__noun__
        known = noun.name
        if used[known] > 1 and noun.places[0].product != "api":  # the 2010 API's noun keeps the bare name
            known = pascal(noun.places[0].product) + known
        for number, place in enumerate(noun.places):
            view = View(noun, place, public_url)
            name = known if number == 0 else f"{known}{number + 1}"
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


def shown_type(field: Field, wire: object) -> str:
    """The JSON type of a field as it is shown: dates and some numbers are strings."""
    if wire:
        return "string"
    return "array" if field.kind == "json" and field.factory is list else _TYPES[field.kind]


def leaves(field: Field) -> list[Field]:
    """The field itself, or the keys of its nested object, however deep: each has a parameter."""
    return [leaf for part in field.shape for leaf in leaves(part)] or [field]


def _nested(field: Field) -> dict[str, Any]:
    if not field.shape:
        return {}
    inner = {
        part.key: {"type": [shown_type(part, ""), "null"] if part.optional else shown_type(part, "")}
        | _nested(part)
        for part in field.shape
    }
    return {"properties": inner}


def _schema(view: View) -> dict[str, Any]:
    docs = view.noun.docs
    properties: dict[str, Any] = {}
    for key, name in view.shown.items():
        field = view.noun.by_name[name]
        wire = view.place.wires.get(name, field.wire)
        kind = shown_type(field, wire)
        properties[key] = {"type": [kind, "null"] if field.optional else kind} | _nested(field)
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
                {"name": name, "in": "query", "schema": {"type": "string"}} for name in parameters_of(view)
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
            properties = {
                part.param: _param(part, docs.get(field.name, ""))
                for field in writable
                for part in leaves(field)
            }
            for param, doc in place.takes.get(operation, {}).items():
                properties[param] = {"type": "string", "description": doc}
            entry["requestBody"] = {"content": {"application/x-www-form-urlencoded": {"schema": {
                "type": "object", "properties": properties,
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
