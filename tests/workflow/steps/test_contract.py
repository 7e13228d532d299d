"""What every step of the step table guarantees: one write, whatever happens around it.

A new step is covered automatically, once support.RECIPES says how a registration gets there.
"""

import json
import re
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from registrations.core import clock
from registrations.models import ApiCall, Event, Registration, RetiredResource
from registrations.models.choices import CallState, Stage, WaitingFor
from registrations.twilio.client import errors
from registrations.workflow.runner import runner
from registrations.workflow.steps import BY_SLUG, REMOVAL_STEPS, STEPS, Read, Watch, Write
from tests.customers import OWNED_NUMBER
from tests.workflow.support import RECIPES, Rejecting, Scenario, personal_data_in

pytestmark = pytest.mark.django_db

SPECS = Path(__file__).resolve().parents[3] / "shared" / "twilio" / "openapi"
TABLE = (*STEPS, *REMOVAL_STEPS)
WRITES = [step.slug for step in TABLE if isinstance(step, Write)]
READS = [step.slug for step in TABLE if isinstance(step, Read)]
# Twilio offers no way to check whether a text was sent, so it is never resent automatically.
WITHOUT_LOOKUP = [step.slug for step in TABLE if isinstance(step, Write) and step.find is None]
# If Twilio rejects these, the object is listed for a person, and the registration continues.
RETIRED_ON_REFUSAL = [step.slug for step in TABLE if isinstance(step, Write) and step.retire_on_refusal]

each_write = pytest.mark.parametrize("slug", WRITES)


def test_every_step_has_a_recipe():
    assert {step.slug for step in TABLE if not isinstance(step, Watch)} == set(RECIPES)
    assert len(BY_SLUG) == len(TABLE)
    assert WITHOUT_LOOKUP == ["brand.send_otp"]


# --- one write --------------------------------------------------------------------------------------------------
@each_write
def test_double_clicks_and_redelivered_jobs_make_one_write(slug, scenario: Scenario, monkeypatch):
    """A second worker and a second Submit arrive while the call is in progress."""
    scenario.reach(slug)
    record_intent = runner._record_intent

    def record_intent_while_others_act(registration, step):
        api_call = record_intent(registration, step)
        if step.slug == slug:
            scenario.ask_again()
            scenario.job()
            scenario.job()
        return api_call

    monkeypatch.setattr(runner, "_record_intent", record_intent_while_others_act)
    scenario.finish()
    for _ in range(3):
        scenario.wake()
        scenario.job()
    assert len(scenario.writes()) == len(scenario.effective()) == 1
    assert scenario.states() == ["ok"]
    assert scenario.harness.violations() == []


@each_write
def test_a_second_worker_that_takes_over_in_mid_call_makes_no_second_write(
    slug, scenario: Scenario, monkeypatch
):
    """The first worker was paused for longer than its lease, after making its call."""
    scenario.reach(slug)
    monkeypatch.setattr(runner, "MIN_SETTLE_SECONDS", 0.4)
    monkeypatch.setattr(runner, "MIN_PAID_SETTLE_SECONDS", 0.4)
    record_success, taken = runner._record_success, []

    def record_success_too_late(registration, token, step, *args, **kwargs):
        if step.slug == slug and not taken:
            taken.append(token)
            Registration.objects.filter(pk=scenario.pk).update(lease_until=clock.now() - timedelta(seconds=1))
            scenario.job()
        return record_success(registration, token, step, *args, **kwargs)

    monkeypatch.setattr(runner, "_record_success", record_success_too_late)
    scenario.job()
    assert scenario.states() == ["unknown"], (
        "the first worker wrote although the registration was no longer its own"
    )
    monkeypatch.setattr(runner, "_record_success", record_success)
    ApiCall.objects.update(lookup_at=clock.now())
    scenario.wake()
    scenario.run(lambda registration: not ApiCall.objects.filter(state__in=("running", "unknown")).exists())
    assert len(scenario.effective()) == 1
    assert scenario.states() == (["lost"] if slug in WITHOUT_LOOKUP else ["found"])


@each_write
def test_a_lost_reply_is_looked_up_not_repeated(slug, scenario: Scenario):
    scenario.reach(slug).spoil("drop_after")
    scenario.run(lambda registration: scenario.states()[-1:] not in ([], ["unknown"], ["running"]))
    scenario.wake()
    scenario.job()
    assert len(scenario.writes()) == len(scenario.effective()) == 1
    assert scenario.states() == (["lost"] if slug in WITHOUT_LOOKUP else ["found"])
    assert scenario.harness.violations() == []


@each_write
def test_a_call_that_was_not_made_is_made_later_and_once(slug, scenario: Scenario):
    """First a 429 with Retry-After, which is respected; then a connection that breaks before Twilio acts."""
    scenario.reach(slug).spoil("429", retry_after=7)
    registration = scenario.job()
    assert registration.waiting_for == WaitingFor.TWILIO
    assert registration.next_run_at - clock.now() > timedelta(seconds=6), "Retry-After was not respected"
    scenario.job()
    assert len(scenario.writes()) == 1, "called again before its time"
    scenario.spoil("drop_before")
    scenario.wake()
    if slug in WITHOUT_LOOKUP:
        for _ in range(4):
            scenario.job()
            ApiCall.objects.update(lookup_at=clock.now())
            scenario.wake()
        assert len(scenario.writes()) == 2, "it may have been sent, so it is never resent automatically"
        assert scenario.states() == ["unavailable", "lost"]
        return
    scenario.finish()
    assert len(scenario.effective()) == 1
    assert len(scenario.writes()) == 3
    assert scenario.states() == ["unavailable", "lost", "ok"]
    assert [api_call.lookup_attempts for api_call in scenario.api_calls()] == [
        0,
        BY_SLUG[slug].lookup_attempts,
        0,
    ]
    assert scenario.harness.violations() == []


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "action",
    ["500_after", "html_after", "truncated", "500", "503", "html", "drop_before", "drop_after", "429"],
)
def test_a_whole_walk_with_every_second_write_spoiled_makes_each_object_once(action, scenario: Scenario):
    scenario.harness.fault(
        method="POST", path=".", action=action, probability=0.5, seed=action, times=0, retry_after=0
    )
    scenario.make(phone_number={"sender_number": OWNED_NUMBER})
    live = scenario.run(lambda registration: registration.stage == Stage.LIVE)
    assert live.stage == Stage.LIVE, live.reason
    assert len(scenario.effective()) == 19
    assert sum(bool(entry["fault"]) for entry in scenario.writes()) >= 4
    counts = scenario.harness.counts()
    assert (counts["duplicates"], counts["violations"]) == ({}, {})


