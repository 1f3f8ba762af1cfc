"""The guides: every page of ``docs/`` is there, Markdown is safe, drawings are tables, a package carries them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from ringback.web.docs import handbook
from ringback.web.docs.handbook import arrows, guides, name_of

ROOT = Path(__file__).parents[3]
FILES = [
    path.relative_to(ROOT).as_posix()
    for folder in ("docs", "examples")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".md", ".py", ".mjs", ".toml") and not {"node_modules", "__pycache__"} & {*path.parts}
]


@pytest.mark.parametrize("file", FILES)
def test_every_page_of_the_checkout_is_served(file: str) -> None:
    guide = guides()[name_of(file)]
    assert guide.title
    assert guide.body.count("<h1") == 1


def test_an_installed_package_carries_them() -> None:
    """``handbook.folder`` looks where pyproject.toml puts them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    carried = project["tool"]["hatch"]["build"]["targets"]["wheel"]["sources"]
    assert carried.items() >= {folder: f"ringback/_handbook/{folder}" for folder in handbook.FOLDERS}.items()
    assert handbook.folder() == ROOT


def written(tmp_path: Path, text: str) -> str:
    """A page as it is shown."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text(text)
    (tmp_path / "docs" / "other.md").write_text("# Other\n")
    return guides(tmp_path)["page"].body


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "text <img src=x onerror=alert(1)> text",
        "[click](javascript:alert(1))",
        "![x](javascript:alert(1))",
        "[click](data:text/html;base64,PHNjcmlwdD4=)",
        "`<script>`\n\n```html\n<script>alert(1)</script>\n```",
    ],
)
def test_markdown_cannot_bring_code(tmp_path: Path, text: str) -> None:
    body = written(tmp_path, f"# T\n\n{text}\n")
    assert "<script" not in body
    assert "<img" not in body
    assert 'href="javascript' not in body
    assert 'href="data' not in body


def test_links_lead_to_pages_here(tmp_path: Path) -> None:
    body = written(
        tmp_path, "# T\n\n[a](other.md#x) [b](../src/ringback/app.py) [c](https://example.com) [d](#t)\n"
    )
    assert 'href="/docs/guides/other#x"' in body
    assert '<span class="elsewhere" title="src/ringback/app.py, in the source">b</span>' in body
    assert '<a href="https://example.com" rel="noreferrer">c</a>' in body
    assert 'href="#t"' in body


def test_a_drawing_is_a_table() -> None:
    states = arrows(
        "stateDiagram-v2\n    [*] --> pending\n    pending --> done: accept, take\n    done --> [*]\n"
    )
    for cell in ("<td>(begin)</td>", "<td>accept, take</td>", "<td>(end)</td>"):
        assert cell in states
    flow = arrows("flowchart LR\n    rest([REST]) -->|WriteRequested| call\n")
    assert "<td>REST</td><td>WriteRequested</td><td>call</td>" in flow
