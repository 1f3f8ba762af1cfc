"""The rules of docs/architecture.md, read off the sources with ``ast``: nothing is imported here."""

from __future__ import annotations

import ast
import functools
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "ringback"
LONG, TOO_LONG = 400, 600

PRODUCTS = {"voice", "taskrouter", "conversations", "messaging", "studio", "callbacks", "outcomes"}
PRODUCT_MAY = {"kernel", "numbers", "resources", "events", "effects"}

# What each part may import of the others. docs/architecture.md shows the same table.
MAY_IMPORT: dict[str, set[str]] = {
    "kernel": set(),
    "numbers": {"kernel"},
    "resources": {"kernel", "numbers"},
    "events": {"kernel", "resources"},
    "effects": {"kernel", "resources", "events"},
    "sip": {"kernel"},
    "smpp": {"kernel"},
    "media": {"kernel"},
    "processes": set(),
    "sharing": set(),
    **dict.fromkeys(PRODUCTS, PRODUCT_MAY),
    "store": {"kernel", "resources", "events", "effects", "processes"},
    "edges": {
        "kernel",
        "numbers",
        "events",
        "effects",
        "sip",
        "smpp",
        "media",
        "processes",
        "sharing",
        "settings",
        "web",
    },
    "web": {"kernel", "numbers", "events", "effects", "resources", "store", "sharing"},
    "runtime": {"kernel", "events", "effects", "resources", "store", "sharing"},
    "settings": {"kernel"},
}
# These put everything together, or stand outside and look in: they may import every part.
COMPOSITION = {
    "__init__",
    "__main__",
    "access_token",
    "app",
    "backup",
    "wiring",
    "cli",
    "command_line",
    "credentials",
    "data_dir",
    "doctor",
    "firstrun",
    "kept",
    "front",
    "phone",
    "reconcile",
    "serve",
    "testing",
    "texting",
    "trace",
}

# Third-party packages that the parts above the I/O line may use; all others are for below it.
PURE_PACKAGES: dict[str, set[str]] = {
    "numbers": {"phonenumbers"},
    "sip": {"propcache"},
    "smpp": {"smpp34"},
    "media": {"numpy"},
    "events": {"msgspec"},
    "effects": {"msgspec"},
    "voice": {"lxml", "msgspec", "sortedcontainers"},
    "taskrouter": {"lark", "msgspec", "sortedcontainers"},
    "messaging": {"msgspec"},
    "studio": {"liquid"},
    "outcomes": {"phonenumbers"},
}
ABOVE = {"kernel", "numbers", "resources", "events", "effects", "sip", "smpp", "media", *PRODUCTS}

# What opens sockets, reads clocks, sleeps, is random, or starts threads and processes.
IMPURE_MODULES = {
    "asyncio", "concurrent", "ftplib", "http", "multiprocessing", "random", "sched", "secrets", "select",
    "selectors", "signal", "smtplib", "socket", "socketserver", "ssl", "subprocess", "threading", "time",
}  # fmt: skip
HARMLESS = {"http.HTTPStatus"}
IMPURE_CALLS = re.compile(
    r"(^|\.)(datetime\.(now|utcnow|today)|date\.today|urandom|uuid[14]|urlopen|getrandbits|default_rng)$"
)

# A file name may stand for three different things at most. These are one thing each:
NOUN_FOLDERS = ("resources/*", "web/nouns/*", "taskrouter/requests")
"""A noun's declaration, its rules and its writes, whatever the product."""
SUBJECT_FOLDERS = ("events", "effects")
"""What is told and what is asked of one subject."""
ROLES = {
    "*": {"machine"},
    "voice/*": {"live", "control"},
    "edges/*": {"client", "worker", "engine", "process"},
}
"""In folders side by side: a product's transition table; those that are there now, and what REST asks of them; the
sides of a child process."""

BANNED_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "base", "misc", "common"}


@dataclass(frozen=True)
class Import:
    """One imported name, with the line that imports it."""

    name: str
    line: int


def part_of(path: Path) -> str:
    """``src/ringback/voice/call/session.py`` → ``voice``; ``src/ringback/app.py`` → ``app``."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def package_of(path: Path) -> list[str]:
    """The dotted package that the module's relative imports start from."""
    return ["ringback", *path.relative_to(SOURCE).parent.parts]


