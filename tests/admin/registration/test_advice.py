"""What the registration's page shows about a rejection, the next step, and an address suggested by Twilio."""

import re
from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.utils import timezone

from registrations.admin.registration import advice
from registrations.intake.form import data_of
from registrations.models import Registration
from registrations.models.choices import Stage
from registrations.twilio.rejections import FAILURES, lookup
from registrations.workflow.planner import decisions
from registrations.workflow.planner.problems import Problem
from registrations.workflow.runner import runner
from tests.admin.conftest import page_url, state
from tests.factories import fake_sid, make_registration

pytestmark = pytest.mark.django_db
SUGGESTION = (
    "[address_sids] - Invalid Region. Address suggestion -> Street: 1 Main St. Secondary Street: Cambridge, MA "
    "02139. Locality: Cambridge. Region: MA. Postal Code: 02139-4301. Country: US;"
)


def problem(failure) -> Problem:
    return Problem("profile", failure.code, "Words.", failure.title, failure.advice, failure.url)


def rejected(reason: str = SUGGESTION, **parts) -> Registration:
    """A registration whose profile was rejected with that FailureReason."""
    registration = make_registration(Stage.PROFILE, answer={"status": "twilio-rejected"}, parts=parts)
    registration.profile.failure_reason = reason
    registration.profile.save()
    runner.refresh_status(registration.pk)
    return Registration.objects.get(pk=registration.pk)


def page_of(client, registration, page: str = "detail") -> str:
    return client.get(page_url(registration, page)).content.decode()


def messages_of(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


class TestCatalogue:
    @pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.key)
    def test_every_entry_is_found_again_and_has_its_chips(self, failure):
        known = advice.catalogue_entry(problem(failure))
        assert (known.explanation, known.fee) == (failure.explanation, failure.fee)
        chips = advice._chips(known)
        assert chips[0][0]
        assert any("$" in text or "All fees" in text for text, _ in chips) == (failure.fee != "none")
        assert {scope for scope in failure.redo if scope != "none"} <= set(advice._REDO_TEXT)

    def test_an_unknown_code_is_neutral(self):
        unknown = advice.catalogue_entry(problem(lookup(39999)))
        assert advice._chips(unknown) == [("Unrecognized error", "unknown")]

    def test_a_problem_of_our_own_has_no_entry(self):
        assert (
            advice.catalogue_entry(
                Problem("phone_number", None, "x", "Sender cannot be used", "Correct it.", "")
            )
            is None
        )

    def test_the_page_shows_them(self, boss):
        errors = [
            {"error_code": 30909, "fields": ["MESSAGE_FLOW"], "description": "Not verified."},
            {"error_code": 39999, "description": "Nobody has seen this yet."},
        ]
        registration = make_registration(
            Stage.CAMPAIGN, answer={"campaign_status": "FAILED", "errors": errors}
        )
        page = page_of(boss, registration)
        assert lookup(30909).explanation.split("'")[0] in page
        assert "May cost $15.00" in page
        assert "Unrecognized error" in page
        assert "Nobody has seen this yet." in page
        assert "https://www.twilio.com/docs/api/errors/30909" in page

    def test_each_reason_shows_its_inputs_and_unrecognized_fields(self, boss):
        errors = [
            {"error_code": 30909, "fields": ["MESSAGE_FLOW", "NEW_THING"], "description": "Not verified."},
            {"error_code": 30889, "fields": "has_embedded_phone"},
        ]
        registration = make_registration(
            Stage.CAMPAIGN, answer={"campaign_status": "FAILED", "errors": errors}
        )
        page = page_of(boss, registration)
        first, second = page.split('<li class="problem">')[1:]
        assert registration.campaign.message_flow[:80] in first
        assert f'{page_url(registration, "change")}#field-message_flow">How people opt in</a>' in first
        assert "Unrecognized field" in first
        assert "NEW_THING" in first
        assert re.search(r"Messages contain phone numbers</a></dt><dd>No</dd>", second)
        form = page_of(boss, registration, "change")
        assert "NEW_THING" in form.split('id="problems-message_flow"')[1].split("</ul>")[0]


