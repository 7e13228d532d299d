"""`make bench` works: its first measurement, with real processes, and its table."""

import json
import subprocess
import sys

import pytest
from django.conf import settings

from registrations.admin.changelist.search import matching
from registrations.models import ApiCall, OpenProblem, Registration
from tests.bench.report import Report, percentile, shown

from . import rows


@pytest.mark.slow
def test_a_clean_registration_is_measured_at_19_writes():
    command = [sys.executable, "-m", "tests.bench", "writes", "--json", "--workers", "2"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    rows = {row["name"]: row["value"] for row in json.loads(line)["rows"]}
    assert rows["writes"] == 19
    assert rows["duplicates"] == rows["violations"] == 0
    assert 0 < rows["reads"] < 19


def test_unknown_measurements_are_refused_by_name():
    command = [sys.executable, "-m", "tests.bench", "wrties"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "wrties" in done.stderr
    assert "writes" in done.stderr


@pytest.mark.parametrize(("percent", "value"), [(50, 10), (95, 19), (100, 20), (1, 1)])
def test_percentiles_are_values_that_were_seen(percent, value):
    assert percentile(list(range(1, 21)), percent) == value


def test_the_table_keeps_its_columns():
    report = Report("Title", "how")
    report.add("short", 7, "calls", "note")
    report.add("a longer name", 0.5, "s")
    report.spread("seen", [3.0, 1.0, 2.0], "ms", "goal")
    report.spread("unseen", [], "ms")
    title, setting, first, second, *_ = report.text().splitlines()
    assert (title, setting) == ("Title", "  (how)")
    assert first.index("calls") == second.rindex("s")
    assert first.index("7") + 1 == second.index("0.500") + 5
    assert [row.value for row in report.rows] == [7, 0.5, 2.0, 3.0, 3.0, "nothing seen"]


@pytest.mark.parametrize(
    ("value", "text"), [(0.12345, "0.123"), (12.3456, "12.3"), (1234.5, "1234"), (7, "7"), ("x", "x")]
)
def test_numbers_are_shown_with_three_digits_or_so(value, text):
    assert shown(value) == text


@pytest.mark.django_db(transaction=True)
def test_copied_registrations_are_like_those_that_the_product_made():
    """Everything that a list reads of a copy has its own identifiers and leads to its own registration."""
    rows.forget()
    patterns = rows.make_patterns()
    rows.grow(3 * rows.PATTERNS)
    assert Registration.objects.count() == 3 * rows.PATTERNS
    copy = Registration.objects.get(pk=patterns[0].pk + rows.step_of(Registration))
    for part in Registration.PARTS:
        assert getattr(copy, part).status == getattr(patterns[0], part).status
    assert copy.stage == patterns[0].stage
    assert copy.brand.sid != patterns[0].brand.sid
    assert len(copy.brand.sid) == 34
    assert list(matching(Registration.objects.all(), f"c{copy.pk}@example.com")) == [copy]
    assert list(matching(Registration.objects.all(), copy.brand.sid)) == [copy]
    failed = OpenProblem.objects.values("registration__stage").distinct()
    assert {row["registration__stage"] for row in failed} == {"brand", "campaign"}
    assert ApiCall.objects.filter(registration=copy, fee__isnull=False).count() == 2
