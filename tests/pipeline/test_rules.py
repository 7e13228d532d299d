"""The rules of Twilio's facts, each seen from outside: what the sandbox was asked, when, and what the case says."""

from datetime import timedelta
from decimal import Decimal

import pytest

from registrations import clock, pipeline, planning, verbs
from registrations.gateway import errors
from registrations.models import Brand, Campaign, Event, Profile, Registration, StepRun
from registrations.states import RunState, Stage, WaitingFor
from registrations.steps import BY_SLUG
from tests.cases import OWNED_NUMBER_SID, PARTS, make_case
from tests.pipeline.support import OTHER_NUMBER_SID, SECRETS, SILENT, Refusing, Stand, personal_data_in

pytestmark = pytest.mark.django_db

SCALE = 0.001


@pytest.fixture
def unhurried(settings):
    """Our waits ten times the sandbox's, so that no slow machine makes a job find them over already."""
    settings.A2P_TIME_SCALE = 10 * SCALE


def steps(stand: Stand) -> list[str]:
    return list(
        StepRun.objects.filter(registration_id=stand.pk).order_by("id").values_list("step", flat=True)
    )


def calls(stand: Stand, method: str, path: str) -> list[dict]:
    return [entry for entry in stand.desk.log() if entry["method"] == method and path in entry["path"]]


def at_otp(case: Registration) -> bool:
    return case.stage == Stage.OTP


# --- order and settle waits --------------------------------------------------------------------------------------
def test_order_of_the_walk_and_its_settle_waits(stand: Stand):
    stand.make()
    assert stand.run().stage == Stage.LIVE
    submits = calls(stand, "POST", "/CustomerProfiles/BU") + calls(stand, "POST", "/TrustProducts/BU")
    profile, bundle = [entry for entry in submits if "Status" in entry["params"]]
    [brand] = calls(stand, "POST", "/a2p/BrandRegistrations")
    [first_bundle_call] = [
        e for e in calls(stand, "POST", "/TrustProducts") if e["path"].endswith("Products")
    ]
    [campaign] = calls(stand, "POST", "/Usa2p")
    assert first_bundle_call["at"] - profile["at"] >= 30 * SCALE
    assert brand["at"] - bundle["at"] >= 30 * SCALE
    [look] = calls(stand, "GET", "/CustomerProfiles/BU")
    assert profile["at"] + 30 * SCALE <= look["at"] <= first_bundle_call["at"]
    [look] = calls(stand, "GET", "/TrustProducts/BU")
    assert bundle["at"] + 30 * SCALE <= look["at"] <= brand["at"]
    verified = Brand.objects.get().verified_at.timestamp()
    assert campaign["at"] >= verified - 0.001
    assert calls(stand, "GET", "/a2p/BrandRegistrations")[0]["at"] - brand["at"] >= 30 * SCALE
    assert stand.desk.violations() == []


def test_the_brand_is_not_bought_while_the_settle_window_runs(stand: Stand, settings):
    settings.A2P_TIME_SCALE = 1.0
    stand.make()
    case = stand.job()
    assert steps(stand)[-1] == "profile.submit"
    assert case.waiting_for == WaitingFor.TWILIO
    assert timedelta(seconds=29) < case.wake_at - clock.now() <= timedelta(seconds=30)
    Registration.objects.update(wake_at=clock.now())
    early = stand.job()
    assert early.wake_at == case.profile.next_poll_at
    assert calls(stand, "GET", "/CustomerProfiles/BU") == []


def test_no_campaign_before_the_customer_said_yes(stand: Stand):
    stand.make(trust_bundle={"mobile_phone_number": SILENT})
    case = stand.run(at_otp)
    assert (case.stage, case.waiting_for) == (Stage.OTP, WaitingFor.CUSTOMER)
    looks = len(calls(stand, "GET", "/a2p/BrandRegistrations"))
    for _ in range(3):
        stand.wake()
        Brand.objects.update(next_poll_at=clock.now())
        case = stand.job()
    assert len(calls(stand, "GET", "/a2p/BrandRegistrations")) == looks + 3
    assert case.stage == Stage.OTP
    assert "campaign.create_service" not in steps(stand)
    stand.desk.answer_yes()
    assert stand.run().stage == Stage.LIVE


