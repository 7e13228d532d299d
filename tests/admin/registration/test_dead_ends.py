"""A brand that cannot be resubmitted: no button that cannot help, and no fee that cannot be charged."""

import re

import pytest
from django.contrib.messages import get_messages

from registrations.models import Brand, Registration
from registrations.models.choices import Stage
from registrations.workflow.planner import decisions
from registrations.workflow.runner import runner
from tests.admin.conftest import page_url, state
from tests.factories import make_registration

pytestmark = pytest.mark.django_db
EDIT_FIELDS = {"error_code": 30701, "description": "The email was refused.", "fields": ["EMAIL"]}
BY_HAND = {"error_code": 30793, "description": "The bundles are wrong."}


def failed_brand(*errors: object, resubmissions: int = 0, words: str = "") -> Registration:
    answer = {"status": "FAILED", "identity_status": "SELF_DECLARED", "errors": list(errors)}
    answer["failure_reason"] = words or None
    registration = make_registration(Stage.BRAND, answer=answer)
    Brand.objects.filter(registration=registration).update(resubmissions=resubmissions)
    runner.refresh_status(registration.pk)
    return runner.load(registration.pk)


def page_of(client, registration: Registration, page: str = "detail") -> str:
    return " ".join(client.get(page_url(registration, page)).content.decode().split())


def fees(page: str) -> set[str]:
    return set(re.findall(r"\$\d+\.\d\d", page))


@pytest.fixture(params=["spent", "30793", "30793 as text", "30793 in words"])
def dead(request, db) -> Registration:
    if request.param == "spent":
        return failed_brand(EDIT_FIELDS, resubmissions=3)
    if request.param == "30793 as text":
        return failed_brand("30793")
    if request.param == "30793 in words":
        # As before there were codes (docs/twilio.md section 4.1).
        return failed_brand(words="Unable to fetch A2P Bundle Details, check the bundle and retry.")
    return failed_brand(BY_HAND)


class TestDeadEnd:
    def test_the_page_offers_neither_a_fix_nor_a_resubmission(self, boss, dead):
        page = page_of(boss, dead)
        assert 'id="action-primary"' not in page
        assert "Try again" not in page
        assert "Can be resubmitted" not in page
        assert "confirm/submit" not in page
        assert "Delete a brand in Twilio&#x27;s Console" in page
        assert page.count("btn-primary") == 1, "the only primary button is the task's"

    def test_no_fee_for_a_call_that_is_not_reached(self, boss, dead):
        # What a new brand costs is the catalogue's warning; the campaign's fee belongs to no call of the plan.
        assert "$15.00" not in page_of(boss, dead)
        assert fees(page_of(boss, dead, "confirm/submit")) == set()
        assert "Submitting costs nothing now" in page_of(boss, dead, "change")
        assert decisions.plan(dead).fee == 0

    def test_the_confirm_page_has_no_button_and_submit_is_refused(self, boss, dead):
        page = page_of(boss, dead, "confirm/submit")
        assert "Nothing can be sent to Twilio now" in page
        assert "btn-primary" not in page
        before = state(dead)
        data = {"revision": dead.revision, "fee": "100"}
        response = boss.post(page_url(dead, "action/submit"), data)
        assert "Nothing can be sent" in " ".join(map(str, get_messages(response.wsgi_request)))
        assert state(dead) == before

    def test_the_form_says_that_submitting_does_not_help(self, boss, dead):
        page = page_of(boss, dead, "change")
        assert "Submitting does not help now." in page
        assert "30793" in page or "21724" in page

    def test_an_edit_is_sent_as_far_as_possible(self, boss, dead):
        dead.profile.email = "ann@annlee.example.com"
        dead.profile.save()
        Registration.objects.filter(pk=dead.pk).update(revision=dead.revision + 1)
        plan = decisions.plan(runner.load(dead.pk))
        slugs = [call.slug for call in plan.calls]
        assert "profile.update_end_user" in slugs
        assert not [slug for slug in slugs if slug.startswith(("brand.", "campaign."))]
        assert (plan.dead_end, plan.fee) == (True, 0)
        page = page_of(boss, dead, "confirm/submit")
        assert "You'll need to:" in page
        assert "Submit changes" in page
        assert "free of charge" in page_of(boss, dead)

    def test_a_deleted_brand_can_be_paid_for_again(self, boss, dead):
        Brand.objects.filter(registration=dead).update(missing_since=dead.created_at)
        runner.refresh_status(dead.pk)
        plan = decisions.plan(runner.load(dead.pk))
        assert plan.calls[0].slug == "brand.create"
        assert not plan.dead_end
        page = page_of(boss, dead, "confirm/submit")
        assert {"$4.50", "$15.00", "$19.50"} <= fees(page)


def test_the_chip_counts_the_resubmissions(boss):
    page = page_of(boss, failed_brand(EDIT_FIELDS, resubmissions=3))
    assert "No resubmissions left: 3 of 3 used" in page
    assert ">Edit</a>" in page.split('id="problems-title"')[1].split("</section>")[0], (
        "the next brand needs it right"
    )
    assert "Cannot be resubmitted" in page_of(boss, failed_brand(BY_HAND))


def test_a_suspended_brand_shows_no_fee_either(boss):
    registration = make_registration(
        Stage.BRAND, answer={"status": "SUSPENDED", "identity_status": "VERIFIED"}
    )
    page = page_of(boss, registration)
    assert "$15.00" not in page
    assert "Try again" not in page


