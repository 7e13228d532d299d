"""Each fix is a chain of calls of the right scope: which, in which order, how often, and what they cost."""

import pytest

from registrations.admin.registration import detail as registration_page
from registrations.core import clock
from registrations.models import Profile, Registration, RetiredResource, Submission, WebhookDelivery
from registrations.models.choices import Stage, WaitingFor
from registrations.operations import actions
from registrations.reporting import statistics
from registrations.workflow.planner import decisions, progress
from registrations.workflow.recorder import submissions
from registrations.workflow.runner import runner
from tests.customers import PARTS
from tests.workflow.support import AUTO_YES, SECRETS, Scenario, calls, new_calls, steps

pytestmark = pytest.mark.django_db

DESCRIPTION = PARTS["campaign"]["description"]
ELSEWHERE = "http://127.0.0.1:9"  # nothing listens there
EDITABLE = {
    "Description",
    "MessageFlow",
    "MessageSamples",
    "HasEmbeddedLinks",
    "HasEmbeddedPhone",
    "AgeGated",
    "DirectLending",
    "PrivacyPolicyUrl",
    "TermsAndConditionsUrl",
}


def to_live(scenario: Scenario):
    live = scenario.run(lambda registration: registration.stage == Stage.LIVE)
    assert live.stage == Stage.LIVE, live.reason
    assert scenario.harness.violations() == []
    return live


# --- profile and brand ---------------------------------------------------------------------------------------------
def test_a_brand_refused_for_its_email_is_fixed_from_the_person_to_the_brand(scenario: Scenario):
    scenario.make(trust_bundle={"brand_name": "Quillfeather fail once 30701"})
    scenario.stopped(Stage.BRAND)
    seen = len(scenario.harness.writes())
    scenario.edit(profile={"email": "quill@harborcrafts.com"})
    live = to_live(scenario)
    assert new_calls(scenario, seen)[:9] == [
        "POST CustomerProfiles/…",
        "POST EndUsers/…",
        "POST Evaluations",
        "POST CustomerProfiles/…",
        "POST TrustProducts/…",
        "POST Evaluations",
        "POST TrustProducts/…",
        "POST BrandRegistrations/…",
        "POST Services",
    ]
    mail = scenario.harness.writes()[seen]
    assert mail["params"] == {"Email": ["quill@harborcrafts.com"]}, "a status is never sent with it (22204)"
    assert scenario.harness.counts()["fees"]["brand_fees"] == 1
    assert live.brand.resubmissions == 1


def test_an_address_of_a_verified_document_is_refused_and_swapped(scenario: Scenario):
    """21630: the YES verified bundle and document; later the registry takes the brand back for its address."""
    scenario.make()
    live = to_live(scenario)
    old = live.profile
    scenario.harness.post(f"brand/{live.brand.sid}", action="reject", code=30754)
    actions.refresh(live, actor="ann")
    scenario.stopped(Stage.BRAND)
    seen = len(scenario.harness.log())
    written = len(scenario.harness.writes())
    scenario.edit(profile={"street": "2 Main St"})
    live = to_live(scenario)
    refused = [entry for entry in scenario.harness.log()[seen:] if entry["code"]]
    assert [(entry["code"], entry["path"].split("/")[-1]) for entry in refused] == [
        (21630, f"{old.address_sid}.json")
    ]
    assert new_calls(scenario, written) == [
        "DELETE Usa2p/…",
        "POST Addresses/…",
        "POST Addresses",
        "POST SupportingDocuments",
        "DELETE EntityAssignments/…",
        "POST EntityAssignments",
        "POST Evaluations",
        "POST CustomerProfiles/…",
        "POST Evaluations",
        "POST TrustProducts/…",
        "POST BrandRegistrations/…",
        "POST Usa2p",
    ]
    retired = set(RetiredResource.objects.values_list("kind", "sid"))
    assert retired == {
        ("address", old.address_sid),
        ("supporting_document", old.supporting_document_sid),
    }
    assert live.profile.address_locked is False
    counts = scenario.harness.counts()
    assert (counts["fees"]["brand_fees"], counts["duplicates"]) == (1, {})


def test_an_approved_trust_bundle_that_twilio_does_not_take_again_stops_nobody(scenario: Scenario):
    """Only the profile under it was changed. Twilio does not document whether it may be submitted twice then."""
    scenario.make()
    live = to_live(scenario)
    scenario.harness.post(f"brand/{live.brand.sid}", action="reject", code=30701)
    actions.refresh(live, actor="ann")
    scenario.stopped(Stage.BRAND)
    scenario.harness.fault(
        method="POST",
        path=f"TrustProducts/{live.trust_bundle.sid}$",
        action="error",
        status=400,
        code=20001,
        nth=2,
    )
    scenario.edit(profile={"email": "quill@harborcrafts.com"})
    live = to_live(scenario)
    assert [call.state for call in live.api_calls.filter(step="trust_bundle.submit")] == ["rejected", "ok"]
    assert live.brand.resubmissions == 1
    assert decisions.problems(live) == []


