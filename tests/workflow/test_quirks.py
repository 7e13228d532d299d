"""Whatever Twilio's documentation leaves open may vary: spelling, nulls, paging, lag, errors."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from registrations.models import Brand, Policy
from registrations.models.choices import Stage, WaitingFor
from registrations.operations import actions
from registrations.twilio.client import core, errors, messaging, phone_numbers, trusthub
from registrations.workflow.planner import decisions
from registrations.workflow.runner import runner
from registrations.workflow.steps import conditions
from tests.customers import OWNED_NUMBER, PARTS, make_draft
from tests.workflow.support import SILENT, Scenario, at_otp, calls, steps

pytestmark = pytest.mark.django_db

Body = dict[str, Any]
WORDS = ("status", "identity_status", "campaign_status")


def answers(monkeypatch, change: Callable[[Body], Body]) -> None:
    """Twilio's answers, each changed before our code sees it."""
    outcome = core._outcome

    def changed(exchange):
        failure, body = outcome(exchange)
        return failure, change(body) if body and not failure else body

    monkeypatch.setattr(core, "_outcome", changed)


def each_object(change: Callable[[Body], Body]) -> Callable[[Body], Body]:
    """Lists hold objects too."""

    def whole(body: Body) -> Body:
        for value in list(body.values()):
            if isinstance(value, list):
                for number, item in enumerate(value):
                    if isinstance(item, dict) and "sid" in item:
                        value[number] = change(item)
        return change(body)

    return whole


class Wrapped:
    """A client with some methods replaced."""

    def __init__(self, inner: Any, **methods: Callable[..., Any]) -> None:
        self._inner, self._methods = inner, methods

    def __getattr__(self, name: str) -> Any:
        return self._methods.get(name) or getattr(self._inner, name)


def wrap(monkeypatch, **methods: Callable[..., Any]) -> None:
    real = runner.get_client()
    monkeypatch.setattr(runner, "get_client", lambda: Wrapped(real, **methods))


# --- spelling and shapes -----------------------------------------------------------------------------------------
def lower(body: Body) -> Body:
    return body | {key: body[key].lower() for key in WORDS if isinstance(body.get(key), str)}


def upper(body: Body) -> Body:
    return body | {
        key: body[key].upper().replace("-", "_") for key in WORDS if isinstance(body.get(key), str)
    }


def verbose(body: Body) -> Body:
    return body | {"new_in_2027": {"sid": "XX", "status": "?"}, "tags": ["a"], "links": None, "_type": 7}


def terse(body: Body) -> Body:
    """Nullable values are null, and optional ones are missing."""
    kept = {
        "sid",
        "status",
        "identity_status",
        "campaign_status",
        "friendly_name",
        "object_sid",
        "attributes",
    }
    kept |= {"phone_number", "capabilities", "results", "meta", "data", "email", "date_updated", "tcr_id"}
    kept |= {"customer_profile_bundle_sid", "a2p_profile_bundle_sid", "incoming_phone_numbers", "services"}
    return {key: value for key, value in body.items() if key in kept} | {"errors": None, "links": None}


@pytest.mark.parametrize("change", [lower, upper, verbose, terse])
def test_a_walk_with_other_spellings_and_shapes(scenario: Scenario, monkeypatch, change):
    answers(monkeypatch, each_object(change))
    scenario.make(phone_number={"sender_number": OWNED_NUMBER})
    live = scenario.run(lambda registration: registration.stage == Stage.LIVE)
    assert live.stage == Stage.LIVE, live.reason
    assert len(scenario.effective()) == 19
    assert (live.brand.status, live.brand.identity_status) == ("APPROVED", "VERIFIED")
    assert scenario.harness.violations() == []


@pytest.mark.parametrize("change", [lower, upper])
def test_refusals_in_other_spellings_are_refusals(scenario: Scenario, monkeypatch, change):
    answers(monkeypatch, each_object(change))
    token = " [[once 30893:SAMPLE_MESSAGE_1]]"
    scenario.make(
        profile={"email": "bad-email@harborcrafts.com"},
        trust_bundle={"brand_name": "Quillfeather fail once 30799"},
        campaign={"description": PARTS["campaign"]["description"] + token},
    )
    scenario.stopped(Stage.PROFILE)
    scenario.edit(profile={"email": "wilhelmina.q@harborcrafts.com"})
    scenario.stopped(Stage.BRAND)
    actions.submit(runner.load(scenario.pk), actor="ann")
    registration = scenario.stopped(Stage.CAMPAIGN)
    assert [problem.code for problem in decisions.problems(registration)] == [30893]
    actions.submit(registration, actor="ann")
    live = scenario.run(lambda registration: registration.stage == Stage.LIVE)
    assert live.stage == Stage.LIVE, live.reason
    assert steps(scenario).count("brand.update") == steps(scenario).count("campaign.update") == 1