@pytest.mark.parametrize("word", ["SELF_DECLARED", "UNVERIFIED", "A_WORD_OF_NEXT_YEAR", ""])
def test_any_identity_but_verified_means_the_yes_is_owed(stand: Stand, word):
    name = "Quillfeather self declared" if word == "SELF_DECLARED" else "Quillfeather Kites"
    stand.make(trust_bundle={"mobile_phone_number": SILENT, "brand_name": name})
    case = stand.run(at_otp)
    if word not in ("SELF_DECLARED", "UNVERIFIED"):
        Brand.objects.update(identity_status=word)
    else:
        assert case.brand.identity_status == word
    case = pipeline.load(stand.pk)
    summary = planning.summarize(case, clock.now())
    assert (summary.stage, summary.waiting_for) == (Stage.OTP, WaitingFor.CUSTOMER)


# --- stops before money ------------------------------------------------------------------------------------------
def test_a_noncompliant_evaluation_stops_before_the_submission_and_names_the_fields(stand: Stand):
    stand.gate.before = "profile.evaluate"
    stand.make()
    stand.run()
    # Somebody removed the attribute at Twilio: only its own evaluation can tell.
    end_user = Profile.objects.get().end_user_sid
    with stand.desk.sandbox.world.lock:
        row = stand.desk.sandbox.world.store.get("EndUsers", end_user)
        del row["attributes"]["email"]
        stand.desk.sandbox.world.store.put("EndUsers", end_user, row)
    stand.gate.before = ""
    stand.wake()
    case = stand.run()
    assert (case.stage, case.waiting_for) == (Stage.PROFILE, WaitingFor.US)
    assert "profile.submit" not in steps(stand)
    assert case.profile.evaluation_status == "noncompliant"
    assert "email" in [problem.field for problem in planning.problems(case)]
    assert case.wake_at is None
    case.refresh_from_db()
    verbs.submit(case, actor="ann")
    again = stand.run()
    assert steps(stand).count("profile.evaluate") == 2, "one evaluation a Submit"
    assert again.waiting_for == WaitingFor.US


def test_a_rejected_profile_stops_before_the_brand_and_its_edit_goes_on(stand: Stand):
    stand.make(profile={"email": "bad-email@harborcrafts.com"})
    case = stand.stopped(Stage.PROFILE)
    assert case.profile.status == "twilio-rejected"
    assert stand.desk.counts()["BrandRegistrations"] == 0
    stand.edit(profile={"email": SECRETS["email"]})
    assert stand.run().stage == Stage.LIVE
    assert steps(stand).count("profile.submit") == 2
    assert stand.desk.counts()["fees"]["brand_fees"] == 1
    assert stand.desk.violations() == []


def test_a_sender_that_is_not_ours_stops_before_the_brand(stand: Stand):
    stand.make(phone_number={"sender_number": "+14155550999"})
    case = stand.stopped(Stage.BRAND)
    assert "not among your Twilio numbers" in case.reason
    assert stand.desk.counts()["BrandRegistrations"] == 0
    stand.edit(phone_number={"sender_number": OWNED_NUMBER_SID})
    assert stand.run().stage == Stage.LIVE


def test_buying_waits_for_the_confirmed_price(stand: Stand):
    stand.make(phone_number={"sender_number": "", "area_code": "415"})
    case = stand.stopped(Stage.NUMBER)
    assert "Confirm" in case.reason
    assert stand.desk.counts()["fees"]["numbers_bought"] == 0
    verbs.confirm_purchase(case, actor="ann")
    live = stand.run()
    assert live.stage == Stage.LIVE, live.reason
    assert stand.desk.counts()["fees"]["numbers_bought"] == 1
    assert live.phone_number.phone_number.startswith("+1415")


def test_two_customers_who_buy_in_one_area_at_once_both_get_a_number(stand: Stand, monkeypatch):
    """Between the search and the purchase somebody else may take the number."""
    stand.reach("number.buy")
    gateway = pipeline.get_gateway()
    offers = gateway.search_numbers("US", area_code="415", sms_enabled=True, limit=1)
    search = type(gateway).search_numbers
    asked: list[int] = []

    def stale_at_first(self, *args, **kwargs):
        asked.append(1)
        return offers if len(asked) == 1 else search(self, *args, **kwargs)

    gateway.buy_number(phone_number=offers[0]["phone_number"], friendly_name="somebody else's")
    monkeypatch.setattr(type(gateway), "search_numbers", stale_at_first)
    stand.gate.only = ""
    live = stand.run()
    assert live.stage == Stage.LIVE, live.reason
    assert live.phone_number.phone_number != offers[0]["phone_number"]


