"""What was confirmed on a page counts only for what the page showed."""

import re

import pytest

from registrations import verbs
from registrations.models import Campaign, Registration
from tests.admin.conftest import browser, person
from tests.factories import make_registration

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(db):
    return browser(person("ann", "view_registration", "change_registration"))


def url(case, page):
    return f"/admin/registrations/registration/{case.pk}/{page}/"


def confirmed(ann, case) -> dict[str, str]:
    """The confirm page's hidden inputs."""
    page = ann.get(url(case, "confirm/submit")).content.decode()
    form = page.split('action="' + url(case, "act/submit"))[1].split("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="(revision|fee|plan)" value="([^"]*)"', form))


@pytest.fixture
def rejected(db):
    refused = {
        "campaign_status": "FAILED",
        "errors": [{"error_code": 30886, "fields": ["USE_CASE_DESCRIPTION"]}],
    }
    case = make_registration("campaign", answer=refused)
    verbs.edit(
        case, {"campaign": {"description": "What is sent, said in other and clearer words."}}, actor="ann"
    )
    return Registration.objects.get(pk=case.pk)


def test_a_plan_as_shown_is_submitted(ann, rejected):
    data = confirmed(ann, rejected)
    assert data["plan"]
    ann.post(url(rejected, "act/submit"), data)
    rejected.refresh_from_db()
    assert rejected.is_submitted


def test_a_plan_that_has_another_call_by_now_is_refused_and_shown(ann, rejected):
    data = confirmed(ann, rejected)
    assert "campaign.update" in data["plan"]
    # What changed meanwhile cannot be edited in place.
    Campaign.objects.filter(registration=rejected).update(subscriber_opt_in=True)
    answer = ann.post(url(rejected, "act/submit"), data | {"fee": "100"}, follow=True)
    assert answer.redirect_chain[-1][0] == url(rejected, "confirm/submit")
    text = answer.content.decode()
    assert "The plan has changed since you looked at it." in text
    assert "campaign.delete" in answer.context["plan_mark"]
    rejected.refresh_from_db()
    assert not rejected.is_submitted
    # Having seen the new one, it can be agreed to.
    ann.post(url(rejected, "act/submit"), confirmed(ann, rejected) | {"fee": "100"})
    rejected.refresh_from_db()
    assert rejected.is_submitted


def test_a_plan_that_became_shorter_is_no_reason_to_ask_again(ann, rejected):
    data = confirmed(ann, rejected)
    ann.post(url(rejected, "act/submit"), data | {"plan": data["plan"] + " campaign.delete"})
    rejected.refresh_from_db()
    assert rejected.is_submitted