@pytest.mark.parametrize("style", ["", " event style"])
def test_the_reasons_of_a_brand_are_read_in_either_spelling(scenario: Scenario, style):
    scenario.make(trust_bundle={"brand_name": f"Quillfeather fail 30799{style}"})
    registration = scenario.stopped(Stage.BRAND)
    assert [problem.code for problem in decisions.problems(registration)] == [30799]


@pytest.mark.parametrize(
    "shape", [None, {}, "30799", [None, 7, "x"], [[]], {"error_code": 30799}, [{"code": "30799"}]]
)
def test_odd_shapes_of_errors_never_break_a_registration(scenario: Scenario, monkeypatch, shape):
    scenario.make(trust_bundle={"brand_name": "Quillfeather fail 30799"})

    def odd(body: Body) -> Body:
        return body | {"errors": shape} if body.get("status") == "FAILED" else body

    answers(monkeypatch, odd)
    registration = scenario.stopped(Stage.BRAND)
    found = decisions.problems(registration)
    assert found, "a failed brand always has a problem"
    if "error_code" in json.dumps(shape) or "code" in json.dumps(shape):
        assert found[0].code == 30799
    assert decisions.plan(registration).calls


# --- the brand's other ways ----------------------------------------------------------------------------------------
def test_a_brand_in_review_with_no_identity_is_waited_for(unhurried, scenario: Scenario):
    scenario.make(trust_bundle={"mobile_phone_number": SILENT})
    registration = scenario.run(lambda registration: registration.brand.status == "PENDING")
    scenario.harness.post(
        f"brand/{registration.brand.sid}", action="set", status="IN_REVIEW", identity_status=None
    )
    actions.refresh(registration, actor="ann")
    registration = scenario.run(lambda registration: registration.brand.status == "IN_REVIEW")
    scenario.wake()
    registration = scenario.job()
    assert (registration.stage, registration.waiting_for) == (Stage.BRAND, WaitingFor.TWILIO)
    scenario.harness.post(
        f"brand/{registration.brand.sid}", action="set", status="APPROVED", identity_status=None
    )
    actions.refresh(registration, actor="ann")
    registration = scenario.run(at_otp)
    assert registration.waiting_for == WaitingFor.CUSTOMER


@pytest.mark.parametrize("status", ["FAILED", "APPROVED"])
def test_a_brand_that_is_decided_in_the_very_answer(scenario: Scenario, monkeypatch, status):
    def at_once(body: Body) -> Body:
        # Later answers too: on a slow database the worker looks again within the same job.
        if not str(body.get("sid")).startswith("BN"):
            return body
        identity = "VERIFIED" if status == "APPROVED" else None
        return body | {"status": status, "identity_status": identity, "errors": [{"error_code": 30799}]}

    with monkeypatch.context() as patched:
        answers(patched, at_once)
        scenario.make(trust_bundle={"mobile_phone_number": SILENT})
        registration = scenario.run(lambda registration: bool(registration.brand.sid))
    assert registration.brand.status == status
    assert scenario.harness.counts()["fees"]["brand_fees"] == 1


# --- lists ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def small_pages(monkeypatch) -> None:
    for module in (trusthub, messaging, phone_numbers):
        monkeypatch.setattr(module, "PAGE_SIZE", 1)


@pytest.mark.parametrize("action", ["drop_after", "html_after"])
def test_lost_replies_are_found_on_later_pages(scenario: Scenario, small_pages, action):
    """Other objects come before ours in the lists."""
    others = [make_draft(profile={"email": f"o{n}@harborcrafts.com"}) for n in range(2)]
    for registration in others:
        actions.submit(registration, actor="ann")
        scenario.harness.run(registration.pk, until=at_otp)
    scenario.harness.fault(
        method="POST", path=r"(CustomerProfiles|EndUsers|Documents|Addresses\.json)$", action=action, times=4
    )
    scenario.harness.fault(
        method="POST", path="(TrustProducts|BrandRegistrations|Services)$", action=action, times=3
    )
    before = scenario.harness.counts()
    scenario.make()
    live = scenario.run(lambda registration: registration.stage == Stage.LIVE)
    assert live.stage == Stage.LIVE, live.reason
    made = scenario.harness.counts()
    for kind in ("CustomerProfiles", "TrustProducts", "Addresses", "BrandRegistrations", "Services"):
        assert made[kind] == before[kind] + 1, kind
    assert made["EndUsers"] == before["EndUsers"] + 2
    assert made["duplicates"] == {}


