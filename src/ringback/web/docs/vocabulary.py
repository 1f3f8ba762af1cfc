"""What TwiML, features and errors there are: the shapes of the registries that the composition root hands in."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ringback.kernel.error_advice import Advice, advice
from ringback.kernel.error_codes import level, titles
from ringback.web.docs.markup import slug
from ringback.web.docs.reference import Operation, Product, Resource


class AttributeLike(Protocol):
    """One attribute of a verb (``voice/verb.py``)."""

    @property
    def read(self) -> Callable[[str], Any]:
        """Its docstring says what is allowed."""

    @property
    def default(self) -> Any:
        """What holds without it."""

    @property
    def code(self) -> int:
        """The warning of a bad value."""


class VerbLike(Protocol):
    """One verb (``voice/verb.py``)."""

    @property
    def tag(self) -> str:
        """``Dial``."""

    @property
    def run(self) -> Callable[..., Any]:
        """Its module's docstring says what it does."""

    @property
    def attributes(self) -> Mapping[str, AttributeLike]:
        """By name."""

    @property
    def children(self) -> frozenset[str]:
        """Elements that may stand in it."""

    @property
    def whisper(self) -> bool:
        """Whether a document for the callee may have it."""

    @property
    def example(self) -> str:
        """What stands in ``<Response>`` to show it."""

    @property
    def nouns(self) -> Mapping[str, Mapping[str, AttributeLike]]:
        """Elements within it that have attributes."""


def about(verb: VerbLike) -> str:
    """What a verb does: its module's docstring, without the tag and the references to sheets."""
    doc = inspect.getdoc(sys.modules.get(verb.run.__module__)) or ""
    first = " ".join(doc.split("\n\n")[0].split())
    first = re.sub(r"\s*\([\w-]+\.md[^)]*\)", "", first)
    first = re.sub(r"^``<\w+>``:\s*", "", first)
    return first[:1].upper() + first[1:]


@dataclass(frozen=True, slots=True)
class Explained:
    """An error code with everything that is known of it."""

    code: int
    title: str
    level: str
    advice: Advice
    operations: tuple[tuple[Resource, Operation], ...] = ()
    """That declare it."""
    attributes: tuple[tuple[VerbLike, str, AttributeLike], ...] = ()
    """Of verbs: ``timeout``, or ``Number timeout`` for a noun's."""

    @property
    def url(self) -> str:
        """Its page."""
        return f"/docs/errors/{self.code}"


def errors(products: Iterable[Product], verbs: Iterable[VerbLike]) -> dict[int, Explained]:
    """Every code that there is, in order."""
    operations: dict[int, list[tuple[Resource, Operation]]] = {}
    for product in products:
        for resource in product.resources:
            for operation in resource.operations:
                for code in operation.codes:
                    operations.setdefault(code, []).append((resource, operation))
    attributes: dict[int, list[tuple[VerbLike, str, AttributeLike]]] = {}
    for verb in verbs:
        owners = {"": verb.attributes, **verb.nouns}
        for owner, declared in owners.items():
            for name, attribute in declared.items():
                shown = f"{owner} {name}".strip()
                attributes.setdefault(attribute.code, []).append((verb, shown, attribute))
    return {
        code: Explained(
            code,
            title,
            level(code) if code < 20000 or code >= 30000 else "error",
            advice(code),
            tuple(operations.get(code, ())),
            tuple(attributes.get(code, ())),
        )
        for code, title in sorted(titles().items())
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A path that is no part of the declared API: a feature, the simulator, an operator's page."""

    method: str
    path: str
    doc: str
    group: str
    """The heading that it stands under."""

    @property
    def anchor(self) -> str:
        """Its fragment."""
        return slug(f"{self.method} {self.path}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything that the documentation is made from."""

    products: tuple[Product, ...]
    prefixes: Mapping[str, str]
    verbs: tuple[VerbLike, ...] = ()
    doors: tuple[Door, ...] = ()
    errors: Mapping[int, Explained] = field(default_factory=dict)
