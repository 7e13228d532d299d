"""Adding and editing: errors beside their fields, nothing typed is lost, nothing is spent without confirmation."""

import pytest

from registrations.intake.form import data_of
from registrations.models import Registration
from registrations.models.choices import Stage
from registrations.operations import actions
from registrations.workflow.planner import decisions
from tests.admin.conftest import page_url
from tests.factories import make_registration

pytestmark = pytest.mark.django_db
ADD = "/admin/registrations/registration/add/"


def typed(registration: Registration, **changes) -> dict:
    """The form as a browser would post it, with `changes` typed in."""
    data = {key: str(value) for key, value in data_of(registration).items() if value not in (False, None)}
    return data | {key: str(value) for key, value in changes.items()}


@pytest.fixture
def template(db) -> dict:
    registration = make_registration()
    data = typed(registration)
    registration.delete()
    return {key: value for key, value in data.items() if key != "revision"}


def test_add_saves_a_draft_and_redirects_to_its_page(boss, template):
    response = boss.post(ADD, template | {"label": "New one", "_save": "1"})
    registration = Registration.objects.get()
    assert response.headers["Location"] == page_url(registration)
    assert (registration.label, registration.stage, registration.was_submitted) == (
        "New one",
        Stage.DRAFT,
        False,
    )
    assert registration.events.filter(actor="boss").exists()


def test_add_form_selects_the_agent_as_owner_and_shows_the_fee(boss):
    page = boss.get(ADD).content.decode()
    assert "$19.50" in page
    assert '<option value="' in page
    assert "selected>boss</option>" in page


def test_all_errors_at_once_each_beside_its_field_and_nothing_lost(boss, template):
    wrong = template | {
        "email": "not-an-address",
        "postal_code": "1",
        "description": "too short, but kept",
        "brand_name": "Acme LLC",
    }
    response = boss.post(ADD, wrong | {"_save": "1"})
    assert response.status_code == 422
    assert not Registration.objects.exists()
    page = response.content.decode()
    for name in ("email", "postal_code", "description", "brand_name"):
        assert f'id="errors-{name}"' in page, name
        assert f'href="#id_{name}"' in page, name
    assert page.count('aria-invalid="true"') == 4
    for value in ("not-an-address", "too short, but kept", "Acme LLC"):
        assert value in page


def test_edit_without_change_makes_no_new_revision(boss):
    registration = make_registration(Stage.OTP)
    boss.post(page_url(registration, "change"), typed(registration) | {"_save": "1"})
    registration.refresh_from_db()
    assert registration.revision == 1
    assert registration.is_submitted


def test_edit_is_saved_but_not_submitted(boss):
    registration = make_registration(Stage.OTP)
    boss.post(page_url(registration, "change"), typed(registration, city="Salem") | {"_save": "1"})
    registration.refresh_from_db()
    assert (registration.revision, registration.submitted_revision) == (2, 1)
    assert registration.profile.city == "Salem"


def test_a_colleagues_edit_is_not_overwritten_silently(boss):
    """Also when the page did not send what it showed: then every difference must be decided (see test_merging)."""
    registration = make_registration(Stage.DRAFT)
    mine = typed(registration, city="Salem", label="Mine") | {"_save": "1"}
    actions.edit(registration, {"profile": {"city": "Lowell"}}, actor="colleague")
    response = boss.post(page_url(registration, "change"), mine)
    assert response.status_code == 409
    page = response.content.decode()
    assert 'value="Salem"' in page, "what was typed is kept"
    assert "Lowell" in page
    registration.profile.refresh_from_db()
    assert registration.profile.city == "Lowell"
    # Saving again after seeing it is a decision.
    assert 'name="revision" value="2"' in page
    assert boss.post(page_url(registration, "change"), mine | {"revision": "2"}).status_code == 302
    registration.profile.refresh_from_db()
    assert registration.profile.city == "Salem"


@pytest.mark.parametrize("revision", ["", "junk", "0"])
def test_a_form_without_its_revision_is_refused(boss, revision):
    registration = make_registration(Stage.DRAFT)
    response = boss.post(
        page_url(registration, "change"),
        typed(registration, city="Salem", revision=revision) | {"_save": "1"},
    )
    assert response.status_code in (409, 422)
    registration.profile.refresh_from_db()
    assert registration.profile.city == "Boston"


def test_save_and_submit_submits_at_the_shown_price(boss, template):
    response = boss.post(ADD, template | {"_submit": "1", "fee": "19.50"})
    registration = Registration.objects.get()
    assert response.headers["Location"] == page_url(registration)
    assert registration.is_submitted
    assert registration.submitted_by == "boss"


@pytest.mark.parametrize("fee", ["19.49", "0", "", "junk", "NaN", "-1"])
def test_save_and_submit_never_costs_more_than_shown(boss, template, fee):
    response = boss.post(ADD, template | {"_submit": "1", "fee": fee})
    registration = Registration.objects.get()
    assert not registration.was_submitted
    assert response.headers["Location"] == page_url(registration, "confirm/submit")
    assert decisions.plan(registration).fee > 0


def test_a_number_to_buy_does_not_block_the_submission(boss, template):
    """Its price is confirmed on its own page, once the campaign is approved."""
    data = template | {"sender_number": "", "area_code": "415", "_submit": "1", "fee": "19.50"}
    boss.post(ADD, data)
    registration = Registration.objects.get()
    assert registration.is_submitted
    assert registration.phone_number.purchase_confirmed_at is None


def test_what_an_edit_deletes_is_shown_first(boss):
    """Even when the shown price would have allowed it."""
    registration = make_registration(Stage.CAMPAIGN, answer={"campaign_status": "FAILED", "errors": []})
    # An auto-reply cannot be edited in place: the campaign is deleted and registered again
    # (docs/twilio.md section 5.3).
    data = typed(registration, help_message="Ann Lee Nails: call (415) 555-0123.", _submit="1", fee="100")
    response = boss.post(page_url(registration, "change"), data)
    registration.refresh_from_db()
    assert not registration.is_submitted
    assert response.headers["Location"] == page_url(registration, "confirm/submit")
    page = boss.get(page_url(registration, "confirm/submit")).content.decode()
    assert "Delete the rejected campaign" in page
    for note in decisions.plan(Registration.objects.get(pk=registration.pk)).notes:
        assert note in page


def test_a_viewer_is_redirected_to_the_page(viewer):
    registration = make_registration()
    response = viewer.get(page_url(registration, "change"))
    assert response.headers["Location"] == page_url(registration)
    assert viewer.post(page_url(registration, "change"), {"city": "X"}).headers["Location"] == page_url(
        registration
    )
    assert "Edit<span" not in viewer.get(page_url(registration)).content.decode()


def test_every_input_has_a_label_and_descriptions(boss):
    page = boss.get(ADD).content.decode()
    form = page.split('id="registration-form"')[1]
    import re

    ids = re.findall(r'<(?:input|textarea|select)[^>]* id="(id_[a-z_0-9]+)"', form)
    ids = [i for i in ids if i != "id_revision"]
    assert len(ids) > 35
    for one in ids:
        assert f'for="{one}"' in form, one
    for described in re.findall(r'aria-describedby="([^"]+)"', form):
        for one in described.split():
            assert f'id="{one}"' in form, one