# --- rejections -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("slug", [slug for slug in WRITES if slug not in RETIRED_ON_REFUSAL])
def test_a_rejection_is_shown_and_submit_retries(slug, scenario: Scenario, monkeypatch):
    scenario.reach(slug)
    step, earlier = BY_SLUG[slug], set(ApiCall.objects.values_list("step", flat=True))
    error = errors.Rejected("Bad value +14155559999 given", status=400, code=20001)
    rejecting = Rejecting(runner.get_client(), error)
    with monkeypatch.context() as patched:
        patched.setattr(runner, "get_client", lambda: rejecting)
        scenario.gate.only = ""
        for _ in range(4):
            scenario.wake()
            registration = scenario.job()
    assert rejecting.calls == 1, "a rejected call must not be repeated unchanged"
    assert registration.waiting_for == WaitingFor.US
    assert step.label in registration.reason
    assert "20001" in registration.reason
    assert personal_data_in(registration.reason) == []
    later = set(ApiCall.objects.values_list("step", flat=True)) - earlier
    assert later == {slug}, "steps after a rejected one must not run"
    scenario.gate.only = slug
    scenario.ask_again()
    scenario.finish()
    assert scenario.states() == ["rejected", "ok"]
    assert len(scenario.effective()) == 1


@pytest.mark.parametrize("slug", RETIRED_ON_REFUSAL)
def test_a_rejected_removal_is_listed_and_the_registration_continues(slug, scenario: Scenario, monkeypatch):
    scenario.reach(slug)
    step = BY_SLUG[slug]
    sid = getattr(step.resource(runner.load(scenario.pk)), step.sid_field)
    rejecting = Rejecting(runner.get_client(), errors.Rejected("In use", status=400, code=21646))
    with monkeypatch.context() as patched:
        patched.setattr(runner, "get_client", lambda: rejecting)
        for _ in range(3):
            scenario.wake()
            scenario.job()
    assert rejecting.calls == 1
    assert scenario.states() == ["rejected"]
    assert RetiredResource.objects.filter(registration_id=scenario.pk, sid=sid).count() == 1
    scenario.gate.only = ""
    scenario.wake()
    registration = scenario.run(lambda registration: registration.waiting_for == WaitingFor.NOBODY)
    assert (registration.stage, registration.waiting_for) == (Stage.REMOVED, WaitingFor.NOBODY), (
        registration.reason
    )


# --- what is recorded --------------------------------------------------------------------------------------------
@each_write
def test_parameters_are_published_and_the_api_call_is_complete_and_redacted(slug, scenario: Scenario):
    scenario.reach(slug)
    scenario.finish()
    [entry] = scenario.writes()
    if SPECS.is_dir():
        _assert_published(entry)
    [api_call] = scenario.api_calls()
    step = BY_SLUG[slug]
    assert (api_call.state, api_call.actor) == (CallState.OK, "ann")
    assert api_call.finished_at >= api_call.started_at
    assert api_call.fee == (step.fee() if step.fee else None)
    assert api_call.request_params == {}, "raw inputs stay in the API call"
    if step.sid_field and step.sid_field not in step.resets:
        assert api_call.sid == getattr(step.resource(runner.load(scenario.pk)), step.sid_field) != ""
    api_calls = list(
        ApiCall.objects.values("request", "response", "error_message", "error_details", "traceback")
    )
    events = list(Event.objects.values("text", "data"))
    assert personal_data_in(api_calls) == []
    assert personal_data_in(events) == []
    assert personal_data_in(step.resource(runner.load(scenario.pk)).payload) == []
    assert Event.objects.filter(registration_id=scenario.pk, tag=slug).count() == 1


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
    matching = [
        (template, operation)
        for verb, template, operation in _operations()
        if verb == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+?", template), path)
    ]
    assert matching, f"{method} {path} is not in the published API"
    return min(matching, key=lambda item: item[0].count("{"))[1]


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
def test_a_read_writes_nothing_happens_once_and_survives_errors(slug, scenario: Scenario):
    scenario.reach(slug)
    scenario.harness.fault(method="GET", path=".", action="503", times=1)
    registration = scenario.job()
    if not scenario.gate.held:  # it reads from Twilio
        assert registration.waiting_for == WaitingFor.TWILIO
        scenario.wake()
        scenario.job()
    assert scenario.gate.held, "the registration did not continue"
    assert scenario.writes() == []
    # Only the read's own path counts: existing objects may be polled whenever that is due.
    looked = {entry["path"] for entry in scenario.harness.reads() if entry["status"] == 503}
    read = [entry["path"] for entry in scenario.harness.reads() if entry["path"] in looked]
    scenario.wake()
    scenario.job()
    assert [entry["path"] for entry in scenario.harness.reads() if entry["path"] in looked] == read
