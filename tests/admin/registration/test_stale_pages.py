"""A confirmation covers only what its page showed."""

import re

import pytest

from registrations.admin.registration import actions as page_actions
from registrations.admin.registration import form
from registrations.models import Campaign, Registration
from registrations.operations import actions
from tests.admin.conftest import browser, person
from tests.factories import make_registration

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(db):
    return browser(person("ann", "view_registration", "change_registration"))


def url(registration, page):
    return f"/admin/registrations/registration/{registration.pk}/{page}/"


def confirmed(ann, registration) -> dict[str, str]:
    """The confirm page's hidden inputs."""
    page = ann.get(url(registration, "confirm/submit")).content.decode()
    form = page.split('action="' + url(registration, "action/submit"))[1].split("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="(revision|fee|plan)" value="([^"]*)"', form))


@pytest.fixture
def rejected(db):
    refused = {
        "campaign_status": "FAILED",
        "errors": [{"error_code": 30886, "fields": ["USE_CASE_DESCRIPTION"]}],
    }
    registration = make_registration("campaign", answer=refused)
    actions.edit(
        registration,
        {"campaign": {"description": "What is sent, said in other and clearer words."}},
        actor="ann",
    )
    return Registration.objects.get(pk=registration.pk)


def test_the_shown_plan_is_submitted(ann, rejected):
    data = confirmed(ann, rejected)
    assert data["plan"]
    ann.post(url(rejected, "action/submit"), data)
    rejected.refresh_from_db()
    assert rejected.is_submitted


def test_a_plan_with_a_new_call_is_refused_and_shown(ann, rejected):
    data = confirmed(ann, rejected)
    assert "campaign.update" in data["plan"]
    # This change cannot be edited in place.
    Campaign.objects.filter(registration=rejected).update(subscriber_opt_in=True)
    answer = ann.post(url(rejected, "action/submit"), data | {"fee": "100"}, follow=True)
    assert answer.redirect_chain[-1][0] == url(rejected, "confirm/submit")
    text = answer.content.decode()
    assert "The plan has changed. Please review the new one." in text
    assert "campaign.delete" in answer.context["plan_fingerprint"]
    rejected.refresh_from_db()
    assert not rejected.is_submitted
    # The new plan can be confirmed.
    ann.post(url(rejected, "action/submit"), confirmed(ann, rejected) | {"fee": "100"})
    rejected.refresh_from_db()
    assert rejected.is_submitted


def test_a_shorter_plan_needs_no_new_confirmation(ann, rejected):
    data = confirmed(ann, rejected)
    ann.post(url(rejected, "action/submit"), data | {"plan": data["plan"] + " campaign.delete"})
    rejected.refresh_from_db()
    assert rejected.is_submitted


def colleague_edits(registration, **parts) -> None:
    assert actions.edit(registration, parts, actor="bob")


def test_an_edit_between_the_click_and_the_action_is_not_submitted_silently(ann, rejected, monkeypatch):
    data, find = confirmed(ann, rejected), page_actions.find

    def find_then_colleague_edits(pk):
        registration = find(pk)
        # The plan and its price stay as they were.
        colleague_edits(
            registration, campaign={"description": "What a colleague wrote and nobody else has read yet."}
        )
        return registration

    monkeypatch.setattr(page_actions, "find", find_then_colleague_edits)
    ann.post(url(rejected, "action/submit"), data | {"fee": "100"})
    monkeypatch.undo()
    page = ann.get(url(rejected, "confirm/submit")).content.decode()
    assert "Someone edited this registration after you opened it." in page
    rejected.refresh_from_db()
    assert not rejected.is_submitted


def test_an_edit_between_save_and_submit_is_shown_first(ann, monkeypatch):
    registration = make_registration("draft")
    page = ann.get(url(registration, "change"))
    data = page.context["form"].initial | {"revision": registration.revision, "fee": "100", "_submit": "1"}
    data = {name: "" if value is None else value for name, value in data.items()}
    monkeypatch.setattr(
        form.limits, "warn", lambda request, saved: colleague_edits(saved, profile={"city": "Salem"})
    )
    answer = ann.post(url(registration, "change"), data)
    assert answer.headers["Location"] == url(registration, "confirm/submit")
    registration.refresh_from_db()
    assert not registration.was_submitted
    # Nobody in between: it is sent at once.
    monkeypatch.setattr(form.limits, "warn", lambda request, saved: None)
    data["revision"] = registration.revision
    assert ann.post(url(registration, "change"), data).headers["Location"] == url(registration, "detail")
    registration.refresh_from_db()
    assert registration.is_submitted
