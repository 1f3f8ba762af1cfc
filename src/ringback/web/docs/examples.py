"""An example request of every operation: curl, and the official libraries for Python and Node.

The secret is never in them: curl takes it from ``$RINGBACK_AUTH_TOKEN``, the libraries from the file that
``/docs`` offers (``client_file.py``). Each is run by ``tests/e2e/test_docs_examples.py``.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from ringback.kernel.resource import pascal, snake
from ringback.web.docs import official
from ringback.web.docs.reference import Operation, Parameter, Resource, addressed_by
from ringback.web.docs.samples import AT, PREFERRED, form_value, path_value
from ringback.web.rest.context import OWNER

ACCOUNT_VARIABLE = "RINGBACK_ACCOUNT_SID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Writes examples for one server."""

    base_url: str
    account_sid: str
    """Empty: the readers' shell knows it as ``$RINGBACK_ACCOUNT_SID``."""
    prefixes: Mapping[str, str]
    """``CallSid`` → ``CA``."""

    def parts(self, resource: Resource, operation: Operation) -> list[str]:
        """What stands for the parts of the path, in order."""
        own = {"Sid": resource.noun.prefix, **self.prefixes}
        key = addressed_by(resource.place) if resource.place is not None else "sid"
        account = self.account_sid or f"${ACCOUNT_VARIABLE}"
        return [
            account
            if each.name == OWNER or (each.name == "Sid" and resource.noun.prefix == "AC")
            else form_value(pascal(key), self.prefixes)
            if each.name == "Sid" and key != "sid"
            else path_value(each.name, own)
            for each in operation.given("path")
        ]

    def values(self, operation: Operation) -> dict[str, str]:
        """The parameters that an example gives: what is required, and one more."""
        form = operation.given("form")
        chosen = [each for each in form if each.required]
        if operation.name in ("create", "update") and not operation.extra:
            others = {each.name: each for each in form if not each.required}
            preferred = [others[name] for name in PREFERRED if name in others] or list(others.values())
            if operation.name == "update":
                chosen += preferred[: 0 if chosen else 1]
            elif not any(each.name == "FriendlyName" for each in chosen):
                chosen += preferred[: 1 if chosen else 2]
        elif operation.extra and not chosen and operation.name == "update":
            chosen = form[:1]
        here = next((values for part, values in AT.items() if part in operation.path), {})
        return {each.name: here.get(each.name) or self._value(each) for each in chosen}

    def _value(self, each: Parameter) -> str:
        return form_value(each.name, self.prefixes, each.field, each.choices, each.doc)

    # --- curl ----------------------------------------------------------------------------------------------

    def curl(self, resource: Resource, operation: Operation) -> str:
        """A command for a POSIX shell."""
        path = operation.path
        for part, value in zip(operation.given("path"), self.parts(resource, operation), strict=True):
            path = path.replace("{" + part.name + "}", value.replace("+", "%2B"), 1)
        method = "" if operation.method == "GET" else f"-X {operation.method} "
        account = self.account_sid or f"${ACCOUNT_VARIABLE}"
        lines = [f'curl {method}"{self.base_url}{path}"', f'  -u "{account}:$RINGBACK_AUTH_TOKEN"']
        values = self.values(operation)
        if operation.json:
            lines += ['  -H "Content-Type: application/json"', f"  -d {shlex.quote(_json(values))}"]
        else:
            lines += [f"  --data-urlencode {shlex.quote(f'{k}={v}')}" for k, v in values.items()]
        return " \\\n".join(lines)

    # --- Python --------------------------------------------------------------------------------------------

    def python(self, resource: Resource, operation: Operation) -> str:
        """A program for the official library."""
        call = self._official(operation)
        name = _variable(resource, operation)
        if call is None:
            return self._python_request(resource, operation)
        chain = self._chain(call.chain, resource, operation)
        arguments = [
            f"{call.name_of(key)}={_python(value, key, operation)}"
            for key, value in self.values(operation).items()
        ]
        lines = ["from ringback_client import client", ""]
        if call.chain.endswith(".list"):
            lines += [
                f"for {name} in client.{chain}(limit=20):",
                f"    print({self._told(call, operation, name)})",
            ]
        elif operation.name == "delete" or call.chain.endswith(".delete"):
            lines += [f"client.{chain}()"]
        else:
            given = "".join(f"\n    {each}," for each in arguments)
            lines += [f"{name} = client.{chain}({given}\n)" if given else f"{name} = client.{chain}()"]
            lines += [f"print({self._told(call, operation, name)})"]
        return "\n".join(lines)

    def _python_request(self, resource: Resource, operation: Operation) -> str:
        """Where the library has no name for it: any request through the same client."""
        values = self.values(operation)
        given = ""
        if values:
            given = (
                f"\n    data={_json(values) if operation.json else json.dumps(values, ensure_ascii=False)},"
            )
        if operation.json:
            given += '\n    headers={"Content-Type": "application/json"},'
        url = self._official_url(resource, operation)
        request = f'client.request("{operation.method}", {url})'
        if given:
            request = f'client.request(\n    "{operation.method}",\n    {url},{given}\n)'
        return f"from ringback_client import client\n\nanswer = {request}\nprint(answer.text)"

    def _told(self, call: official.OfficialCall, operation: Operation, name: str) -> str:
        """What an example prints: the SID, where there is one."""
        return f"{name}.sid" if call.sid and not operation.extra else name

    # --- Node ----------------------------------------------------------------------------------------------

    def node(self, resource: Resource, operation: Operation) -> str:
        """A module for the official library."""
        call = self._official(operation)
        name = _camel(_variable(resource, operation))
        lines = ['import { client } from "./ringback_client.mjs";', ""]
        if call is None:
            values = self.values(operation)
            facts = [f'method: "{operation.method.lower()}"']
            facts += [f"uri: {self._official_url(resource, operation, node=True)}"]
            if values:
                written = _json(values) if operation.json else json.dumps(values, ensure_ascii=False)
                facts += [f"data: {written}"]
            if operation.json:
                facts += ['headers: { "Content-Type": "application/json" }']
            given = "".join(f"\n  {each}," for each in facts)
            lines += [f"const answer = await client.request({{{given}\n}});", "console.log(answer.body);"]
            return "\n".join(lines)
        chain = _camel(self._chain(call.chain, resource, operation))
        chain = re.sub(r"\.delete$", ".remove", chain)
        arguments = [
            f"{_camel((call.name_of(key) or key).rstrip('_'))}: {_node(value, key, operation)}"
            for key, value in self.values(operation).items()
        ]
        told = self._told(call, operation, name)
        if chain.endswith(".list"):
            lines += [
                f"for (const {name} of await client.{chain}({{ limit: 20 }})) {{",
                f"  console.log({told});",
                "}",
            ]
        elif chain.endswith(".remove"):
            lines += [f"await client.{chain}();"]
        else:
            given = "{\n" + "".join(f"  {each},\n" for each in arguments) + "}" if arguments else ""
            lines += [f"const {name} = await client.{chain}({given});", f"console.log({told});"]
        return "\n".join(lines)

    # --- both ----------------------------------------------------------------------------------------------

    def _official(self, operation: Operation) -> official.OfficialCall | None:
        """The library's own call; None where it has none that takes what the example gives."""
        call = official.calls().get(official.key_of(operation))
        if call is None or any(call.name_of(name) is None for name in self.values(operation)):
            return None
        return call

    def _chain(self, chain: str, resource: Resource, operation: Operation) -> str:
        """The chain with its SIDs; the main account is the client's own."""
        parts = self.parts(resource, operation)
        written = [
            "client.username" if value.startswith("$") or value == self.account_sid else json.dumps(value)
            for value in parts
        ]
        return chain.format(*written)

    def _official_url(self, resource: Resource, operation: Operation, node: bool = False) -> str:
        """The address as the official client knows it; the hook turns it into ours."""
        product, _, path = operation.path[1:].partition("/")
        url = f"https://{product}.twilio.com/{path}"
        for part, value in zip(operation.given("path"), self.parts(resource, operation), strict=True):
            own = value.startswith("$") or value == self.account_sid
            text = (
                ("${client.username}" if node else "{client.username}") if own else value.replace("+", "%2B")
            )
            url = url.replace("{" + part.name + "}", text, 1)
        if node:
            return f"`{url}`" if "${" in url else json.dumps(url)
        return f'f"{url}"' if "{client" in url else json.dumps(url)