def imports(tree: ast.AST, package: list[str]) -> Iterator[Import]:
    """Every import at any depth (also within functions and TYPE_CHECKING), relative ones made absolute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            for alias in node.names:
                yield Import(".".join([*start, *filter(None, [node.module]), alias.name]), node.lineno)


def dotted(node: ast.AST) -> str:
    """``datetime.now`` for the expression of that name; empty for anything else."""
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return node.id if isinstance(node, ast.Name) else ""


def wrong_imports(part: str, tree: ast.AST, package: list[str]) -> list[str]:
    """What ``part`` imports and may not."""
    found = []
    for one in imports(tree, package):
        names = one.name.split(".")
        if names[0] == "ringback":
            target = names[1] if len(names) > 1 else ""
            if part not in COMPOSITION and target not in {part, "__version__", *MAY_IMPORT.get(part, set())}:
                found.append(f"{one.line}: {part}/ may not import {one.name}")
        elif part in ABOVE and names[0] not in sys.stdlib_module_names:
            if names[0] not in PURE_PACKAGES.get(part, set()):
                found.append(f"{one.line}: {part}/ may not use the package {names[0]}")
        elif part in ABOVE and names[0] in IMPURE_MODULES and one.name not in HARMLESS:
            found.append(f"{one.line}: {part}/ is above the I/O line and imports {one.name}")
    return found


def impure_calls(tree: ast.AST) -> list[str]:
    """Calls that read the clock or are random although their module is harmless."""
    found = []
    for node in ast.walk(tree):
        name = dotted(node.func) if isinstance(node, ast.Call) else ""
        if name and IMPURE_CALLS.search(name):
            found.append(f"{node.lineno}: calls {name}()")  # type: ignore[attr-defined]
    return found


def import_graph(sources: dict[str, tuple[ast.AST, list[str]]]) -> dict[str, set[str]]:
    """Module → the modules that it imports, of those given (dotted name → tree and package).

    ``from package import name`` is an edge to the module of that name, if there is one, else to the package.
    What a registry folder collects at run time is none: nothing names it.
    """
    graph: dict[str, set[str]] = {}
    for module, (tree, package) in sources.items():
        graph[module] = set()
        for one in imports(tree, package):
            names = one.name.split(".")
            ends = [".".join(names[:end]) for end in range(len(names), 0, -1)]
            target = next((name for name in ends if name in sources), module)
            graph[module] |= {target} - {module}
    return graph


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The sets of modules that all reach each other, of two and more (Tarjan's components)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        order[module] = low[module] = len(order)
        stack.append(module)
        for target in sorted(graph[module]):
            if target not in order:
                visit(target)
            if target in stack:
                low[module] = min(low[module], low[target])
        if low[module] == order[module]:
            at = stack.index(module)
            component = sorted(stack[at:])
            del stack[at:]
            found.extend([component] if len(component) > 1 else [])

    for module in sorted(graph):
        if module not in order:
            visit(module)
    return found


def modules() -> list[Path]:
    """Every Python file of the product."""
    return sorted(SOURCE.rglob("*.py"))


def named(path: Path) -> str:
    """How a test of one file is called."""
    return path.relative_to(ROOT).as_posix()


@functools.cache
def parsed(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_text("utf-8"), filename=str(path))


@pytest.fixture(autouse=True, scope="module")
def _forgotten() -> Iterator[None]:
    """The trees of all files are much: those who test after us have no use for them."""
    yield
    parsed.cache_clear()


# --- the rules ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", modules(), ids=named)
def test_imports_follow_the_table(path: Path) -> None:
    """A part imports only what its row says; product folders never import each other."""
    part = part_of(path)
    assert part in MAY_IMPORT or part in COMPOSITION, (
        f"{part} is in no row of the table: add it to the docs too"
    )
    assert wrong_imports(part, parsed(path), package_of(path)) == []


def test_no_module_imports_itself_in_a_circle() -> None:
    """Whoever reads a module reads what it imports first, and comes to an end. TYPE_CHECKING hides nothing."""
    sources = {
        ".".join(["ringback", *path.relative_to(SOURCE).with_suffix("").parts]).removesuffix(".__init__"): (
            parsed(path),
            package_of(path),
        )
        for path in modules()
    }
    assert circles(import_graph(sources)) == []


@pytest.mark.parametrize("path", [path for path in modules() if part_of(path) in ABOVE], ids=named)
def test_nothing_above_the_line_reads_a_clock_or_is_random(path: Path) -> None:
    """Time, identifiers and answers are handed in (imports are checked by the test above)."""
    assert impure_calls(parsed(path)) == []


def test_file_sizes() -> None:
    """Above 600 lines a file is split; above 400 it is listed (``pytest -rP`` shows the list)."""
    sizes = {
        named(path): len(path.read_text("utf-8").splitlines())
        for folder in (SOURCE, ROOT / "tests", ROOT / "benchmarks", ROOT / "examples")
        for path in folder.rglob("*.py")
    }
    questioned = {name: size for name, size in sizes.items() if LONG < size <= TOO_LONG}
    print("files to question:", questioned or "none")
    assert {name: size for name, size in sizes.items() if size > TOO_LONG} == {}


def test_names() -> None:
    """A file is named for the idea it holds."""
    wrong = [named(path) for path in modules() if {path.stem, *path.relative_to(SOURCE).parts} & BANNED_NAMES]
    abstract = [
        f"{named(path)}: {node.name}"
        for path in modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ClassDef) and node.name.startswith("Abstract")
    ]
    assert wrong + abstract == []


def fits(folder: PurePath, pattern: str) -> bool:
    """Whether the whole path of the folder is as the pattern says."""
    return len(folder.parts) == pattern.count("/") + 1 and folder.match(pattern)


def thing(path: PurePath) -> str:
    """What a file (relative to the sources) is about; of files with one name, those about one thing count once."""
    folder = path.parent
    if any(fits(folder, pattern) for pattern in NOUN_FOLDERS):
        return "noun"
    if folder.as_posix() in SUBJECT_FOLDERS:
        return "subject"
    roles = (pattern for pattern, names in ROLES.items() if path.stem in names and fits(folder, pattern))
    return next(roles, folder.as_posix())


def overworked(paths: Iterable[PurePath]) -> dict[str, list[str]]:
    """File names that stand for more than three things, with those things."""
    things: dict[str, set[str]] = {}
    for path in paths:
        if path.name != "__init__.py":
            things.setdefault(path.name, set()).add(thing(path))
    return {name: sorted(found) for name, found in things.items() if len(found) > 3}


def test_no_file_name_stands_for_more_than_three_things() -> None:
    """So that a name and a guess are enough to find the file."""
    assert overworked(path.relative_to(SOURCE) for path in modules()) == {}


@pytest.mark.parametrize("path", modules(), ids=named)
def test_everything_public_is_documented(path: Path) -> None:
    """Modules, public classes, and public functions at the top of a module or of a public class."""
    tree = parsed(path)
    missing = [] if ast.get_docstring(tree) or not path.read_text("utf-8").strip() else ["the module"]
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name.startswith("_"):
            continue
        if not ast.get_docstring(node):
            missing.append(node.name)
    assert missing == []


# --- the map -----------------------------------------------------------------------------------------------


def mapped() -> set[str]:
    """The paths of the tree in docs/architecture.md, folders with a slash at the end."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    (tree,) = re.findall(r"^```\nsrc/ringback/\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    found: set[str] = set()
    above: list[str] = []
    for line in tree.splitlines():
        indent, name, told = re.fullmatch(r"( +)(\S+) *(.*)", line).groups()  # type: ignore[union-attr]
        if name.startswith("─"):
            continue
        above[len(indent) // 2 - 1 :] = [name]
        assert told, f"{name}: not a word about it"
        found.add("".join(above))
    return found


def test_every_folder_is_on_the_map() -> None:
    """And each file of the kernel, and each at the top; what is on the map exists."""
    packages = {path.parent for path in modules()} - {SOURCE}
    files = [*SOURCE.glob("*.py"), *(SOURCE / "kernel").glob("*.py")]
    there = {
        f"{path.relative_to(SOURCE).as_posix()}/" for path in packages | {one.parent for one in packages}
    }
    there |= {path.relative_to(SOURCE).as_posix() for path in files if not path.name.startswith("__")}
    assert mapped() == there - {"./"}


def test_the_drawn_lanes_are_those_there_are() -> None:
    """Every kind of lane is drawn and no other, and what goes to them is wired."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    (drawing,) = re.findall(r"^flowchart LR\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    arrows = re.findall(r"^ +(\S.*?) -->\|(.+)\| (\w+)$", drawing, re.MULTILINE)
    assert len(arrows) == len(drawing.splitlines())
    (kinds,) = (
        {one.value for one in ast.walk(node.value) if isinstance(one, ast.Constant)}
        for node in parsed(SOURCE / "kernel" / "lane.py").body
        if isinstance(node, ast.Assign) and dotted(node.targets[0]) == "Kind"
    )
    assert {target for _, _, target in arrows} == kinds
    wired = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(parsed(SOURCE / "wiring.py"))
        if isinstance(node, ast.Attribute | ast.Name)
    }
    assert {name for _, names, _ in arrows for name in names.split(", ")} <= wired


# --- the registry folders ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Registry:
    """A folder in which each file is one thing of a kind."""

    folder: str
    """Below src/ringback; ``*`` for each of its folders."""
    page: str
    """The documentation page that has a heading for each item."""


REGISTRIES = (
    Registry("voice/verbs", "docs/reference/verbs.md"),
    Registry("studio/widgets", "docs/reference/widgets.md"),
    Registry("edges/carriers", "docs/reference/carriers.md"),
    Registry("resources/*", "docs/reference/resources.md"),
    Registry("web/nouns/*", "docs/reference/resources.md"),
)


def items() -> list[tuple[Registry, Path]]:
    """Every file of every registry folder; ``_name.py`` is shared by the folder and no item."""
    return [
        (registry, path)
        for registry in REGISTRIES
        for folder in sorted(SOURCE.glob(registry.folder))
        if folder.is_dir()
        for path in sorted(folder.glob("*.py"))
        if not path.name.startswith("_")
    ]


ITEMS = pytest.mark.parametrize(("registry", "path"), items(), ids=[named(path) for _, path in items()])


@ITEMS
def test_registry_item_has_a_docstring(registry: Registry, path: Path) -> None:
    """The first line says what it is."""
    assert (ast.get_docstring(parsed(path)) or "").strip()


@ITEMS
def test_registry_item_has_a_docs_entry(registry: Registry, path: Path) -> None:
    """A heading on the page of its kind; ``make docs`` writes the generated pages."""
    page = ROOT / registry.page
    assert page.exists(), f"{registry.page} is missing: run make docs"
    headings = {
        re.sub(r"\W", "", line).lower()
        for line in page.read_text("utf-8").splitlines()
        if line.startswith("#")
    }
    assert path.stem.replace("_", "") in headings, f"no heading for {path.stem} in {registry.page}"


@functools.cache
def other_tests() -> list[str]:
    """The texts of all test files but this one."""
    found = (ROOT / "tests").rglob("test_*.py")
    return [one.read_text("utf-8") for one in found if one != Path(__file__)]


@ITEMS
def test_registry_item_has_a_test(registry: Registry, path: Path) -> None:
    """A test file of its own, or tests of its folder that speak of it by the name that users know."""
    stem = path.stem
    if (ROOT / "tests" / path.relative_to(SOURCE).parent / f"test_{stem}.py").exists():
        return
    noun = rf"\b({stem}s?|{''.join(word.title() for word in stem.split('_'))}s?)\b"
    spoken = {"voice/verbs": rf"<{stem}\b", "resources/*": noun, "web/nouns/*": noun}.get(
        registry.folder, rf"\b{stem}\b"
    )
    flags = re.IGNORECASE if registry.folder == "voice/verbs" else 0
    assert any(re.search(spoken, text, flags) for text in other_tests()), (
        f"no test speaks of {stem} ({spoken})"
    )


# --- nouns -------------------------------------------------------------------------------------------------


def test_rules_of_nouns_stand_where_their_nouns_do() -> None:
    """``web/nouns/<product>/<noun>.py`` has a namesake in ``resources/``."""
    rules = {path.relative_to(SOURCE / "web" / "nouns") for path in (SOURCE / "web" / "nouns").glob("*/*.py")}
    assert rules <= {path.relative_to(SOURCE / "resources") for path in (SOURCE / "resources").glob("*/*.py")}


@pytest.mark.parametrize("path", sorted((SOURCE / "web" / "rest").glob("*.py")), ids=named)
def test_the_generic_code_names_no_noun(path: Path) -> None:
    """But accounts, which authentication knows."""
    nouns = {
        node.name
        for one in (SOURCE / "resources").rglob("*.py")
        for node in parsed(one).body
        if isinstance(node, ast.ClassDef) and any(dotted(base) == "Record" for base in node.bases)
    }
    assert len(nouns) > 20
    tree = parsed(path)
    said = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    said |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert said & (nouns - {"Account"}) == set()
    known = {one.name for one in imports(tree, package_of(path)) if one.name.startswith("ringback.resources")}
    assert known <= {"ringback.resources.api.account.Account"}


# --- the rules see what they should ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "source"),
    [
        ("voice", "import socket"),
        ("voice", "from time import monotonic"),
        ("voice", "def f():\n    from ringback.taskrouter.task import Task"),
        ("voice", "from ringback.store import store"),
        ("voice", "from ..store import store"),
        ("kernel", "import lxml"),
        ("kernel", "from ringback import events"),
        ("sip", "import asyncio"),
        ("media", "from ringback.edges.media import worker"),
        ("edges", "from ringback.store import store"),
        ("store", "import ringback.app"),
        ("web", "if True:\n    from ringback.runtime import outbox"),
    ],
)
def test_a_wrong_import_is_found(part: str, source: str) -> None:
    """Whatever way it is written."""
    assert len(wrong_imports(part, ast.parse(source), ["ringback", part])) == 1


@pytest.mark.parametrize(
    ("part", "source"),
    [
        (
            "voice",
            "from lxml import etree\nfrom ringback.kernel.sid import is_sid\nfrom ringback import events",
        ),
        ("voice", "from .plan import Plan\nfrom . import plan\nfrom ..kernel import sid"),
        ("store", "import asyncio, time"),
        ("app", "import ringback.voice.call.session, aiohttp"),
        ("web", "from http import HTTPStatus"),
    ],
)
def test_a_right_import_is_left_alone(part: str, source: str) -> None:
    """The rows mean what they say."""
    assert wrong_imports(part, ast.parse(source), ["ringback", part]) == []


@pytest.mark.parametrize("source", ["datetime.datetime.now()", "date.today()", "os.urandom(8)", "uuid4()"])
def test_an_impure_call_is_found(source: str) -> None:
    """By the end of its name."""
    assert len(impure_calls(ast.parse(source))) == 1


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        ("kernel/a.py media/a.py store/a.py", {}),
        ("kernel/a.py media/a.py store/a.py runtime/a.py", {"a.py": ["kernel", "media", "runtime", "store"]}),
        (
            "resources/api/a.py resources/voice/a.py web/nouns/api/a.py taskrouter/requests/a.py store/a.py",
            {},
        ),
        ("events/a.py effects/a.py kernel/a.py store/a.py", {}),
        ("voice/queue/live.py voice/conference/live.py voice/call/live.py voice/dial/live.py", {}),
        (
            "voice/queue/a.py voice/call/a.py voice/dial/a.py web/nouns/a.py",
            {"a.py": ["voice/call", "voice/dial", "voice/queue", "web/nouns"]},
        ),
    ],
)
def test_an_overworked_file_name_is_found(paths: str, found: dict[str, list[str]]) -> None:
    """A noun counts once, and so does a role; the same name elsewhere counts each time."""
    assert overworked(PurePath(path) for path in paths.split()) == found


@pytest.mark.parametrize(
    ("first", "second", "circle"),
    [
        ("import ringback.b", "import ringback.a", True),
        ("from ringback.b import thing", "from . import a", True),
        ("from ringback import b", "def f():\n    from ringback.a import thing", True),
        ("from .b import thing", "if TYPE_CHECKING:\n    from .a import Thing", True),
        ("from ringback.b import thing", "import ringback\nfrom ringback.c import a", False),
        ("from ringback import b", "import_module(f'ringback.{name}')", False),
    ],
)
def test_a_circle_is_found(first: str, second: str, circle: bool) -> None:
    """At any depth of the code; what is collected by name at run time is no import."""
    sources = {"ringback.a": first, "ringback.b": second, "ringback.c": "", "ringback": ""}
    graph = import_graph({name: (ast.parse(text), ["ringback"]) for name, text in sources.items()})
    assert circles(graph) == ([["ringback.a", "ringback.b"]] if circle else [])
