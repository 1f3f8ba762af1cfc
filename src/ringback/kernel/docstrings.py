"""The strings below the fields of a class, read from its source when somebody asks for documentation."""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import textwrap
from collections.abc import Mapping


@functools.cache
def field_docs(cls: type) -> Mapping[str, str]:
    """Return attribute → the string below it, of ``cls`` and what it derives from; {} without a source."""
    found: dict[str, str] = {}
    for each in reversed(cls.__mro__[:-1]):
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(each)))
        except (OSError, TypeError, SyntaxError):
            continue  # typed at a prompt, or frozen: documentation is then missing, nothing else
        body = tree.body[0].body if tree.body and isinstance(tree.body[0], ast.ClassDef) else []
        for statement, following in itertools.pairwise(body):
            if (
                isinstance(statement, ast.AnnAssign)
                and isinstance(statement.target, ast.Name)
                and isinstance(following, ast.Expr)
                and isinstance(following.value, ast.Constant)
                and isinstance(following.value.value, str)
            ):
                found[statement.target.id] = inspect.cleandoc(following.value.value)
    return found
