"""docs/where-is.md answers truly: each file is there and holds what the answer names, in code and not in comments."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "where-is.md"
ROW = re.compile(r"^\| (.+\?) \| \[(\S+)\]\(\.\./src/ringback/(\S+)\) \| (.+) \|$", re.MULTILINE)
NAME = re.compile(r"`([A-Za-z_][\w.]*)`")


class Row(NamedTuple):
    """One question and its answer."""

    question: str
    shown: str
    path: str
    answer: str


ROWS = [Row(*found) for found in ROW.findall(PAGE.read_text("utf-8"))]


def definitions(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    """What a module or class defines: classes, functions and assigned names; ``Class.method`` for what is inside."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield prefix + node.name
            yield from definitions(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (prefix + target.id for target in targets if isinstance(target, ast.Name))


def words(tree: ast.Module) -> set[str]:
    """The names and attributes that code uses, and the names of what it defines; no text and no comment."""
    found = {name.rpartition(".")[2] for name in definitions(tree.body)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found


def lacking(source: str, answer: str) -> list[str]:
    """What the answer names and the source has not: the first name must be defined, the others used or defined."""
    tree = ast.parse(source)
    first, *others = NAME.findall(answer)
    return [name for name in [first] if name not in set(definitions(tree.body))] + [
        name for name in others if name not in words(tree)
    ]


def test_there_are_twenty_questions() -> None:
    """Each row is read, none is asked twice, and no two have the same answer."""
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    assert len(rows) - 1 == len(ROWS) == 20
    assert len({row.question for row in ROWS}) == len({row.path for row in ROWS}) == 20


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.path)
def test_the_file_holds_what_is_said(row: Row) -> None:
    """The path shown is the one linked, and the names of the answer are in its code."""
    assert row.shown.replace("\\", "") == row.path
    assert lacking((ROOT / "src" / "ringback" / row.path).read_text("utf-8"), row.answer) == []


@pytest.mark.parametrize(
    ("source", "answer", "missing"),
    [
        ("class Lease:\n    def take(self): ...", "`Lease.take` at the start", []),
        ("TASK: dict = {}\ndef step(): return outcome.fence", "`TASK`, and `fence`", []),
        ('"""Lease, here."""\n# Lease', "`Lease`", ["Lease"]),
        ("from store import Lease", "`Lease`, imported only", ["Lease"]),
        ("class Lease: ...", "`Lease.take`", ["Lease.take"]),
        ("class Lease:\n    '''fence'''", "`Lease`, then `fence`", ["fence"]),
    ],
)
def test_a_wrong_answer_is_found(source: str, answer: str, missing: list[str]) -> None:
    """A word in a comment, a text or an import is no answer."""
    assert lacking(source, answer) == missing