def _variable(resource: Resource, operation: Operation) -> str:
    """What an example calls its record."""
    if operation.extra:
        return "answer"
    return snake(resource.noun.name)


def _camel(text: str) -> str:
    """``client.incoming_phone_numbers`` → ``client.incomingPhoneNumbers``; what is quoted stays."""
    pieces = re.split(r'("[^"]*")', text)
    return "".join(
        piece if piece.startswith('"') else re.sub(r"_([a-z0-9])", lambda hit: hit[1].upper(), piece)
        for piece in pieces
    )


def _json(values: Mapping[str, str]) -> str:
    """The body of a request that is JSON."""
    return json.dumps(
        {name: json.loads(text) if text[:1] in "[{" else text for name, text in values.items()},
        ensure_ascii=False,
    )


def _typed(value: str, key: str, operation: Operation) -> object:
    """Numbers and truth values as the libraries take them."""
    kind = next((each.kind for each in operation.parameters if each.name == key), "string")
    if kind == "boolean" or value in ("true", "false"):
        return value == "true"
    if kind == "integer":
        return int(value)
    return value


def _python(value: str, key: str, operation: Operation) -> str:
    typed = _typed(value, key, operation)
    if isinstance(typed, str) and '"' in typed and "'" not in typed:
        return f"'{typed}'" if "\\" not in typed else repr(typed)
    return json.dumps(typed, ensure_ascii=False) if isinstance(typed, str) else repr(typed)


def _node(value: str, key: str, operation: Operation) -> str:
    return json.dumps(_typed(value, key, operation), ensure_ascii=False)