def test_a_sender_that_gives_way_to_an_area_code_is_not_attached(stand: Stand):
    stand.make(trust_bundle={"mobile_phone_number": SILENT})
    stand.run(at_otp)
    stand.edit(phone_number={"sender_number": "", "area_code": "415"})
    verbs.confirm_purchase(pipeline.load(stand.pk), actor="ann")
    stand.desk.answer_yes()
    live = stand.run()
    assert live.stage == Stage.LIVE, live.reason
    assert live.phone_number.sid != OWNED_NUMBER_SID
    assert stand.desk.counts()["fees"]["numbers_bought"] == 1


def test_another_sender_takes_the_place_of_the_first(stand: Stand):
    stand.make()
    assert stand.run().stage == Stage.LIVE
    stand.edit(phone_number={"sender_number": OTHER_NUMBER_SID})
    live = stand.run()
    assert (live.stage, live.phone_number.sid) == (Stage.LIVE, OTHER_NUMBER_SID)
    assert stand.desk.counts()["ServicePhoneNumbers"] == 1


# --- edits -------------------------------------------------------------------------------------------------------
def test_an_edit_is_not_sent_before_submit(stand: Stand):
    stand.make(profile={"email": "bad-email@harborcrafts.com"})
    case = stand.stopped(Stage.PROFILE)
    before = len(stand.desk.writes())
    assert verbs.edit(case, {"profile": {"email": SECRETS["email"]}}, actor="ann")
    stand.wake()
    case = stand.job()
    assert len(stand.desk.writes()) == before
    assert case.waiting_for == WaitingFor.US
    assert "Submit" in case.reason
    verbs.submit(case, actor="ann")
    assert stand.run().stage == Stage.LIVE


def test_an_edit_in_mid_walk_stops_the_writes_until_submit(stand: Stand):
    stand.gate.before = "trust_bundle.create"
    stand.make()
    case = stand.run()
    verbs.edit(case, {"trust_bundle": {"brand_name": "Quillfeather Two"}}, actor="ann")
    stand.gate.before = ""
    stand.wake()
    stand.job()
    assert "trust_bundle.create" not in steps(stand)
    verbs.submit(case, actor="ann")
    assert stand.run().stage == Stage.LIVE


def test_an_edit_while_the_brand_is_pending_waits_for_its_end(unhurried, stand: Stand):
    stand.make(trust_bundle={"mobile_phone_number": SILENT})
    case = stand.run(lambda case: case.brand.status == "PENDING")
    Brand.objects.update(next_poll_at=clock.now() + timedelta(seconds=5))
    before = len(stand.desk.writes())
    stand.edit(profile={"first_name": "Willa"})
    case = stand.job()
    assert len(stand.desk.writes()) == before, "a brand under review must be left alone"
    assert case.waiting_for == WaitingFor.TWILIO
    Brand.objects.update(next_poll_at=clock.now())
    stand.wake()
    stand.run(at_otp)
    stand.run(lambda case: steps(stand).count("trust_bundle.submit") == 2)
    assert "profile.update_end_user" in steps(stand)
    assert "brand.update" not in steps(stand), "an approved brand cannot be updated (21725)"
    assert stand.desk.violations() == []


def test_a_failed_brand_is_resubmitted_after_the_bundles_and_no_second_one_is_made(stand: Stand):
    stand.make(trust_bundle={"brand_name": "Quillfeather fail 30799"})
    case = stand.stopped(Stage.BRAND)
    assert case.brand.status == "FAILED"
    stand.edit(trust_bundle={"brand_name": "Quillfeather Kites"})
    live = stand.run()
    assert live.stage == Stage.LIVE, live.reason
    assert live.brand.resubmissions == 1
    counts = stand.desk.counts()
    assert (counts["BrandRegistrations"], counts["fees"]["brand_fees"]) == (1, 1)
    tail = steps(stand)[steps(stand).index("brand.create") + 1 :]
    assert tail[:4] == [
        "trust_bundle.update_end_user",
        "trust_bundle.evaluate",
        "trust_bundle.submit",
        "brand.update",
    ]
    assert stand.desk.violations() == []