def test_the_suggested_address_is_sent_with_exactly_three_calls(scenario: Scenario):
    scenario.make(profile={"street": "77 Wrong Mews"})
    registration = scenario.stopped(Stage.PROFILE)
    # What the status callback brought.
    world = scenario.harness.sandbox.world
    WebhookDelivery.objects.create(
        kind=WebhookDelivery.Kind.BUNDLE_STATUS,
        subject=registration.profile.sid,
        status="twilio-rejected",
        reason=world.store.get("CustomerProfiles", registration.profile.sid)["_failure_reason"],
    )
    actions.refresh(registration, actor="ann")
    registration = scenario.run(lambda registration: bool(registration.profile.failure_reason))
    seen = len(scenario.harness.writes())
    assert set(actions.use_suggested_address(registration, actor="ann")) == {"street", "postal_code"}
    scenario.wake()
    scenario.job()
    assert len(scenario.harness.writes()) == seen, "nothing is sent before Submit"
    actions.submit(runner.load(registration.pk), actor="ann")
    scenario.run(lambda registration: registration.stage == Stage.TRUST_BUNDLE)
    assert new_calls(scenario, seen)[:3] == [
        "POST Addresses/…",
        "POST Evaluations",
        "POST CustomerProfiles/…",
    ]
    assert scenario.harness.counts()["Addresses"] == 1

    first, second = Submission.objects.filter(registration=registration, part="profile").order_by("number")
    assert "Invalid Street" in first.failure_reason
    changed = {
        row.field: (row.before, row.after) for row in submissions.compare(first, second) if row.changed
    }
    assert changed == {
        "street": ("77 Wrong Mews", "1 Jersey St"),
        "postal_code": (PARTS["profile"]["postal_code"], "02215-4147"),
    }
    assert (first.status, second.failure_reason) == ("twilio-rejected", "")
    to_live(scenario)


def test_a_bundle_rejected_later_is_fixed_under_a_verified_brand(scenario: Scenario):
    """Reviews by people may end after the YES; nothing but the bundle is touched then."""
    scenario.make()
    live = to_live(scenario)
    scenario.harness.post(f"profile/{live.profile.sid}", action="reject", code=18055)
    actions.refresh(live, actor="ann")
    registration = scenario.stopped(Stage.PROFILE)
    seen = len(scenario.harness.writes())
    scenario.edit(profile={"email": "quill@harborcrafts.com"})
    to_live(scenario)
    assert set(new_calls(scenario, seen)) <= {
        "POST CustomerProfiles/…",
        "POST TrustProducts/…",
        "POST EndUsers/…",
        "POST Evaluations",
    }
    assert scenario.harness.counts()["fees"]["brand_fees"] == 1
    assert runner.load(registration.pk).campaign.sid


def test_bundles_get_a_later_public_address_before_the_next_submission(scenario: Scenario, settings):
    scenario.make(profile={"email": "bad-email@harborcrafts.com"})
    registration = scenario.stopped(Stage.PROFILE)
    world = scenario.harness.sandbox.world
    assert world.store.get("CustomerProfiles", registration.profile.sid)["status_callback"] is None
    settings.PUBLIC_BASE_URL = ELSEWHERE
    seen = len(scenario.harness.writes())
    scenario.edit(profile={"email": SECRETS["email"]})
    live = to_live(scenario)
    [contact] = [
        entry
        for entry in scenario.harness.writes()[seen:]
        if entry["path"].endswith(live.profile.sid) and "Status" not in entry["params"]
    ]
    assert set(contact["params"]) == {"Email", "StatusCallback"}
    callback = world.store.get("CustomerProfiles", live.profile.sid)["status_callback"]
    assert callback.startswith(ELSEWHERE)

    # A later change of our address changes no bundle that nobody submits again.
    settings.PUBLIC_BASE_URL = "http://127.0.0.1:10"
    assert decisions.plan(live).calls == []
    settings.PUBLIC_BASE_URL = ""
    assert decisions.plan(live).calls == []


# --- campaign ------------------------------------------------------------------------------------------------------
def test_an_edit_in_place_sends_the_editable_parameters_and_no_other(scenario: Scenario):
    scenario.make(campaign={"description": f"{DESCRIPTION} [[30886:USE_CASE_DESCRIPTION]]"})
    scenario.stopped(Stage.CAMPAIGN)
    seen = len(scenario.harness.writes())
    scenario.edit(campaign={"description": DESCRIPTION})
    to_live(scenario)
    assert new_calls(scenario, seen) == ["POST Usa2p/…", "POST PhoneNumbers"]
    [update] = calls(scenario, "POST", "/Usa2p/QE")
    assert set(update["params"]) == EDITABLE
    assert scenario.harness.counts()["fees"]["vetting_fees"] == 2