@pytest.mark.parametrize("path", ["CustomerProfiles$", "BrandRegistrations$", "Services$", "EndUsers$"])
def test_a_list_that_shows_a_new_object_only_later(scenario: Scenario, monkeypatch, path):
    """The reply is lost, and the first lookup is too early: the second finds it."""
    asked: Counter[str] = Counter()

    def late(name: str) -> Callable[..., Iterator[Body]]:
        def listing(*args: Any, **kwargs: Any) -> Iterator[Body]:
            asked[name] += 1
            return iter(()) if asked[name] == 1 else getattr(real, name)(*args, **kwargs)

        return listing

    real = runner.get_client()
    names = ("iter_bundles", "iter_brands", "iter_services", "iter_end_users")
    wrap(monkeypatch, **{name: late(name) for name in names})
    scenario.harness.fault(method="POST", path=path, action="drop_after", times=1)
    scenario.make()
    live = scenario.run(lambda registration: registration.stage == Stage.LIVE)
    assert live.stage == Stage.LIVE, live.reason
    counts = scenario.harness.counts()
    assert (counts["duplicates"], counts["BrandRegistrations"], counts["Services"]) == ({}, 1, 1)
    assert sum(asked.values()) == 2
    api_calls = live.api_calls.filter(state="found")
    assert [call.lookup_attempts for call in api_calls] == [1]


# --- what lags -----------------------------------------------------------------------------------------------------
def test_an_object_that_is_not_found_right_after_it_was_made(scenario: Scenario, monkeypatch):
    """A 404 on a new object passes by itself, without a person (docs/twilio.md section 8.1). So does 22205."""
    misses: Counter[str] = Counter()

    def shy(name: str) -> Callable[..., Body]:
        def fetch(*args: Any, **kwargs: Any) -> Body:
            misses[name] += 1
            if misses[name] <= 3:
                if name == "create_assignment" and misses[name] > 1:
                    raise errors.Rejected("Invalid object_sid", status=400, code=22205)
                raise errors.Rejected("Not found", status=404, code=20404)
            return getattr(real, name)(*args, **kwargs)

        return fetch

    real = runner.get_client()
    names = ("create_assignment", "fetch_bundle", "fetch_brand", "fetch_campaign", "fetch_attached_number")
    wrap(monkeypatch, **{name: shy(name) for name in names})
    scenario.make()
    asked_for_us = []
    live = scenario.run(
        lambda registration: asked_for_us.append(registration.waiting_for) or registration.stage == Stage.LIVE
    )
    assert live.stage == Stage.LIVE, live.reason
    assert WaitingFor.US not in asked_for_us
    assert min(misses[name] for name in names) > 3


def noncompliant(*fields: Body, code: int | None = None) -> Body:
    row = {"passed": False, "error_code": code, "failure_reason": "…", "invalid": list(fields), "valid": []}
    return {"sid": "EL" + "1" * 32, "status": "noncompliant", "results": [row]}


LAGS = [
    noncompliant({"object_field": "bundle_status", "error_code": None, "failure_reason": "draft"}),
    noncompliant(code=22214),
    noncompliant({"object_field": "address_sids", "error_code": 22219}, code=22216),
    noncompliant(
        {"object_field": "first_name", "error_code": 22215, "failure_reason": "is missing"},
        {"object_field": "last_name", "error_code": 22215, "failure_reason": "is missing"},
        code=22214,
    ),
]


@pytest.mark.parametrize("kind", ["customer_profile", "trust_product"])
@pytest.mark.parametrize("answer", LAGS)
def test_an_evaluation_that_misses_what_was_just_attached_is_repeated_by_itself(
    scenario: Scenario, monkeypatch, answer, kind
):
    monkeypatch.setattr(conditions, "EVALUATE_AGAIN_LEAST", 0.01)
    real, made = runner.get_client(), []

    def evaluate(of: str, *args: Any, **kwargs: Any) -> Body:
        if of == kind:
            made.append(of)
            if len(made) <= 2:
                return answer | {"sid": f"EL{len(made):032}"}
        return real.create_evaluation(of, *args, **kwargs)

    wrap(monkeypatch, create_evaluation=evaluate)
    scenario.make()
    live = scenario.run(lambda registration: registration.stage == Stage.LIVE)
    assert live.stage == Stage.LIVE, live.reason
    assert len(made) == 3
    assert scenario.harness.violations() == []


