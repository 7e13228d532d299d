"""What every row of the step table owes, whoever wrote it: one write, whatever happens around it.

A new row is covered by itself, once support.RECIPES says how a case comes to it.
"""

import json
import re
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from registrations import clock, pipeline
from registrations.gateway import errors
from registrations.models import Event, Registration, RetiredResource, StepRun
from registrations.states import RunState, Stage, WaitingFor
from registrations.steps import BY_SLUG, REMOVAL_ROWS, ROWS, Read, Watch, Write
from tests.cases import OWNED_NUMBER
from tests.pipeline.support import RECIPES, Refusing, Stand, personal_data_in

pytestmark = pytest.mark.django_db

SPECS = Path(__file__).resolve().parents[3] / "shared" / "twilio" / "openapi"
TABLE = (*ROWS, *REMOVAL_ROWS)
WRITES = [row.slug for row in TABLE if isinstance(row, Write)]
READS = [row.slug for row in TABLE if isinstance(row, Read)]
# Twilio has no way to look whether a text went out: it is never sent again by itself.
BLIND = [row.slug for row in TABLE if isinstance(row, Write) and row.find is None]
# A refusal of these is kept in a list for a person, and the case goes on.
GIVING_UP = [row.slug for row in TABLE if isinstance(row, Write) and row.gives_up]

each_write = pytest.mark.parametrize("slug", WRITES)


def test_every_row_has_a_recipe():
    assert {row.slug for row in TABLE if not isinstance(row, Watch)} == set(RECIPES)
    assert len(BY_SLUG) == len(TABLE)
    assert BLIND == ["brand.send_otp"]


# --- one write --------------------------------------------------------------------------------------------------
@each_write
def test_double_clicks_and_redelivered_jobs_make_one_write(slug, stand: Stand, monkeypatch):
    """A second worker and a second Submit come while the intent stands and the call is under way."""
    stand.reach(slug)
    intend = pipeline._intend

    def intend_in_a_crowd(registration, row):
        run = intend(registration, row)
        if row.slug == slug:
            stand.ask_again()
            stand.job()
            stand.job()
        return run

    monkeypatch.setattr(pipeline, "_intend", intend_in_a_crowd)
    stand.finish()
    for _ in range(3):
        stand.wake()
        stand.job()
    assert len(stand.writes()) == len(stand.effective()) == 1
    assert stand.states() == ["ok"]
    assert stand.desk.violations() == []


@each_write
def test_a_second_worker_that_takes_over_in_mid_call_makes_no_second_write(slug, stand: Stand, monkeypatch):
    """The first worker was asleep for longer than its lease; its call had been made."""
    stand.reach(slug)
    monkeypatch.setattr(pipeline, "MIN_QUIET_SECONDS", 0.4)
    monkeypatch.setattr(pipeline, "MIN_PAID_QUIET_SECONDS", 0.4)
    succeed, taken = pipeline._succeed, []

    def succeed_too_late(registration, token, row, *args, **kwargs):
        if row.slug == slug and not taken:
            taken.append(token)
            Registration.objects.filter(pk=stand.pk).update(lease_until=clock.now() - timedelta(seconds=1))
            stand.job()
        return succeed(registration, token, row, *args, **kwargs)

    monkeypatch.setattr(pipeline, "_succeed", succeed_too_late)
    stand.job()
    assert stand.states() == ["unknown"], "the first worker wrote although the case was no longer its own"
    monkeypatch.setattr(pipeline, "_succeed", succeed)
    StepRun.objects.update(look_at=clock.now())
    stand.wake()
    stand.run(lambda case: not StepRun.objects.filter(state__in=("running", "unknown")).exists())
    assert len(stand.effective()) == 1
    assert stand.states() == (["lost"] if slug in BLIND else ["found"])