def test_brand_resubmissions_end_after_three(unhurried, stand: Stand):
    stand.make(trust_bundle={"brand_name": "Quillfeather fail 30799"})
    case = stand.stopped(Stage.BRAND)
    for _ in range(3):
        verbs.submit(case, actor="ann")
        stand.run(lambda case: case.brand.status == "PENDING")
        case = stand.stopped(Stage.BRAND)
    verbs.submit(case, actor="ann")
    case = stand.stopped(Stage.BRAND)
    assert steps(stand).count("brand.update") == 3
    assert "21724" in case.reason
    assert "21724" in " ".join(planning.plan(case).blockers)


def test_30793_cannot_be_resubmitted_and_says_so(unhurried, stand: Stand):
    stand.make()
    stand.run(lambda case: case.brand.status == "PENDING")
    stand.desk.post(f"brand/{Brand.objects.get().sid}", action="reject", code=30793)
    Brand.objects.update(next_poll_at=clock.now())
    stand.wake()
    case = stand.stopped(Stage.BRAND)
    verbs.submit(case, actor="ann")
    case = stand.stopped(Stage.BRAND)
    assert "30793" in case.reason
    assert "brand.update" not in steps(stand)
    assert stand.desk.counts()["BrandRegistrations"] == 1


def test_a_failed_campaign_is_edited_in_place_when_only_editable_fields_changed(stand: Stand):
    token = " [[30886:USE_CASE_DESCRIPTION]]"
    stand.make(campaign={"description": PARTS["campaign"]["description"] + token})
    case = stand.stopped(Stage.CAMPAIGN)
    assert [problem.field for problem in planning.problems(case)] == ["description"]
    stand.edit(campaign={"description": PARTS["campaign"]["description"]})
    live = stand.run()
    assert live.stage == Stage.LIVE, live.reason
    assert len(calls(stand, "POST", "/Usa2p/QE")) == 1
    assert calls(stand, "DELETE", "/Usa2p") == []
    assert stand.desk.counts()["Services"] == 1


def test_changed_keywords_mean_delete_five_seconds_and_create(stand: Stand):
    stand.make(campaign={"description": PARTS["campaign"]["description"] + " [[once 30890:HELP_MESSAGE]]"})
    stand.stopped(Stage.CAMPAIGN)
    stand.edit(
        campaign={"help_keywords": "HELP, ASSIST", "description": PARTS["campaign"]["description"]},
    )
    planned = [call.slug for call in planning.plan(pipeline.load(stand.pk)).calls]
    assert planned[:2] == ["campaign.delete", "campaign.create"]
    live = stand.run()
    assert live.stage == Stage.LIVE, live.reason
    [deleted] = calls(stand, "DELETE", "/Usa2p/QE")
    created = calls(stand, "POST", "/Usa2p")[-1]
    assert created["at"] - deleted["at"] >= 5 * SCALE
    assert created["params"]["HelpKeywords"] == ["HELP", "ASSIST"]
    assert calls(stand, "POST", "/Usa2p/QE") == []
    assert stand.desk.violations() == []


# --- hold, and words nobody knows -----------------------------------------------------------------------------
def test_hold_stops_writes_and_looks_until_released(stand: Stand):
    stand.gate.before = "trust_bundle.create"
    stand.make()
    case = stand.run()
    stand.gate.before = ""
    verbs.hold(case, reason="Asked by phone", actor="ann")
    seen = len(stand.desk.log())
    stand.wake()
    held = stand.job()
    assert len(stand.desk.log()) == seen
    assert held.waiting_for == WaitingFor.US
    assert "Asked by phone" in held.reason
    with pytest.raises(verbs.Refused, match="hold"):
        verbs.submit(held, actor="ann")
    verbs.release(held, actor="ann")
    assert stand.run().stage == Stage.LIVE