def test_an_evaluation_is_believed_after_three_and_asked_again_by_submit(scenario: Scenario, monkeypatch):
    monkeypatch.setattr(conditions, "EVALUATE_AGAIN_LEAST", 0.01)
    made: list[int] = []

    def evaluate(*args: Any, **kwargs: Any) -> Body:
        made.append(1)
        return LAGS[0] | {"sid": f"EL{len(made):032}"}

    wrap(monkeypatch, create_evaluation=evaluate)
    scenario.make()
    registration = scenario.stopped(Stage.PROFILE)
    assert len(made) == 3
    assert "evaluation" in registration.reason
    actions.submit(registration, actor="ann")
    scenario.run()
    assert len(made) == 6
    assert "profile.submit" not in steps(scenario)


# --- errors of all kinds -------------------------------------------------------------------------------------------
@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "action", ["429", "500", "502", "503", "html", "drop_before", "truncated", "html_after"]
)
def test_a_walk_whose_reads_fail_again_and_again(scenario: Scenario, action):
    scenario.harness.fault(
        method="GET", path=".", action=action, probability=0.4, seed=action, times=0, retry_after=0
    )
    scenario.make(phone_number={"sender_number": OWNED_NUMBER})
    live = scenario.run(lambda registration: registration.stage == Stage.LIVE)
    assert live.stage == Stage.LIVE, live.reason
    assert len(scenario.effective()) == 19
    assert scenario.harness.violations() == []


def test_429_without_retry_after_is_waited_out(scenario: Scenario):
    scenario.harness.fault(
        method="POST", path=".", action="error", status=429, code=20429, probability=0.5, seed="q", times=0
    )
    scenario.make()
    live = scenario.run(lambda registration: registration.stage == Stage.LIVE)
    assert live.stage == Stage.LIVE, live.reason
    assert len(scenario.effective()) == 19


def test_a_refusal_has_the_object_looked_at_again(scenario: Scenario):
    """Somebody resubmitted the brand in the Console: Twilio rejects ours (21725), and we see why."""
    scenario.make(trust_bundle={"brand_name": "Quillfeather fail once 30799"})
    registration = scenario.stopped(Stage.BRAND)
    scenario.harness.post(f"brand/{registration.brand.sid}", action="approve")
    looks = len(calls(scenario, "GET", "/a2p/BrandRegistrations"))
    actions.submit(registration, actor="ann")
    live = scenario.run(lambda registration: registration.stage == Stage.LIVE)
    assert live.stage == Stage.LIVE, live.reason
    assert [call.error_code for call in live.api_calls.filter(step="brand.update")] == [21725]
    assert len(calls(scenario, "GET", "/a2p/BrandRegistrations")) > looks
    assert Brand.objects.get().resubmissions == 0


# --- policies --------------------------------------------------------------------------------------------------------
def test_registrations_that_start_together_read_each_policy_once(scenario: Scenario, monkeypatch):
    """A second registration starts while the first one's read is under way."""
    other = make_draft(profile={"email": "other@harborcrafts.com"})
    actions.submit(other, actor="ann")
    real, asked = runner.get_client(), []

    def fetch(sid: str) -> Body:
        asked.append(sid)
        if len(asked) == 1:
            scenario.harness.advance(other.pk)
        return real.fetch_policy(sid)

    wrap(monkeypatch, fetch_policy=fetch)
    scenario.make()
    scenario.job()
    assert sorted(asked) == sorted(
        Policy.objects.filter(payload__sid__isnull=False).values_list("sid", flat=True)
    )
    assert len(asked) == 2
    assert runner.load(other.pk).profile.sid, "it continued meanwhile"


def test_a_policy_whose_read_failed_is_read_by_the_next_one(scenario: Scenario):
    scenario.harness.fault(method="GET", path="Policies", action="503", times=1)
    scenario.make()
    scenario.job()
    assert not Policy.objects.exclude(payload={}).exists()
    scenario.wake()
    scenario.job()
    assert Policy.objects.exclude(payload={}).count() == 2
