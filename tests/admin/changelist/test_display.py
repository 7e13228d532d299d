"""How values look: never by colour alone, never unescaped, never a crash."""

import doctest
from datetime import timedelta

import pytest
from django.utils import timezone

from registrations.admin.changelist import display
from registrations.admin.registration import otp, prices
from registrations.models.choices import CallState, Stage, WaitingFor
from registrations.workflow import prices as fees
from registrations.workflow import spending


@pytest.mark.parametrize("module", [display, fees, spending, otp, prices])
def test_examples_in_docstrings(module):
    assert doctest.testmod(module).failed == 0


def test_every_state_of_ours_has_a_severity():
    assert set(display.CALL_SEVERITIES) == set(CallState)
    assert set(display.WAITING_SEVERITIES) == set(WaitingFor)
    tables = (display.CALL_SEVERITIES, display.WAITING_SEVERITIES, display.STAGE_SEVERITIES)
    severities = {severity for table in tables for severity in table.values()}
    assert severities <= set(display.ICONS)


@pytest.mark.parametrize("stage", list(Stage))
def test_chips_have_icon_and_word(stage):
    chip = display.stage_chip(stage)
    assert "<svg" in chip
    assert Stage(stage).label in chip


def test_unknown_words_become_questions():
    for chip in (display.stage_chip("<new>"), display.call_chip("<new>"), display.step_chip("<new>")):
        assert "chip-unknown" in chip
        assert "&lt;new&gt;" in chip


def test_every_icon_that_is_named_is_drawn():
    from django.contrib.staticfiles import finders

    drawn = open(finders.find("a2p/icons.svg")).read()  # noqa: SIM115
    for name in {
        *display.ICONS.values(),
        "copy",
        "external",
        "chevron",
        "search",
        "filter",
        "flask",
        "menu",
        "user",
    }:
        assert f'id="{name}"' in drawn, name


def test_relative_times():
    now = timezone.now()
    assert display.relative(now) == "just now"
    assert display.relative(now - timedelta(minutes=5, seconds=1)) == "5 min ago"
    assert display.relative(now + timedelta(hours=2, minutes=1)) == "in 2 h"
    assert "title=" in display.when(now)
    assert "—" in display.when(None)


@pytest.mark.parametrize(
    "errors", [None, "", [], {}, "text", 5, [None], [[]], {"code": 1}, [{"error_code": None}]]
)
def test_upstream_errors_of_any_shape(errors):
    for row in display.upstream_errors(errors):
        assert set(row) == {"code", "text"}


def test_upstream_errors_are_shown_in_words():
    items = [{"code": 18603}, {"registrationerrorcode": "30886", "registrationerrordescription": "Vague."}]
    assert [(row["code"], row["text"]) for row in display.upstream_errors([*items, "30793"])] == [
        ("18603", "Address not verified"),
        ("30886", "Vague."),
        ("30793", "Connected bundles are wrong or incomplete"),
    ]


def test_a_sid_is_escaped_and_linked():
    link = display.sid_link('MG"><script>')
    assert "<script>" not in link
    assert display.sid_link("") == ""