@each_write
def test_a_lost_reply_is_looked_up_not_repeated(slug, stand: Stand):
    stand.reach(slug).spoil("drop_after")
    stand.run(lambda case: stand.states()[-1:] not in ([], ["unknown"], ["running"]))
    stand.wake()
    stand.job()
    assert len(stand.writes()) == len(stand.effective()) == 1
    assert stand.states() == (["lost"] if slug in BLIND else ["found"])
    assert stand.desk.violations() == []


@each_write
def test_a_call_that_was_not_made_is_made_later_and_once(slug, stand: Stand):
    """First 429 with Retry-After, which is heeded; then a connection that breaks before Twilio acts."""
    stand.reach(slug).spoil("429", retry_after=7)
    case = stand.job()
    assert case.waiting_for == WaitingFor.TWILIO
    assert case.wake_at - clock.now() > timedelta(seconds=6), "Retry-After was not heeded"
    stand.job()
    assert len(stand.writes()) == 1, "called again before its time"
    stand.spoil("drop_before")
    stand.wake()
    if slug in BLIND:
        for _ in range(4):
            stand.job()
            StepRun.objects.update(look_at=clock.now())
            stand.wake()
        assert len(stand.writes()) == 2, "it may have been sent, and is never sent again by itself"
        assert stand.states() == ["unavailable", "lost"]
        return
    stand.finish()
    assert len(stand.effective()) == 1
    assert len(stand.writes()) == 3
    assert stand.states() == ["unavailable", "lost", "ok"]
    assert [run.looks for run in stand.runs()] == [0, BY_SLUG[slug].looks, 0]
    assert stand.desk.violations() == []


@pytest.mark.parametrize(
    "action",
    ["500_after", "html_after", "truncated", "500", "503", "html", "drop_before", "drop_after", "429"],
)
def test_a_whole_walk_with_every_second_write_spoiled_makes_each_object_once(action, stand: Stand):
    stand.desk.fault(
        method="POST", path=".", action=action, probability=0.5, seed=action, times=0, retry_after=0
    )
    stand.make(phone_number={"sender_number": OWNED_NUMBER})
    live = stand.run(lambda case: case.stage == Stage.LIVE)
    assert live.stage == Stage.LIVE, live.reason
    assert len(stand.effective()) == 19
    assert sum(bool(entry["fault"]) for entry in stand.writes()) >= 4
    counts = stand.desk.counts()
    assert (counts["duplicates"], counts["violations"]) == ({}, {})


# --- their no ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("slug", [slug for slug in WRITES if slug not in GIVING_UP])
def test_a_refusal_becomes_advice_and_submit_tries_again(slug, stand: Stand, monkeypatch):
    stand.reach(slug)
    row, earlier = BY_SLUG[slug], set(StepRun.objects.values_list("step", flat=True))
    error = errors.Rejected("Bad value +14155559999 given", status=400, code=20001)
    no = Refusing(pipeline.get_gateway(), error)
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "get_gateway", lambda: no)
        stand.gate.only = ""
        for _ in range(4):
            stand.wake()
            case = stand.job()
    assert no.asked == 1, "a refused call must not be repeated unchanged"
    assert case.waiting_for == WaitingFor.US
    assert row.label in case.reason
    assert "20001" in case.reason
    assert personal_data_in(case.reason) == []
    later = set(StepRun.objects.values_list("step", flat=True)) - earlier
    assert later == {slug}, "rows behind a refused one must not run"
    stand.gate.only = slug
    stand.ask_again()
    stand.finish()
    assert stand.states() == ["rejected", "ok"]
    assert len(stand.effective()) == 1


@pytest.mark.parametrize("slug", GIVING_UP)
def test_a_refusal_that_ends_nothing_is_kept_for_a_person(slug, stand: Stand, monkeypatch):
    stand.reach(slug)
    row = BY_SLUG[slug]
    sid = getattr(row.mirror(pipeline.load(stand.pk)), row.sid_field)
    no = Refusing(pipeline.get_gateway(), errors.Rejected("In use", status=400, code=21646))
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "get_gateway", lambda: no)
        for _ in range(3):
            stand.wake()
            stand.job()
    assert no.asked == 1
    assert stand.states() == ["rejected"]
    assert RetiredResource.objects.filter(registration_id=stand.pk, sid=sid).count() == 1
    stand.gate.only = ""
    stand.wake()
    case = stand.run(lambda case: case.waiting_for == WaitingFor.NOBODY)
    assert (case.stage, case.waiting_for) == (Stage.REMOVED, WaitingFor.NOBODY), case.reason