@pytest.mark.parametrize(
    ("kind", "model", "column", "field"),
    [
        ("CustomerProfiles", Profile, "sid", "status"),
        ("BrandRegistrations", Brand, "sid", "status"),
        ("Usa2p", Campaign, "service_sid", "campaign_status"),
    ],
)
def test_a_status_that_nobody_knows_is_kept_and_waited_out(
    unhurried, stand: Stand, kind, model, column, field
):
    stand.make()
    stand.run(lambda case: bool(getattr(getattr(case, model._meta.model_name), "submitted_at", None))
              if model is not Brand else bool(case.brand.sid))  # fmt: skip
    key = getattr(model.objects.get(), column)
    world = stand.desk.sandbox.world
    with world.lock:
        row = world.store.get(kind, key)
        row.update({field: "meditating", "_round": row["_round"] + 1})
        world.store.put(kind, key, row)
    model.objects.update(next_poll_at=clock.now())
    stand.wake()
    case = stand.job()
    assert model.objects.get().status == "meditating"
    assert case.waiting_for == WaitingFor.TWILIO
    assert case.wake_at
    assert planning.board(case, clock.now())


# --- gone and back ----------------------------------------------------------------------------------------------
def test_a_brand_that_twilio_does_not_find_is_told_and_seen_again(stand: Stand):
    stand.make(trust_bundle={"mobile_phone_number": SILENT})
    stand.run(at_otp)
    sid = Brand.objects.get().sid
    world = stand.desk.sandbox.world
    with world.lock:
        row = world.store.get("BrandRegistrations", sid)
        world.store.delete("BrandRegistrations", sid)
    Brand.objects.update(next_poll_at=clock.now())
    stand.wake()
    case = stand.job()
    assert case.waiting_for == WaitingFor.TWILIO, "a 404 may pass by itself"
    case = stand.run(lambda case: bool(case.brand.gone_at) and case.waiting_for == WaitingFor.US)
    assert case.brand.gone_at
    assert "no longer" in case.reason
    assert stand.desk.counts()["BrandRegistrations"] == 0, "never a second brand by itself"
    with world.lock:
        world.store.put("BrandRegistrations", sid, row)
    verbs.refresh(case, actor="ann")
    case = stand.run(lambda case: case.waiting_for == WaitingFor.CUSTOMER)
    assert case.brand.gone_at is None


def test_a_decision_that_is_reversed_is_noticed_by_refresh_and_by_itself(stand: Stand):
    """Twilio's support can lift a failure or a suspension; nobody should have to know SQL then."""
    stand.make(trust_bundle={"brand_name": "Quillfeather fail 30799", "mobile_phone_number": SILENT})
    case = stand.stopped(Stage.BRAND)
    assert case.wake_at, "a failed object is looked at now and then"
    assert case.wake_at - clock.now() >= clock.scaled(4 * 3600), "but rarely"
    stand.desk.post(f"brand/{case.brand.sid}", action="approve")
    verbs.refresh(case, actor="ann")
    case = stand.run(at_otp)
    assert case.waiting_for == WaitingFor.CUSTOMER


def test_refresh_looks_at_once(stand: Stand):
    stand.make(trust_bundle={"mobile_phone_number": SILENT})
    case = stand.run(at_otp)
    Brand.objects.update(next_poll_at=clock.now() + timedelta(hours=1))
    looks = len(calls(stand, "GET", "/a2p/BrandRegistrations"))
    verbs.refresh(pipeline.load(case.pk), actor="ann")
    stand.job()
    assert len(calls(stand, "GET", "/a2p/BrandRegistrations")) == looks + 1


# --- the one-time text -----------------------------------------------------------------------------------------
def test_resend_is_counted_cooled_down_and_sent_once(stand: Stand):
    stand.make(trust_bundle={"mobile_phone_number": SILENT})
    case = stand.run(at_otp)
    Brand.objects.update(otp_sent_at=clock.now())
    with pytest.raises(verbs.Refused, match="moment ago"):
        verbs.resend_otp(case, actor="ann")
    Brand.objects.update(otp_sent_at=clock.now() - timedelta(seconds=300 * SCALE + 0.001))
    verbs.resend_otp(pipeline.load(case.pk), actor="ann")
    with pytest.raises(verbs.Refused, match="being sent"):
        verbs.resend_otp(pipeline.load(case.pk), actor="bob")
    case = stand.job()
    assert len(calls(stand, "POST", "/SmsOtp")) == 1
    assert (case.brand.otp_sends, case.waiting_for) == (2, WaitingFor.CUSTOMER)
    assert not verbs.otp_state(case).can_resend


