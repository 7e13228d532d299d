"""The pre-flight on the pages: as one types, on the plan, and a supervisor's word."""

import re

import pytest

from registrations.intake.preflight import gate
from registrations.models import Registration
from registrations.operations import actions
from tests.admin.conftest import page_url, state
from tests.customers import PARTS, make_draft
from tests.factories import make_registration
from tests.intake.form.rows import VALID

TYPING = "/admin/registrations/registration/preflight/"
ADD = "/admin/registrations/registration/add/"
NAMELESS = ["See you on [date]. Reply STOP to opt out.", "Your booking of [date] is confirmed."]
DOUBTFUL = "Clients of Ann Lee Nails tick an empty box on https://annlee.example.com/book, any time."


def slot(html: str, name: str) -> str:
    found = re.search(rf'<div class="preflight" id="preflight-{name}".*?>(.*?)</div>', html, re.S)
    assert found, f"no slot for {name}"
    return found.group(1)


def bad_registration(**changes) -> Registration:
    return make_draft(campaign={**PARTS["campaign"], "message_samples": NAMELESS, **changes})


# --- as one types ---------------------------------------------------------------------------------------------
def test_each_finding_stands_beside_its_input_with_code_reason_and_example(agent):
    html = agent.post(
        TYPING, {**VALID, "message_sample_1": "See you.", "message_sample_2": "Till then."}
    ).content
    shown = slot(html.decode(), "message_sample_1")
    assert "No sample names “Ann Lee Nails”" in shown
    assert "30893" in shown
    assert "Example that passes:" in shown
    assert slot(html.decode(), "description") == ""
    assert "2 errors" in html.decode()


def test_typing_saves_nothing_and_asks_nothing(agent, django_assert_max_num_queries):
    registration = bad_registration()
    before = state(registration)
    with django_assert_max_num_queries(5):
        assert agent.post(TYPING, VALID).status_code == 200
    assert state(registration) == before


def test_only_those_who_may_write_and_by_post_alone(viewer, agent):
    assert viewer.post(TYPING, VALID).status_code == 403
    assert agent.get(TYPING).status_code == 405


def test_what_is_typed_is_escaped(agent):
    html = agent.post(TYPING, {**VALID, "brand_name": "<b>Ann</b> LLC"}).content.decode()
    assert "<b>Ann" not in html


def test_an_empty_form_is_not_scolded(agent):
    assert 'class="finding' not in agent.get(ADD).content.decode()


def test_the_form_of_a_saved_registration_shows_its_findings_at_once(agent):
    html = agent.get(f"/admin/registrations/registration/{bad_registration().pk}/change/").content.decode()
    assert "No sample names" in slot(html, "message_sample_1")
    assert 'name="preflight_seen" id="preflight-seen" value="sample-brand@message_sample_1"' in html


# --- before paying --------------------------------------------------------------------------------------------
def test_errors_lead_save_and_submit_to_the_plan_which_says_why(agent):
    answer = agent.post(
        ADD,
        {
            **VALID,
            "message_sample_1": NAMELESS[0],
            "message_sample_2": NAMELESS[1],
            "fee": "19.50",
            "_submit": "1",
        },
        follow=True,
    )
    html = answer.content.decode()
    registration = Registration.objects.get()
    assert not registration.is_submitted
    assert answer.redirect_chain[-1][0] == page_url(registration, "confirm/submit")
    assert "likely to reject this" in html
    assert "#field-message_sample_1" in html
    assert "Submit anyway" in html
    assert "btn-primary" not in html


