"""Workflow configurations, good and bad (taskrouter.md §5)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringback.taskrouter.configuration import (
    LARGEST,
    Configuration,
    ConfigurationError,
    Filter,
    Target,
    read_configuration,
)
from ringback.taskrouter.expression import compile_expression, compile_order_by

GOLD, SKILL, EVERYONE = ("WQ" + digit * 32 for digit in "123")

SHEET = {
    "task_routing": {
        "filters": [
            {
                "filter_friendly_name": "gold",
                "expression": "tier == 'gold'",
                "targets": [
                    {"queue": GOLD, "known_worker_sid": "task.last_agent", "timeout": 20, "priority": 50},
                    {
                        "queue": SKILL,
                        "expression": "task.lang IN worker.languages",
                        "order_by": "worker.level DESC",
                        "skip_if": "workers.available == 0",
                        "timeout": 120,
                    },
                    {"priority": 80},
                ],
            }
        ],
        "default_filter": {"queue": EVERYONE},
    }
}


def read(document: Any) -> Configuration:
    """The configuration of a document."""
    return read_configuration(json.dumps(document))


def target(index: int, queue: str, **given: Any) -> Target:
    """A target of which only some things were given."""
    rest = dict.fromkeys(("priority", "timeout", "expression", "order_by", "skip_if", "known_worker"))
    return Target(index=index, queue=queue, **{**rest, **given})  # type: ignore[arg-type]


def one_filter(**given: Any) -> dict[str, Any]:
    """A document of one filter with one target."""
    return {"filters": [{"expression": "1==1", "targets": [{"queue": GOLD, **given}]}]}


def test_the_example_of_the_sheet() -> None:
    """Every key at its place; the last target inherits the queue and nothing else."""
    assert read(SHEET) == Configuration(
        filters=(
            Filter(
                "gold",
                compile_expression("tier == 'gold'", "task"),
                (
                    target(0, GOLD, priority=50, timeout=20, known_worker=("sid", "last_agent")),
                    target(
                        1,
                        SKILL,
                        timeout=120,
                        expression=compile_expression("task.lang IN worker.languages", "target"),
                        order_by=compile_order_by("worker.level DESC"),
                        skip_if=compile_expression("workers.available == 0", "counts"),
                    ),
                    target(2, SKILL, priority=80),
                ),
            ),
        ),
        default=target(0, EVERYONE),
        queues=frozenset({GOLD, SKILL, EVERYONE}),
    )


def test_it_is_read_once() -> None:
    """Cached by its text, and immutable."""
    configuration = read(SHEET)
    assert configuration is read(SHEET)
    with pytest.raises(AttributeError):
        configuration.default = None  # type: ignore[misc]
    assert hash(configuration.filters[0].targets[1]) == hash(read(SHEET).filters[0].targets[1])


def test_older_spellings() -> None:
    """No wrapper, ``friendly_name``, numbers as strings."""
    old = read(
        {
            "filters": [
                {
                    "friendly_name": "old",
                    "expression": "a=1",
                    "targets": [
                        {"queue": GOLD, "priority": "10", "timeout": "300"},
                        {"priority": " 0 ", "timeout": 1.0},
                    ],
                }
            ]
        }
    )
    assert old.filters[0].name == "old"
    assert [(one.priority, one.timeout) for one in old.filters[0].targets] == [(10, 300), (0, 1)]
    assert old.default is None


@pytest.mark.parametrize(
    ("document", "filters", "default"),
    [
        ({"default_filter": {"queue": GOLD}}, 0, True),
        ({"filters": None, "default_filter": {"queue": GOLD}}, 0, True),
        ({"filters": [], "default_filter": None}, 0, False),
        ({"task_routing": {}}, 0, False),
        ({"task_routing": {"filters": [], "default_filter": {"queue": GOLD}}}, 0, True),
        ({"task_routing": {**one_filter(), "colour": {"x": [1]}}, "other": 1}, 1, False),
        (
            one_filter(
                colour="blue", timeout=None, priority=None, expression=None, order_by=None, skip_if=None
            ),
            1,
            False,
        ),
        (one_filter(known_worker_sid=None, known_worker_friendly_name="task.name"), 1, False),
    ],
)
def test_what_may_be_absent(document: Any, filters: int, default: bool) -> None:
    """Filters, the default filter, everything but the queue of a target; unknown keys say nothing."""
    configuration = read(document)
    assert (len(configuration.filters), configuration.default is not None) == (filters, default)


def test_default_filter_never_times_out() -> None:
    """Published samples write a timeout there; the hosted service takes it, and the task waits on (§5)."""
    assert read({"default_filter": {"queue": GOLD, "timeout": 5}}).default == target(0, GOLD)


def test_default_filter_may_choose() -> None:
    """Priority, expression, order and skip are allowed there."""
    given = {
        "queue": GOLD,
        "priority": 3,
        "expression": "worker.x == 1",
        "order_by": "worker.x",
        "skip_if": "1==1",
    }
    assert read({"default_filter": given}).default == target(
        0,
        GOLD,
        priority=3,
        expression=compile_expression("worker.x == 1", "target"),
        order_by=compile_order_by("worker.x"),
        skip_if=compile_expression("1==1", "counts"),
    )


def test_queues_are_inherited_from_the_nearest_earlier_target() -> None:
    """Also over several targets; a SID of upper-case digits is the same queue."""
    upper = "WQ" + "AB" * 16
    targets: list[dict[str, Any]] = [{"queue": GOLD}, {}, {"queue": upper}, {"queue": None}, {"timeout": 5}]
    configuration = read({"filters": [{"expression": "a", "targets": targets}]})
    lower = "WQ" + "ab" * 16
    assert [one.queue for one in configuration.filters[0].targets] == [GOLD, GOLD, lower, lower, lower]
    assert [one.index for one in configuration.filters[0].targets] == [0, 1, 2, 3, 4]
    assert configuration.queues == {GOLD, lower}


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ({"known_worker_sid": "task.agent_sid"}, ("sid", "agent_sid")),
        ({"known_worker_sid": "agent_sid"}, ("sid", "agent_sid")),
        ({"known_worker_sid": "task.a.b[0]"}, ("sid", "a.b[0]")),
        ({"known_worker_sid": "task.in"}, ("sid", "in")),
        ({"known_worker_sid": "taskmaster"}, ("sid", "taskmaster")),
        ({"known_worker_friendly_name": "task.agent"}, ("friendly_name", "agent")),
        ({"known_worker_friendly_name": " task . agent "}, ("friendly_name", "agent")),
        ({}, None),
    ],
)
def test_known_worker(given: dict[str, str], known: tuple[str, str] | None) -> None:
    """The path has no prefix, whether or not it was written."""
    assert read(one_filter(**given)).filters[0].targets[0].known_worker == known


def test_a_parking_target() -> None:
    """The delay of section 5.1: nobody matches, for ten minutes."""
    parked = read(one_filter(expression="1==0", timeout=600)).filters[0].targets[0]
    assert parked.expression is not None
    assert not parked.expression({"a": 1}, {"a": 1}, {})
    assert parked.timeout == 600


WHERE = "filters[0].targets[0]"
SECOND = {
    "filters": [{"expression": "1==1", "targets": [{"queue": GOLD}, {"expression": "worker.x-y == 1"}]}]
}

BAD: list[tuple[Any, str]] = [
    ([], "the configuration: must be an object"),
    (None, "the configuration: must be an object"),
    ("x", "the configuration: must be an object"),
    ({}, "neither task_routing, filters nor default_filter"),
    ({"task_routng": {}}, "neither task_routing, filters nor default_filter"),
    ({"task_routing": []}, "task_routing: must be an object"),
    ({"task_routing": None}, "task_routing: must be an object"),
    ({"filters": {}}, "filters: must be an array"),
    ({"filters": [1]}, "filters[0]: must be an object"),
    ({"filters": [{"targets": [{"queue": GOLD}]}]}, "filters[0].expression: is required"),
    (
        {"filters": [{"expression": "", "targets": [{"queue": GOLD}]}]},
        "filters[0].expression: the expression is empty",
    ),
    (
        {"filters": [{"expression": True, "targets": [{"queue": GOLD}]}]},
        "filters[0].expression: must be a string",
    ),
    ({"filters": [{"expression": "1==1"}]}, "filters[0].targets: must have 1 to 100 items, has 0"),
    ({"filters": [{"expression": "1==1", "targets": []}]}, "filters[0].targets: must have 1 to 100 items"),
    ({"filters": [{"expression": "1==1", "targets": {}}]}, "filters[0].targets: must be an array"),
    ({"filters": [{"expression": "1==1", "targets": ["x"]}]}, "filters[0].targets[0]: must be an object"),
    ({"filters": [{"expression": "1==1", "targets": [{}]}]}, f"{WHERE}.queue: is required"),
    ({"filters": [{"expression": "1==1", "targets": [{}, {"queue": GOLD}]}]}, f"{WHERE}.queue: is required"),
    (
        {
            **one_filter(),
            "filters": [{"filter_friendly_name": 5, "expression": "a", "targets": [{"queue": GOLD}]}],
        },
        "filters[0].filter_friendly_name: must be a string",
    ),
    (one_filter(queue="WQ1"), f"{WHERE}.queue: 'WQ1' is not the SID of a queue"),
    (one_filter(queue="WK" + "1" * 32), f"{WHERE}.queue:"),
    (one_filter(queue=GOLD + "1"), f"{WHERE}.queue:"),
    (one_filter(queue=GOLD + "\n"), f"{WHERE}.queue:"),
    (one_filter(queue=5), f"{WHERE}.queue: must be a string"),
    (one_filter(timeout=0), f"{WHERE}.timeout: must be a whole number from 1"),
    (one_filter(timeout=-5), f"{WHERE}.timeout:"),
    (one_filter(timeout="0"), f"{WHERE}.timeout:"),
    (one_filter(timeout="soon"), f"{WHERE}.timeout:"),
    (one_filter(timeout=""), f"{WHERE}.timeout:"),
    (one_filter(timeout=1.5), f"{WHERE}.timeout:"),
    (one_filter(timeout=True), f"{WHERE}.timeout:"),
    (one_filter(timeout=[5]), f"{WHERE}.timeout:"),
    (one_filter(timeout=2**31), f"{WHERE}.timeout:"),
    (one_filter(timeout="9" * 5000), f"{WHERE}.timeout:"),
    (one_filter(timeout="٣"), f"{WHERE}.timeout:"),
    (one_filter(priority=-1), f"{WHERE}.priority: must be a whole number from 0"),
    (one_filter(priority="-1"), f"{WHERE}.priority:"),
    (one_filter(priority=2**31), f"{WHERE}.priority:"),
    (one_filter(priority="high"), f"{WHERE}.priority:"),
    (
        one_filter(expression="skill == 1"),
        f"{WHERE}.expression: 'skill' must begin with task. or worker. at column 1",
    ),
    (
        one_filter(expression="worker.a == "),
        f"{WHERE}.expression: unexpected end, expected a value or an attribute",
    ),
    (one_filter(expression=" "), f"{WHERE}.expression: the expression is empty at column 1"),
    (one_filter(order_by="level"), f"{WHERE}.order_by: 'level' must begin with task. or worker. at column 1"),
    (one_filter(order_by="worker.a UP"), f"{WHERE}.order_by: unexpected 'UP'"),
    (one_filter(skip_if="worker.a == 1"), f"{WHERE}.skip_if: 'worker.a' is not workers.available"),
    (one_filter(skip_if="workers.available =="), f"{WHERE}.skip_if: unexpected end"),
    (one_filter(skip_if=True), f"{WHERE}.skip_if: must be a string"),
    (
        one_filter(known_worker_sid="task.agent-sid"),
        f"{WHERE}.known_worker_sid: '-' cannot be part of a name",
    ),
    (one_filter(known_worker_sid=""), f"{WHERE}.known_worker_sid: unexpected end"),
    (one_filter(known_worker_friendly_name="a == 1"), f"{WHERE}.known_worker_friendly_name: unexpected '=='"),
    (one_filter(known_worker_friendly_name=7), f"{WHERE}.known_worker_friendly_name: must be a string"),
    (
        one_filter(known_worker_sid="a", known_worker_friendly_name="b"),
        f"{WHERE}: has both known_worker_sid and",
    ),
    (SECOND, "filters[0].targets[1].expression: '-' cannot be part of a name"),
    (SECOND, "at column 9"),
    ({"default_filter": {}}, "default_filter.queue: is required"),
    ({"default_filter": []}, "default_filter: must be an object"),
    ({"default_filter": {"queue": "x"}}, "default_filter.queue: 'x' is not"),
    (
        {"default_filter": {"queue": GOLD, "skip_if": "x"}},
        "default_filter.skip_if: 'x' is not workers.available",
    ),
    ({"filters": [one_filter()["filters"][0]] * 1001}, "filters: must have 0 to 1000 items, has 1001"),
    (
        {"filters": [{"expression": "a", "targets": [{"queue": GOLD}] * 101}]},
        "filters[0].targets: must have 1 to 100 items, has 101",
    ),
]


@pytest.mark.parametrize(("document", "message"), [pytest.param(*row, id=row[1][:60]) for row in BAD])
def test_refused_with_its_place(document: Any, message: str) -> None:
    """The message says where, and what."""
    with pytest.raises(ConfigurationError) as caught:
        read(document)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON: Expecting value at line 1, column 1"),
        ("{", "not JSON"),
        ('{"filters": [\n  {"a": 1,}\n]}', "at line 2, column"),
        ('{"filters": NaN}', "NaN is no number"),
        ('{"default_filter": -Infinity}', "-Infinity is no number"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"filters": ' + "9" * 5_000 + "}", "not JSON"),
        (" " * LARGEST + "{}", "larger than 1 MB"),
        ('{"x": "' + "é" * (LARGEST // 2) + '"}', "larger than 1 MB"),
        ("\ufeff{}", "not JSON"),
        ("{} {}", "not JSON"),
    ],
    ids=lambda value: value[:20],
)
def test_text_that_cannot_be_read(text: str, message: str) -> None:
    """Broken, hostile or too large."""
    with pytest.raises(ConfigurationError) as caught:
        read_configuration(text)
    assert message in str(caught.value)


def test_the_largest_that_is_allowed() -> None:
    """A thousand filters in a document of one megabyte to the byte."""
    text = json.dumps({"filters": [one_filter()["filters"][0]] * 1000})
    assert len(read_configuration(text.ljust(LARGEST)).filters) == 1000


KEYS = st.sampled_from(
    ["task_routing", "filters", "default_filter", "expression", "targets", "queue", "priority", "timeout", "order_by",
     "skip_if", "known_worker_sid", "known_worker_friendly_name", "friendly_name", "filter_friendly_name"]
)  # fmt: skip
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8),
    st.sampled_from([GOLD, "1==1", "worker.a", "task.a", "workers.available == 0", "10"]),
)  # fmt: skip
DOCUMENTS = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)


def refusal(text: str) -> ConfigurationError | None:
    """What a text was refused with, if it was."""
    try:
        read_configuration(text)
    except ConfigurationError as error:
        return error
    return None


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS.map(json.dumps) | st.text(max_size=30))
def test_random_documents_never_raise_anything_else(text: str) -> None:
    """A configuration, or a message."""
    error = refusal(text)
    assert error is None or str(error)