def test_a_refused_resend_does_not_stop_the_watch_for_yes(stand: Stand, monkeypatch):
    stand.reach("brand.send_otp")
    stand.gate.only = ""
    no = Refusing(pipeline.get_gateway(), errors.Rejected("Not now", status=400, code=20001))
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "get_gateway", lambda: no)
        case = stand.job()
    assert no.asked == 1
    assert "20001" in case.reason
    assert case.wake_at, "the first text may still be answered"
    Brand.objects.update(otp_sent_at=clock.now() - timedelta(hours=1))
    assert verbs.otp_state(pipeline.load(case.pk)).can_resend
    stand.desk.answer_yes()
    Brand.objects.update(next_poll_at=clock.now())
    stand.wake()
    assert stand.run().stage == Stage.LIVE


# --- credentials ------------------------------------------------------------------------------------------------
def test_wrong_credentials_stop_for_the_operator_and_resume_by_themselves(stand: Stand, settings):
    good = settings.TWILIO_AUTH_TOKEN
    settings.TWILIO_AUTH_TOKEN = "wrong"
    stand.make()
    case = stand.job()
    assert case.waiting_for == WaitingFor.US
    assert "credentials" in case.reason
    assert "wrong" not in case.reason
    assert case.wake_at - clock.now() <= clock.scaled(900)
    settings.TWILIO_AUTH_TOKEN = good
    assert stand.run().stage == Stage.LIVE
    assert stand.desk.violations() == []


def test_a_missing_primary_profile_is_said_before_any_call(stand: Stand, settings):
    settings.TWILIO_PRIMARY_PROFILE_SID = ""
    stand.make()
    case = stand.stopped(Stage.PROFILE)
    assert "TWILIO_PRIMARY_PROFILE_SID" in case.reason
    assert stand.desk.writes() == []


# --- money --------------------------------------------------------------------------------------------------------
def test_fees_are_planned_and_recorded(stand: Stand):
    case = make_case()
    plan = planning.plan(case)
    assert len(plan.calls) == 19
    assert plan.fee == Decimal("19.50")
    stand.make()
    stand.run()
    paid = StepRun.objects.filter(registration_id=stand.pk, fee__isnull=False, state=RunState.OK)
    assert {run.step: run.fee for run in paid} == {
        "brand.create": Decimal("4.50"),
        "campaign.create": Decimal("15.00"),
    }
    assert planning.plan(pipeline.load(stand.pk)).calls == []


# --- where a case stands -----------------------------------------------------------------------------------------
def test_stage_and_who_must_act_all_along_the_walk(unhurried, stand: Stand):
    case = make_case()
    assert (case.stage, case.waiting_for) == (Stage.DRAFT, WaitingFor.US)
    stand.make(trust_bundle={"mobile_phone_number": SILENT})
    queued = pipeline.load(stand.pk)
    assert (queued.stage, queued.waiting_for) == (Stage.PROFILE, WaitingFor.WORKER)
    seen = []

    def note(case: Registration) -> bool:
        if not seen or seen[-1] != (case.stage, case.waiting_for):
            seen.append((case.stage, case.waiting_for))
        if case.stage == Stage.OTP:
            stand.desk.answer_yes()
        return False

    stand.run(note)
    assert seen[0] == (Stage.PROFILE, WaitingFor.WORKER)
    assert seen[-1] == (Stage.LIVE, WaitingFor.NOBODY)
    stages = [stage for stage, _ in seen]
    assert stages == sorted(stages, key=list(Stage).index)
    for expected in [
        (Stage.PROFILE, WaitingFor.TWILIO),
        (Stage.TRUST_BUNDLE, WaitingFor.TWILIO),
        (Stage.BRAND, WaitingFor.TWILIO),
        (Stage.OTP, WaitingFor.CUSTOMER),
        (Stage.CAMPAIGN, WaitingFor.TWILIO),
    ]:
        assert expected in seen
    assert personal_data_in(list(Event.objects.values("text", "data"))) == []