# --- what is written down -----------------------------------------------------------------------------------------
@each_write
def test_parameters_are_published_and_the_ledger_is_complete_and_redacted(slug, stand: Stand):
    stand.reach(slug)
    stand.finish()
    [entry] = stand.writes()
    if SPECS.is_dir():
        _assert_published(entry)
    [run] = stand.runs()
    row = BY_SLUG[slug]
    assert (run.state, run.actor) == (RunState.OK, "ann")
    assert run.finished_at >= run.started_at
    assert run.fee == (row.fee() if row.fee else None)
    assert run.basis == {}, "raw inputs stay in the ledger"
    if row.sid_field and row.sid_field not in row.resets:
        assert run.sid == getattr(row.mirror(pipeline.load(stand.pk)), row.sid_field) != ""
    said = list(StepRun.objects.values("request", "response", "error_message", "error_details", "traceback"))
    told = list(Event.objects.values("text", "data"))
    assert personal_data_in(said) == []
    assert personal_data_in(told) == []
    assert personal_data_in(row.mirror(pipeline.load(stand.pk)).payload) == []
    assert Event.objects.filter(registration_id=stand.pk, tag=slug).count() == 1


@cache
def _operations() -> list[tuple[str, str, dict[str, Any]]]:
    found = []
    for file in sorted(SPECS.glob("*.json")):
        for template, methods in json.loads(file.read_text())["paths"].items():
            for method, operation in methods.items():
                if isinstance(operation, dict):
                    found.append((method.upper(), template, operation))
    return found


def _operation(method: str, path: str) -> dict[str, Any]:
    fitting = [
        (template, operation)
        for verb, template, operation in _operations()
        if verb == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+?", template), path)
    ]
    assert fitting, f"{method} {path} is not in the published API"
    return min(fitting, key=lambda item: item[0].count("{"))[1]


def _assert_published(entry: dict[str, Any]) -> None:
    """The call's method, path and parameters are those of Twilio's published API."""
    content = _operation(entry["method"], entry["path"]).get("requestBody", {}).get("content", {})
    schema = content.get("application/x-www-form-urlencoded", {}).get("schema", {})
    known, sent = schema.get("properties", {}), entry["params"]
    assert set(sent) <= set(known)
    assert set(schema.get("required", [])) <= set(sent)
    for name, values in sent.items():
        assert len(values) == 1 or known[name]["type"] == "array"
        if "enum" in known[name]:
            assert set(values) <= set(known[name]["enum"])
        if known[name].get("type") == "boolean":
            assert values[0] in ("true", "false")


# --- reads ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("slug", READS)
def test_a_look_writes_nothing_is_done_once_and_survives_trouble(slug, stand: Stand):
    stand.reach(slug)
    stand.desk.fault(method="GET", path=".", action="503", times=1)
    case = stand.job()
    if not stand.gate.held:  # it takes a look at Twilio
        assert case.waiting_for == WaitingFor.TWILIO
        stand.wake()
        stand.job()
    assert stand.gate.held, "it was not enough to go on"
    assert stand.writes() == []
    # Only the look's own path counts: how what exists stands may be looked at again whenever that is due.
    looked = {entry["path"] for entry in stand.desk.reads() if entry["status"] == 503}
    read = [entry["path"] for entry in stand.desk.reads() if entry["path"] in looked]
    stand.wake()
    stand.job()
    assert [entry["path"] for entry in stand.desk.reads() if entry["path"] in looked] == read
