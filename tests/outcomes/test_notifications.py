"""The eight notifications and their texts (call-outcomes.md §7, §8 no. 7 and 10)."""

from __future__ import annotations

import pytest

from ringback.kernel.outcome import NOTIFICATIONS
from ringback.outcomes.notifications import DEFAULTS, REDIAL_KEY, REGISTRY, fill, render, texts

GENERIC_KEY = "OutboundCallFailedNotificationTitle"


def test_the_registry_is_the_sheets() -> None:
    prefix = "OutboundCallFailedNotificationTitle"
    assert {kind.id: (kind.key.removeprefix(prefix), kind.codes) for kind in REGISTRY.values()} == {
        "OutboundCallCanceledBusy": ("Busy", (45303,)),
        "OutboundCallCanceledNoAnswer": ("NoAnswer", (45305,)),
        "OutboundCallCanceledInvalidNumber": ("InvalidNumber", (13223, 21211)),
        "OutboundCallCanceledDisabledCountry": ("DisabledCountry", (13227, 21215)),
        "OutboundCallCanceledFromNumberUnverified": ("FromNumberUnverified", (21210,)),
        "OutboundCallCanceledToNumberBlocked": ("ToNumberBlocked", (21216,)),
        "OutboundCallCanceledToNumberUnverified": ("ToNumberUnverified", (21219,)),
        "OutboundCallCanceledGeneric": ("", ()),
    }
    assert set(NOTIFICATIONS.values()) < set(REGISTRY)
    assert len(DEFAULTS) == 9


def test_each_code_renders_its_own_notification() -> None:
    for code, name in NOTIFICATIONS.items():
        shown = render(code)
        assert shown is not None
        assert (shown.id, shown.text, shown.type) == (name, REGISTRY[name].default, "warning")


@pytest.mark.parametrize("code", [None, 45302, 45306, 45307])
def test_ordinary_disconnects_are_not_told(code: int | None) -> None:
    assert render(code) is None


@pytest.mark.parametrize("code", [45301, 99999])
def test_generic_has_the_code(code: int) -> None:
    shown = render(code)
    assert shown is not None
    assert (shown.context, str(code) in shown.text) == ({"reasonCode": str(code)}, True)


def test_another_text_changes_the_text_alone() -> None:
    """Key and action stay; the code goes into another generic text, and into no other notification's."""
    table = texts({
        GENERIC_KEY: "Failed (Error {{reasonCode}}).", GENERIC_KEY + "Busy": "Engaged {{ reasonCode }}!",
        REDIAL_KEY: "Again",
    })  # fmt: skip
    generic, busy = render(45301, table), render(45303, table)
    assert generic is not None
    assert busy is not None
    assert (generic.text, busy.text) == ("Failed (Error 45301).", "Engaged !")
    assert [dict(each) for each in busy.actions] == [{"name": "redial", "key": REDIAL_KEY, "label": "Again"}]
    assert generic.actions == ()


def test_a_missing_translation_falls_back_to_english() -> None:
    shown = render(21216, {GENERIC_KEY: "x"})
    assert shown is not None
    assert shown.text == DEFAULTS[shown.key]
    assert shown.context == {"canceledReasonCode": "21216"}


def test_templates() -> None:
    assert fill("{{a}} {{{a}}} {{ b }} {{c.d}} {a} {{", {"a": "1"}) == "1 1   {a} {{"
    assert fill("{{a}}", {"a": "{{b}}", "b": "no"}) == "{{b}}"


@pytest.mark.parametrize(
    "bad", [{"Nonsense": "x"}, {GENERIC_KEY: ""}, {GENERIC_KEY: "x" * 1001}, {GENERIC_KEY: 5}]
)
def test_bad_texts_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Outbound"):
        texts(bad)