class TestSuggestion:
    def test_before_and_after_without_the_trap(self, agent):
        page = page_of(agent, rejected())
        table = page.split("Twilio suggests this address")[1].split("</table>")[0]
        assert "<td>Boston</td><td><strong>Cambridge</strong>" in table
        assert "<strong>02139-4301</strong>" in table
        assert "Cambridge, MA" not in table, "the last line of an envelope is no apartment"
        assert table.count('class="differs"') == 2
        assert page.count("Use suggested address") == 1
        assert page.count('class="btn btn-primary"') == 1

    def test_one_press_saves_it_then_shows_the_plan(self, agent):
        registration = rejected()
        response = agent.post(
            page_url(registration, "action/use-address"), {"revision": registration.revision}
        )
        assert response.headers["Location"] == page_url(registration, "confirm/submit")
        registration.profile.refresh_from_db()
        registration.refresh_from_db()
        assert (registration.profile.city, registration.profile.postal_code) == ("Cambridge", "02139-4301")
        assert registration.profile.street_secondary == ""
        assert not registration.is_submitted, "nothing is sent before the plan has been shown"
        plan = agent.get(response.headers["Location"]).content.decode()
        for call in decisions.plan(Registration.objects.get(pk=registration.pk)).calls:
            assert call.label.replace("'", "&#x27;") in plan
        assert "Use suggested address" not in page_of(agent, registration)

    def test_the_form_fills_it_in_and_keeps_what_was_typed(self, agent):
        registration = rejected()
        assert "Use suggested address" in page_of(agent, registration, "change")
        before = state(registration)
        typed = data_of(registration) | {"email": "typed@harborcrafts.com", "_use_address": "1"}
        page = agent.post(page_url(registration, "change"), typed).content.decode()
        assert state(registration) == before, "nothing is saved"
        values = dict(re.findall(r'name="(email|city|postal_code|revision)" value="([^"]*)"', page))
        assert values == {
            "email": "typed@harborcrafts.com",
            "city": "Cambridge",
            "postal_code": "02139-4301",
            "revision": str(registration.revision),
        }
        assert "Press Save to keep it" in page
        assert "Use suggested address" not in page, "it is there already"

    def test_one_that_fits_no_column_is_refused_in_words(self, agent):
        registration = rejected(SUGGESTION.replace("1 Main St", "1 Main St " * 40))
        before = state(registration)
        response = agent.post(
            page_url(registration, "action/use-address"), {"revision": registration.revision}
        )
        assert "address yourself" in messages_of(response)
        assert state(registration) == before

    def test_refused_after_an_edit(self, agent):
        registration = rejected()
        before = state(registration)
        response = agent.post(page_url(registration, "action/use-address"), {"revision": "9"})
        assert response.headers["Location"] == page_url(registration)
        assert "review it again" in messages_of(response)
        assert state(registration) == before

    @pytest.mark.parametrize("reason", ["", "Email is invalid."])
    def test_not_offered_without_a_suggestion(self, agent, reason):
        registration = rejected(reason)
        assert "Use suggested address" not in page_of(agent, registration)
        before = state(registration)
        agent.post(page_url(registration, "action/use-address"), {"revision": registration.revision})
        assert state(registration) == before

    def test_a_viewer_sees_the_table_without_the_button(self, viewer):
        page = page_of(viewer, rejected())
        assert "Twilio suggests this address" in page
        assert "Use suggested address" not in page

    def test_a_hostile_suggestion_is_escaped(self, boss):
        page = page_of(boss, rejected(SUGGESTION.replace("1 Main St", "<script>alert(1)</script>")))
        assert "<script>alert" not in page


class TestTasks:
    def test_a_suspended_brand_is_a_task_with_a_message_for_support(self, boss):
        registration = make_registration(
            Stage.BRAND, answer={"status": "SUSPENDED", "identity_status": "VERIFIED"}
        )
        page = page_of(boss, registration)
        card = page.split('id="tasks-title"')[1].split("</section>")[0]
        assert "The brand is suspended" in card
        assert registration.brand.sid in card
        assert '<details id="ticket" class="why" open>' in card
        assert "copy-ticket-text" in card
        assert registration.profile.email not in card
        assert 'id="action-primary"' not in page, "nothing here can be fixed by an edit"

    def test_a_brand_to_delete_in_the_console(self, boss):
        registration = make_registration(Stage.LIVE)
        sid = fake_sid("BN")
        registration.retired.create(kind="brand", sid=sid, reason="Tries spent.", removal="console")
        card = page_of(boss, registration).split('id="tasks-title"')[1].split("</section>")[0]
        assert f"task-delete_brand_{sid}" in card
        assert "Closes when Twilio no longer shows the brand." in card

    def test_overdue_with_the_next_thing_to_do(self, boss, settings):
        settings.A2P_TIME_SCALE = 1
        registration = make_registration(Stage.CAMPAIGN)
        assert "Overdue" not in page_of(boss, registration)
        Registration.objects.filter(pk=registration.pk).update(
            stage_since=timezone.now() - timedelta(days=17, hours=1)
        )
        page = page_of(boss, registration)
        assert "2 d longer than usual" in page
        assert "Campaigns take 10 to 15 days." in page
        assert page.count("Overdue") == 2

    def test_no_card_without_tasks(self, boss):
        assert 'id="tasks-title"' not in page_of(boss, make_registration(Stage.LIVE))