class TestNowAndLater:
    """A resubmission is free; the campaign behind the brand's answer is not."""

    def test_a_brand_with_resubmissions_left(self, boss):
        registration = failed_brand(EDIT_FIELDS, resubmissions=1)
        plan = decisions.plan(registration)
        later = {call.slug: call.later for call in plan.calls}
        assert (later["brand.update"], later["campaign.create"]) == (False, True)
        page = page_of(boss, registration)
        assert "Can be resubmitted" in page
        assert ">Fix this<" in page
        assert "Try again" in page
        confirm = page_of(boss, registration, "confirm/submit")
        assert "attempt 2 of 3. Resubmitting is free." in confirm
        assert "Try again · free now" in confirm
        assert '<th scope="row">Now</th><td class="number">free</td>' in confirm
        assert '<th scope="row">Later</th><td class="number">$15.00</td>' in confirm
        assert "Later, when the brand is approved and the customer has replied YES" in confirm
        assert "Submitting is <strong>free now</strong>" in page_of(boss, registration, "change")

    def test_the_note_below_the_button(self, boss):
        registration = failed_brand(resubmissions=1)
        Registration.objects.filter(pk=registration.pk).update(revision=registration.revision + 1)
        assert "free now, campaign vetting later $15.00" in page_of(boss, registration)
        assert "costs $4.50 now, campaign vetting later $15.00" in page_of(boss, make_registration())

    def test_the_confirmed_fee_is_the_sum(self, boss):
        registration = failed_brand(EDIT_FIELDS, resubmissions=1)
        boss.post(
            page_url(registration, "action/submit"), {"revision": registration.revision, "fee": "14.99"}
        )
        assert not runner.load(registration.pk).brand.resubmit_requested
        boss.post(
            page_url(registration, "action/submit"), {"revision": registration.revision, "fee": "15.00"}
        )
        assert runner.load(registration.pk).brand.resubmit_requested

    def test_what_blocks_it_is_shown_before_the_calls(self, boss):
        for n in range(3):
            make_registration(Stage.BRAND, label=f"Other {n}")
        confirm = page_of(boss, make_registration(), "confirm/submit")
        assert confirm.index('id="forbidden"') < confirm.index('<table class="plan"')

    def test_a_first_submission_shows_both_parts_of_its_fee(self, boss):
        confirm = page_of(boss, make_registration(), "confirm/submit")
        assert '<th scope="row">Now</th><td class="number">$4.50</td>' in confirm
        assert "Submit · $19.50" in confirm

    def test_an_edited_campaign_may_cost_less(self, boss):
        errors = [{"error_code": 30886, "fields": ["USE_CASE_DESCRIPTION"]}]
        registration = make_registration(
            Stage.CAMPAIGN, answer={"campaign_status": "FAILED", "errors": errors}
        )
        Registration.objects.filter(pk=registration.pk).update(revision=registration.revision + 1)
        registration.campaign.description += " By text."
        registration.campaign.save()
        assert "may cost $15.00" in page_of(boss, registration)
        assert '<th scope="row">Later</th>' not in page_of(boss, registration, "confirm/submit")

    @pytest.mark.parametrize(
        ("code", "edited", "warned"), [(30886, False, True), (30886, True, False), (30991, False, False)]
    )
    def test_resubmitting_unchanged_inputs_warns_when_an_input_was_rejected(self, db, code, edited, warned):
        answer = {"campaign_status": "FAILED", "errors": [{"error_code": code}]}
        registration = make_registration(Stage.CAMPAIGN, answer=answer)
        registration.campaign.description += " By text." * edited
        notes = " ".join(decisions.plan(registration).notes)
        assert ("Nothing was changed since Twilio rejected the campaign" in notes) == warned


class TestVerifiedBrand:
    """The note appears only after an edit that Twilio does not accept now."""

    NOTE = "Twilio accepts no changes to the person"

    @pytest.fixture
    def registration(self, db) -> Registration:
        errors = [{"error_code": 30886, "fields": ["USE_CASE_DESCRIPTION"]}]
        return make_registration(Stage.CAMPAIGN, answer={"campaign_status": "FAILED", "errors": errors})

    def notes(self, registration: Registration) -> str:
        return " ".join(decisions.plan(runner.load(registration.pk)).notes)

    def test_not_for_a_campaign_alone(self, registration):
        registration.campaign.description += " By text."
        registration.campaign.save()
        assert self.NOTE not in self.notes(registration)

    @pytest.mark.parametrize(
        ("part", "name"),
        [("profile", "last_name"), ("profile", "city"), ("trust_bundle", "brand_name")],
    )
    def test_for_what_the_bundles_hold(self, registration, part, name):
        resource = getattr(registration, part)
        setattr(resource, name, "Elsewhere")
        resource.save()
        assert self.NOTE in self.notes(registration)


class TestOneReason:
    def test_a_code_is_not_shown_twice(self, boss):
        errors = [{"error_code": 39999, "description": "Nobody has seen this yet."}]
        registration = make_registration(
            Stage.CAMPAIGN, answer={"campaign_status": "FAILED", "errors": errors}
        )
        problems = page_of(boss, registration).split('id="problems-title"')[1].split("</section>")[0]
        assert problems.count("39999") == 2, "in the title, and in the address of Twilio's page"
        assert '<span class="code">39999' not in problems
        assert '<span class="code">39999' not in page_of(boss, registration, "change")

    def test_an_address_rejection_is_one(self, boss):
        reason = "[address_sids] - Invalid Region. Address suggestion -> Region: NY. Country: US;"
        errors = [{"code": 18603, "description": "Address could not be verified."}]
        registration = make_registration(
            Stage.PROFILE, answer={"status": "twilio-rejected", "errors": errors}
        )
        registration.profile.failure_reason = reason
        registration.profile.save()
        runner.refresh_status(registration.pk)
        page = page_of(boss, registration)
        assert ">Rejected by Twilio</h2>" in page
        assert "18603" in page
        assert "Use suggested address" in page
        assert Registration.objects.get(pk=registration.pk).reason.count(";") == 0