def test_a_timed_out_campaign_is_registered_again_unchanged(scenario: Scenario):
    """30901 asks for a new registration; an edit in place would not do (docs/twilio.md section 5.2)."""
    scenario.make(campaign={"description": f"{DESCRIPTION} [[once 30901]]"})
    registration = scenario.stopped(Stage.CAMPAIGN)
    seen = len(scenario.harness.writes())
    with scenario.harness.sandbox.world.lock:
        scenario.harness.sandbox.world.store.get("Usa2p", registration.campaign.service_sid)[
            "description"
        ] = DESCRIPTION
    assert actions.edit(registration, {"campaign": {"description": DESCRIPTION}}, actor="ann")
    planned = decisions.plan(runner.load(registration.pk))
    assert [call.slug for call in planned.calls][:2] == ["campaign.delete", "campaign.create"]
    assert any("new vetting fee" in note for note in planned.notes)
    actions.submit(runner.load(registration.pk), actor="ann")
    to_live(scenario)
    assert new_calls(scenario, seen) == ["DELETE Usa2p/…", "POST Usa2p", "POST PhoneNumbers"]


def test_an_approved_campaign_keeps_its_texts_and_the_plan_says_so(scenario: Scenario):
    scenario.make()
    live = to_live(scenario)
    seen = len(scenario.harness.writes())
    scenario.edit(campaign={"description": DESCRIPTION + " More."})
    plan = decisions.plan(runner.load(live.pk))
    assert plan.calls == []
    assert any("campaign edits stay here" in note for note in plan.notes)
    scenario.run()
    assert len(scenario.harness.writes()) == seen


def test_a_campaign_that_vanished_is_registered_again_and_never_edited(scenario: Scenario):
    scenario.make(campaign={"description": f"{DESCRIPTION} [[30886:USE_CASE_DESCRIPTION]]"})
    registration = scenario.stopped(Stage.CAMPAIGN)
    world = scenario.harness.sandbox.world
    with world.lock:
        world.store.delete("Usa2p", registration.campaign.service_sid)
    actions.refresh(registration, actor="ann")
    registration = scenario.run(
        lambda registration: (
            bool(registration.campaign.missing_since) and registration.waiting_for == WaitingFor.US
        )
    )
    seen = len(scenario.harness.writes())
    scenario.edit(campaign={"description": DESCRIPTION})
    to_live(scenario)
    assert calls(scenario, "POST", "/Usa2p/QE") == []
    assert "POST Usa2p" in new_calls(scenario, seen)


# --- removal -------------------------------------------------------------------------------------------------------
def test_what_twilio_keeps_is_listed_and_the_registration_is_removed(scenario: Scenario):
    """Accepted bundles are not deleted (21646), nor what belongs to them."""
    scenario.make(trust_bundle={"mobile_phone_number": AUTO_YES})
    live = to_live(scenario)
    kept = {live.trust_bundle.sid, live.profile.sid, live.brand.sid, live.profile.end_user_sid}
    actions.remove(live, actor="ann")
    registration = scenario.run()
    assert (registration.stage, registration.waiting_for) == (Stage.REMOVED, WaitingFor.NOBODY), (
        registration.reason
    )
    assert kept <= set(RetiredResource.objects.values_list("sid", flat=True))
    assert not Profile.objects.get().sid
    counts = scenario.harness.counts()
    assert (counts["Services"], counts["Usa2p"], counts["ServicePhoneNumbers"]) == (0, 0, 0)
    assert counts["CustomerProfiles"] == 2, "its own profile and the primary one"


def test_a_suspended_campaign_cannot_be_removed_and_says_why(scenario: Scenario):
    scenario.make()
    live = to_live(scenario)
    scenario.harness.post(f"campaign/{live.campaign.service_sid}", action="suspend")
    actions.remove(live, actor="ann")
    registration = scenario.run(lambda registration: registration.waiting_for == WaitingFor.US)
    assert "21729" in registration.reason
    assert registration.stage == Stage.REMOVING, "nobody is told that it was removed"
    assert steps(scenario)[-1].startswith("remove.")
    assert registration.campaign.service_sid, "nothing behind it was touched"
    # A person can check and retry once Twilio's support has lifted the suspension.
    assert Registration.objects.filter(statistics.NEEDS_US, pk=registration.pk).exists()
    assert registration_page.can_remove(registration)
    scenario.harness.post(
        f"campaign/{registration.campaign.service_sid}", action="set", campaign_status="VERIFIED"
    )
    actions.refresh(registration, actor="ann")
    registration = scenario.run(lambda registration: registration.campaign.status == "VERIFIED")
    actions.remove(registration, actor="ann")
    registration = scenario.run()
    assert (registration.stage, registration.is_removed) == (Stage.REMOVED, True)
    assert not registration_page.can_remove(registration)
    assert scenario.harness.counts()["Usa2p"] == 0
    kept = [view for view in progress.step_views(registration, clock.now()) if view.status == "kept"]
    assert {view.slug for view in kept} >= {"remove.profile", "remove.trust_bundle"}
    assert all("Twilio rejected it (216" in view.reason for view in kept)