# --- wake-ups and leases -----------------------------------------------------------------------------------------
def test_submit_while_a_job_runs_is_not_lost(stand: Stand, monkeypatch):
    """The agent mends the address and presses Submit in the very moment the worker decides to stop."""
    stand.make(profile={"email": "bad-email@harborcrafts.com"})
    release, pressed = pipeline._release, []

    def press_first(pk, token, outcome, ring):
        if not pressed and outcome.waiting_for == WaitingFor.US:
            pressed.append(1)
            stand.edit(profile={"email": SECRETS["email"]})
        release(pk, token, outcome, ring)

    monkeypatch.setattr(pipeline, "_release", press_first)
    live = stand.run()
    assert pressed
    assert live.stage == Stage.LIVE, live.reason


def test_each_stored_wake_up_is_also_rung(stand: Stand):
    stand.make()
    case = stand.job()
    assert stand.desk.rung[-1] == (case.pk, case.wake_at)


def test_a_dead_workers_case_is_due_again_when_its_lease_runs_out(stand: Stand, settings):
    stand.make()
    token = pipeline.claim(stand.pk)
    assert token
    assert pipeline.claim(stand.pk) is None
    assert pipeline.claim_due() == []
    Registration.objects.update(lease_until=clock.now() - timedelta(seconds=0.01))
    assert pipeline.claim_due() == [stand.pk]
    assert pipeline.claim_due() == [], "rung a moment ago"
    assert stand.run().stage == Stage.LIVE


def test_a_worker_that_lost_its_lease_leaves_the_ledger_alone(stand: Stand, monkeypatch):
    """Its call came back with an error after the new owner had settled what became of it."""
    stand.reach("profile.create")
    act = BY_SLUG["profile.create"].act
    gateway = pipeline.get_gateway()

    def too_late(*args, **kwargs):
        act(gateway, pipeline.load(stand.pk), StepRun.objects.get().basis)
        Registration.objects.update(lease_until=clock.now() - timedelta(seconds=1))
        for _ in range(3):
            StepRun.objects.filter(state="unknown").update(look_at=clock.now())
            stand.wake()
            stand.job()
        assert stand.states() == ["found"]
        raise errors.Rejected("Too late", status=400, code=20001)

    class Late:
        def __getattr__(self, name):
            return too_late if name == "create_bundle" else getattr(gateway, name)

    with monkeypatch.context() as patched:
        real = pipeline.get_gateway
        workers = iter([Late()])
        patched.setattr(pipeline, "get_gateway", lambda: next(workers, None) or real())
        stand.job()
    assert stand.states() == ["found"], "the former owner overwrote the outcome"
    assert not Event.objects.filter(tag="profile.create:rejected").exists()
    stand.gate.only = ""
    stand.wake()
    assert stand.run().stage == Stage.LIVE
    assert stand.desk.counts()["CustomerProfiles"] == 2  # the primary profile and one more


def test_a_defect_of_ours_is_kept_with_its_traceback_and_tried_again(stand: Stand, monkeypatch):
    stand.reach("profile.create_address")
    stand.gate.only = ""
    with monkeypatch.context() as patched:

        def broken(*args, **kwargs):
            raise ZeroDivisionError(f"near {SECRETS['email']}")

        patched.setattr(type(pipeline.get_gateway()), "create_address", broken)
        case = stand.job()
    assert "error of ours" in case.reason
    assert case.wake_at
    event = Event.objects.get(tag="error")
    assert "ZeroDivisionError" in event.data["traceback"]
    assert personal_data_in(event.data) == []
    assert stand.run().stage == Stage.LIVE
    assert stand.desk.counts()["Addresses"] == 1


def test_back_off_grows_is_jittered_and_capped(stand: Stand, settings):
    settings.A2P_TIME_SCALE = 1.0
    stand.make()
    waits: list[float] = []
    for _ in range(12):
        stand.desk.fault(method="", path=".", action="503", times=1)
        before = clock.now()
        stand.wake()
        case = stand.job()
        waits.append((case.wake_at - before).total_seconds())
    assert 1 <= waits[0] <= 3.5
    for number, wait in enumerate(waits):
        assert 0.5 * min(300, 2 * 2**number) <= wait <= 1.5 * min(300, 2 * 2**number) + 0.5
    assert len(set(waits)) == len(waits)