def test_a_warning_that_was_seen_stops_nobody_one_unseen_is_shown_first(agent):
    data = {**VALID, "message_flow": DOUBTFUL, "fee": "19.50", "_submit": "1"}
    unseen = agent.post(ADD, data)
    registration = Registration.objects.get()
    assert unseen.url == page_url(registration, "confirm/submit")
    assert not registration.is_submitted
    html = agent.get(unseen.url).content.decode()
    assert "Check before submitting" in html
    assert "btn-primary" in html

    form = agent.post(TYPING, data).content.decode()
    seen = re.search(r'name="preflight_seen"[^>]* value="([^"]*)"', form).group(1)
    agent.post(
        f"/admin/registrations/registration/{registration.pk}/change/",
        {**data, "revision": registration.revision, "preflight_seen": seen},
    )
    registration.refresh_from_db()
    assert registration.is_submitted


def test_submitting_from_anywhere_is_refused(agent):
    registration = bad_registration()
    with pytest.raises(actions.Refused, match="No sample names"):
        actions.submit(registration, actor="ann")
    agent.post(
        f"/admin/registrations/registration/{registration.pk}/action/submit/",
        {"revision": registration.revision, "fee": "19.50"},
    )
    registration.refresh_from_db()
    assert not registration.is_submitted


@pytest.mark.django_db
@pytest.mark.parametrize("stage", ["number", "live"])
def test_a_campaign_that_stands_is_left_alone(stage):
    """Nothing is to be paid for: a rule made later must not stop a running customer."""
    registration = make_registration(
        stage, parts={"campaign": {**PARTS["campaign"], "message_samples": NAMELESS}}
    )
    assert gate.blocking_errors(registration) == []
    actions.submit(registration, actor="ann")


# --- submitting anyway ----------------------------------------------------------------------------------------------
def submit_anyway(client, registration):
    """Press the confirm page's button with the values of that page."""
    html = client.get(page_url(registration, "confirm/submit")).content.decode()
    assert "Submit anyway" in html
    acknowledged = re.search(r'name="preflight_acknowledged" value="([^"]*)"', html).group(1)
    plan = re.search(r'name="plan" value="([^"]*)"', html).group(1)
    return client.post(
        f"/admin/registrations/registration/{registration.pk}/action/submit/",
        {
            "revision": registration.revision,
            "fee": "19.50",
            "plan": plan,
            "preflight_acknowledged": acknowledged,
        },
    )


def test_errors_that_were_read_can_be_submitted_anyway(agent):
    registration = bad_registration()
    submit_anyway(agent, registration)
    registration.refresh_from_db()
    assert registration.is_submitted
    assert registration.preflight_override == {"keys": ["sample-brand@message_sample_1"]}
    event = registration.events.filter(tag="preflight:passed").get()
    assert (event.actor, "No sample names the brand" in event.text) == ("agent", True)

    # An error of another kind stops again.
    actions.edit(
        registration, {"campaign": {"message_samples": ["See you on [date].", NAMELESS[1]]}}, actor="ann"
    )
    registration.refresh_from_db()
    with pytest.raises(actions.Refused, match="opt out"):
        actions.submit(registration, actor="ann")


def test_an_error_that_the_page_did_not_list_stops(agent):
    registration = bad_registration()
    with pytest.raises(actions.Refused, match="No sample names"):
        actions.submit(registration, actor="ann", despite=["sample-opt-out@message_sample_1"])
    registration.refresh_from_db()
    assert not registration.is_submitted
    assert registration.preflight_override == {}


@pytest.mark.django_db
def test_a_clean_registration_leaves_no_trace_of_it():
    registration = make_draft()
    actions.submit(registration, actor="ann", despite=None)
    registration.refresh_from_db()
    assert registration.preflight_override == {}
    assert not registration.events.filter(tag="preflight:passed").exists()


# --- checking online ------------------------------------------------------------------------------------------
def test_the_online_check_is_offered_with_its_price_only_when_enabled(agent, settings):
    registration = make_draft()
    assert "Check online" not in agent.get(page_url(registration)).content.decode()
    settings.A2P_PREFLIGHT_LOOKUP = True
    assert "Check online · $0.008" in agent.get(page_url(registration)).content.decode()
    agent.post(f"/admin/registrations/registration/{registration.pk}/action/check-online/")
    assert registration.events.filter(tag="preflight:online_asked").exists()
