"""Each fix is a chain of calls of the right scope: which, in which order, how often, and what they cost."""

import pytest

from registrations import clock, figures, pipeline, planning, step_board, verbs, versions
from registrations.admin import desk as admin_desk
from registrations.models import Profile, Registration, RetiredResource, Submission, WebhookDelivery
from registrations.states import Stage, WaitingFor
from tests.cases import PARTS
from tests.pipeline.support import AUTO_YES, SECRETS, Stand, calls, new_calls, steps

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


def to_live(stand: Stand):
    live = stand.run(lambda case: case.stage == Stage.LIVE)
    assert live.stage == Stage.LIVE, live.reason
    assert stand.desk.violations() == []
    return live


# --- profile and brand ---------------------------------------------------------------------------------------------
def test_a_brand_refused_for_its_email_is_mended_from_the_person_to_the_brand(stand: Stand):
    stand.make(trust_bundle={"brand_name": "Quillfeather fail once 30701"})
    stand.stopped(Stage.BRAND)
    seen = len(stand.desk.writes())
    stand.edit(profile={"email": "quill@harborcrafts.com"})
    live = to_live(stand)
    assert new_calls(stand, seen)[:9] == [
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
    mail = stand.desk.writes()[seen]
    assert mail["params"] == {"Email": ["quill@harborcrafts.com"]}, "a status never goes with it (22204)"
    assert stand.desk.counts()["fees"]["brand_fees"] == 1
    assert live.brand.resubmissions == 1


def test_an_address_of_a_verified_document_is_refused_and_swapped(stand: Stand):
    """21630: the YES verified bundle and document; later the registry takes the brand back for its address."""
    stand.make()
    live = to_live(stand)
    old = live.profile
    stand.desk.post(f"brand/{live.brand.sid}", action="reject", code=30754)
    verbs.refresh(live, actor="ann")
    stand.stopped(Stage.BRAND)
    seen = len(stand.desk.log())
    written = len(stand.desk.writes())
    stand.edit(profile={"street": "2 Main St"})
    live = to_live(stand)
    refused = [entry for entry in stand.desk.log()[seen:] if entry["code"]]
    assert [(entry["code"], entry["path"].split("/")[-1]) for entry in refused] == [
        (21630, f"{old.address_sid}.json")
    ]
    assert new_calls(stand, written) == [
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
    counts = stand.desk.counts()
    assert (counts["fees"]["brand_fees"], counts["duplicates"]) == (1, {})


def test_an_approved_trust_bundle_that_twilio_does_not_take_again_stops_nobody(stand: Stand):
    """Only the profile below it was changed; whether it may be submitted twice then, the facts do not say."""
    stand.make()
    live = to_live(stand)
    stand.desk.post(f"brand/{live.brand.sid}", action="reject", code=30701)
    verbs.refresh(live, actor="ann")
    stand.stopped(Stage.BRAND)
    stand.desk.fault(
        method="POST",
        path=f"TrustProducts/{live.trust_bundle.sid}$",
        action="error",
        status=400,
        code=20001,
        nth=2,
    )
    stand.edit(profile={"email": "quill@harborcrafts.com"})
    live = to_live(stand)
    assert [run.state for run in live.runs.filter(step="trust_bundle.submit")] == ["rejected", "ok"]
    assert live.brand.resubmissions == 1
    assert planning.problems(live) == []


def test_the_suggested_address_is_sent_with_exactly_three_calls(stand: Stand):
    stand.make(profile={"street": "77 Wrong Mews"})
    case = stand.stopped(Stage.PROFILE)
    # What the status callback brought.
    world = stand.desk.sandbox.world
    WebhookDelivery.objects.create(
        kind=WebhookDelivery.Kind.BUNDLE_STATUS,
        subject=case.profile.sid,
        status="twilio-rejected",
        reason=world.store.get("CustomerProfiles", case.profile.sid)["_failure_reason"],
    )
    verbs.refresh(case, actor="ann")
    case = stand.run(lambda case: bool(case.profile.failure_reason))
    seen = len(stand.desk.writes())
    assert set(verbs.use_suggested_address(case, actor="ann")) == {"street", "postal_code"}
    stand.wake()
    stand.job()
    assert len(stand.desk.writes()) == seen, "nothing is sent before Submit"
    verbs.submit(pipeline.load(case.pk), actor="ann")
    stand.run(lambda case: case.stage == Stage.TRUST_BUNDLE)
    assert new_calls(stand, seen)[:3] == ["POST Addresses/…", "POST Evaluations", "POST CustomerProfiles/…"]
    assert stand.desk.counts()["Addresses"] == 1

    first, second = Submission.objects.filter(registration=case, part="profile").order_by("number")
    assert "Invalid Street" in first.failure_reason
    changed = {row.field: (row.before, row.after) for row in versions.compare(first, second) if row.changed}
    assert changed == {
        "street": ("77 Wrong Mews", "1 Jersey St"),
        "postal_code": (PARTS["profile"]["postal_code"], "02215-4147"),
    }
    assert (first.status, second.failure_reason) == ("twilio-rejected", "")
    to_live(stand)


def test_a_bundle_rejected_after_all_is_mended_under_a_verified_brand(stand: Stand):
    """Reviews by people may end after the YES; nothing but the bundle is touched then."""
    stand.make()
    live = to_live(stand)
    stand.desk.post(f"profile/{live.profile.sid}", action="reject", code=18055)
    verbs.refresh(live, actor="ann")
    case = stand.stopped(Stage.PROFILE)
    seen = len(stand.desk.writes())
    stand.edit(profile={"email": "quill@harborcrafts.com"})
    to_live(stand)
    assert set(new_calls(stand, seen)) <= {
        "POST CustomerProfiles/…",
        "POST TrustProducts/…",
        "POST EndUsers/…",
        "POST Evaluations",
    }
    assert stand.desk.counts()["fees"]["brand_fees"] == 1
    assert pipeline.load(case.pk).campaign.sid


def test_bundles_learn_a_public_address_that_came_later_before_the_next_submission(stand: Stand, settings):
    stand.make(profile={"email": "bad-email@harborcrafts.com"})
    case = stand.stopped(Stage.PROFILE)
    world = stand.desk.sandbox.world
    assert world.store.get("CustomerProfiles", case.profile.sid)["status_callback"] is None
    settings.PUBLIC_BASE_URL = ELSEWHERE
    seen = len(stand.desk.writes())
    stand.edit(profile={"email": SECRETS["email"]})
    live = to_live(stand)
    [contact] = [
        entry
        for entry in stand.desk.writes()[seen:]
        if entry["path"].endswith(live.profile.sid) and "Status" not in entry["params"]
    ]
    assert set(contact["params"]) == {"Email", "StatusCallback"}
    told = world.store.get("CustomerProfiles", live.profile.sid)["status_callback"]
    assert told.startswith(ELSEWHERE)

    # A later move of the desk touches no bundle that nobody submits again.
    settings.PUBLIC_BASE_URL = "http://127.0.0.1:10"
    assert planning.plan(live).calls == []
    settings.PUBLIC_BASE_URL = ""
    assert planning.plan(live).calls == []


# --- campaign ------------------------------------------------------------------------------------------------------
def test_an_edit_in_place_sends_the_editable_parameters_and_no_other(stand: Stand):
    stand.make(campaign={"description": f"{DESCRIPTION} [[30886:USE_CASE_DESCRIPTION]]"})
    stand.stopped(Stage.CAMPAIGN)
    seen = len(stand.desk.writes())
    stand.edit(campaign={"description": DESCRIPTION})
    to_live(stand)
    assert new_calls(stand, seen) == ["POST Usa2p/…", "POST PhoneNumbers"]
    [update] = calls(stand, "POST", "/Usa2p/QE")
    assert set(update["params"]) == EDITABLE
    assert stand.desk.counts()["fees"]["vetting_fees"] == 2


def test_a_timed_out_campaign_is_registered_anew_unchanged(stand: Stand):
    """30901 asks for a new registration; an edit in place would not do (facts section 5.2)."""
    stand.make(campaign={"description": f"{DESCRIPTION} [[once 30901]]"})
    case = stand.stopped(Stage.CAMPAIGN)
    seen = len(stand.desk.writes())
    with stand.desk.sandbox.world.lock:
        stand.desk.sandbox.world.store.get("Usa2p", case.campaign.service_sid)["description"] = DESCRIPTION
    assert verbs.edit(case, {"campaign": {"description": DESCRIPTION}}, actor="ann")
    planned = planning.plan(pipeline.load(case.pk))
    assert [call.slug for call in planned.calls][:2] == ["campaign.delete", "campaign.create"]
    assert any("new vetting fee" in note for note in planned.notes)
    verbs.submit(pipeline.load(case.pk), actor="ann")
    to_live(stand)
    assert new_calls(stand, seen) == ["DELETE Usa2p/…", "POST Usa2p", "POST PhoneNumbers"]


def test_an_approved_campaign_keeps_its_texts_and_the_plan_says_so(stand: Stand):
    stand.make()
    live = to_live(stand)
    seen = len(stand.desk.writes())
    stand.edit(campaign={"description": DESCRIPTION + " More."})
    plan = planning.plan(pipeline.load(live.pk))
    assert plan.calls == []
    assert any("edits of the campaign stay here" in note for note in plan.notes)
    stand.run()
    assert len(stand.desk.writes()) == seen


def test_a_campaign_that_vanished_is_registered_again_and_never_edited(stand: Stand):
    stand.make(campaign={"description": f"{DESCRIPTION} [[30886:USE_CASE_DESCRIPTION]]"})
    case = stand.stopped(Stage.CAMPAIGN)
    world = stand.desk.sandbox.world
    with world.lock:
        world.store.delete("Usa2p", case.campaign.service_sid)
    verbs.refresh(case, actor="ann")
    case = stand.run(lambda case: bool(case.campaign.gone_at) and case.waiting_for == WaitingFor.US)
    seen = len(stand.desk.writes())
    stand.edit(campaign={"description": DESCRIPTION})
    to_live(stand)
    assert calls(stand, "POST", "/Usa2p/QE") == []
    assert "POST Usa2p" in new_calls(stand, seen)


# --- taking down ---------------------------------------------------------------------------------------------------
def test_what_twilio_keeps_is_listed_and_the_case_is_removed(stand: Stand):
    """Accepted bundles are not deleted (21646), nor what hangs on them."""
    stand.make(trust_bundle={"mobile_phone_number": AUTO_YES})
    live = to_live(stand)
    kept = {live.trust_bundle.sid, live.profile.sid, live.brand.sid, live.profile.end_user_sid}
    verbs.remove(live, actor="ann")
    case = stand.run()
    assert (case.stage, case.waiting_for) == (Stage.REMOVED, WaitingFor.NOBODY), case.reason
    assert kept <= set(RetiredResource.objects.values_list("sid", flat=True))
    assert not Profile.objects.get().sid
    counts = stand.desk.counts()
    assert (counts["Services"], counts["Usa2p"], counts["ServicePhoneNumbers"]) == (0, 0, 0)
    assert counts["CustomerProfiles"] == 2, "its own profile and the primary one"


def test_a_suspended_campaign_cannot_be_taken_down_and_says_why(stand: Stand):
    stand.make()
    live = to_live(stand)
    stand.desk.post(f"campaign/{live.campaign.service_sid}", action="suspend")
    verbs.remove(live, actor="ann")
    case = stand.run(lambda case: case.waiting_for == WaitingFor.US)
    assert "21729" in case.reason
    assert case.stage == Stage.REMOVING, "nobody is told that it is removed"
    assert steps(stand)[-1].startswith("remove.")
    assert case.campaign.service_sid, "nothing behind it was touched"
    # It is work for a person, who may look again and try again once Twilio's support has lifted it.
    assert Registration.objects.filter(figures.NEEDS_US, pk=case.pk).exists()
    assert admin_desk.can_take_down(case)
    stand.desk.post(f"campaign/{case.campaign.service_sid}", action="set", campaign_status="VERIFIED")
    verbs.refresh(case, actor="ann")
    case = stand.run(lambda case: case.campaign.status == "VERIFIED")
    verbs.remove(case, actor="ann")
    case = stand.run()
    assert (case.stage, case.is_removed) == (Stage.REMOVED, True)
    assert not admin_desk.can_take_down(case)
    assert stand.desk.counts()["Usa2p"] == 0
    kept = [view for view in step_board.board(case, clock.now()) if view.status == "kept"]
    assert {view.slug for view in kept} >= {"remove.profile", "remove.trust_bundle"}
    assert all("Twilio refused (216" in view.why for view in kept)
