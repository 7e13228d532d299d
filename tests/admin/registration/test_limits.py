"""The Campaign Registry's limits: on the page, beside the form's inputs, and overridden by a supervisor."""

import pytest

from registrations.intake.form import data_of
from registrations.models import Registration
from registrations.models.choices import Stage
from tests.admin.conftest import browser, page_url, person, state
from tests.factories import make_registration

pytestmark = pytest.mark.django_db
LIST = "/admin/registrations/registration/"
ADD = "/admin/registrations/registration/add/"
USED_UP = "was used for 3 other brands"


def used(times: int) -> None:
    """`times` other registrations that registered a brand with the same mobile, but their own address and email."""
    for n in range(times):
        registration = make_registration(Stage.BRAND, label=f"Other {n}")
        registration.profile.email_key, registration.profile.address_key = f"{n}@example.org", f"US|{n}"
        registration.profile.save()


def typed(registration: Registration, **changes: str) -> dict[str, str]:
    data = {key: str(value) for key, value in data_of(registration).items() if value not in (False, None)}
    return data | changes


@pytest.fixture
def supervisor(db):
    return browser(
        person("chief", "view_registration", "change_registration", "add_registration", "override_limits")
    )


def limits_card(client, registration) -> str:
    page = client.get(page_url(registration)).content.decode()
    return page.split('id="limits-title"')[1].split("</section>")[0]


def test_the_card_counts_this_registration_too(boss):
    registration = make_registration(Stage.BRAND)
    assert '<dt>Mobile</dt><dd><span class="limit-count">1 of 3</span></dd>' in limits_card(
        boss, registration
    )
    assert '<dt>Brand resubmissions</dt><dd><span class="limit-count">0 of 3</span></dd>' in limits_card(
        boss, registration
    )


def test_the_card_warns_near_the_limit_and_when_it_is_used_up(boss):
    used(2)
    registration = make_registration(label="Third")
    assert "3 of 3" in limits_card(boss, registration)
    assert "chip-wait" in limits_card(boss, registration)
    registration.brand.resubmissions = 3
    registration.brand.save()
    assert "Used up" in limits_card(boss, registration)


def test_only_a_supervisor_can_override(agent, supervisor):
    used(3)
    registration = make_registration(label="Fourth")
    page = agent.get(page_url(registration)).content.decode()
    assert USED_UP in page
    assert "ask a supervisor" in page
    assert 'id="override-reason"' not in page
    assert 'id="override-reason"' in supervisor.get(page_url(registration)).content.decode()


def test_the_confirm_page_shows_it_instead_of_a_button(agent):
    used(3)
    page = agent.get(page_url(make_registration(label="Fourth"), "confirm/submit")).content.decode()
    assert USED_UP in page
    assert "A supervisor can override this" in page
    assert "btn-primary" not in page


def test_the_form_rejects_a_used_up_value_at_its_input(agent):
    used(3)
    registration = make_registration(label="Fourth")
    before = state(registration)
    response = agent.post(
        page_url(registration, "change"), typed(registration, label="New name") | {"_save": "1"}
    )
    assert response.status_code == 422
    page = response.content.decode()
    at_input = page.split('id="errors-mobile_phone_number"')[1].split("</ul>")[0]
    assert USED_UP in at_input
    assert 'name="limit_reason"' not in page
    assert state(registration) == before


def test_a_reason_without_permission_is_ignored(agent):
    used(3)
    registration = make_registration(label="Fourth")
    data = typed(registration, label="New name", limit_reason="I say so") | {"_save": "1"}
    assert agent.post(page_url(registration, "change"), data).status_code == 422


def test_near_the_limit_is_only_a_hint(agent):
    used(1)
    registration = make_registration(label="Second")
    data = typed(registration, postal_code="x") | {"_save": "1"}  # another error shows the form again
    page = agent.post(page_url(registration, "change"), data).content.decode()
    assert "was used for 1 other brand." in page.split('id="hints-mobile_phone_number"')[1].split("</ul>")[0]
    assert (
        agent.post(page_url(registration, "change"), typed(registration) | {"_save": "1"}).status_code == 302
    )


def test_a_registration_with_a_brand_can_be_edited(agent):
    used(3)
    registration = make_registration(Stage.OTP, label="Before the rule")
    data = typed(registration, description=registration.campaign.description + " By text.") | {"_save": "1"}
    assert agent.post(page_url(registration, "change"), data).status_code == 302


def test_a_supervisor_without_a_reason_is_asked_for_one(supervisor):
    used(3)
    registration = make_registration(label="Fourth")
    response = supervisor.post(page_url(registration, "change"), typed(registration) | {"_save": "1"})
    assert response.status_code == 422
    assert 'name="limit_reason"' in response.content.decode()


class TestOverride:
    def test_on_the_registration_page(self, supervisor, agent):
        used(3)
        registration = make_registration(label="Fourth")
        before = state(registration)
        url = page_url(registration, "action/override")
        assert agent.post(url, {"reason": "x"}).status_code == 403
        supervisor.post(url, {"reason": "  "})
        assert state(registration) == before
        supervisor.post(url, {"reason": "Same owner, three shops."})
        registration.refresh_from_db()
        assert registration.limit_override == "Same owner, three shops."
        assert registration.events.filter(actor="chief").exists()
        page = supervisor.get(page_url(registration)).content.decode()
        assert "Same owner, three shops." in page
        assert 'id="override-reason"' not in page

    def test_in_the_form(self, supervisor):
        used(3)
        registration = make_registration(label="Fourth")
        data = {k: v for k, v in typed(registration).items() if k != "revision"}
        registration.delete()
        data |= {"label": "Entered again", "limit_reason": "Same owner.", "_save": "1"}
        assert supervisor.post(ADD, data).status_code == 302
        saved = Registration.objects.get(label="Entered again")
        assert saved.limit_override == "Same owner."
        assert saved.events.filter(actor="chief").count() >= 2


class TestAtDataEntry:
    """Shown when the input loses focus, when the form opens, and after saving."""

    def check(self, client, url: str, **typed: str) -> str:
        response = client.post(url, typed)
        assert response.status_code == 200
        return response.content.decode()

    def line(self, page: str, name: str) -> str:
        return page.split(f'id="limit-{name}"')[1].split("</p>")[0].split(">")[1]

    @pytest.mark.parametrize(
        ("times", "warning"), [(0, ""), (1, "1 other brand."), (2, "none of 3"), (3, "Use another")]
    )
    def test_a_number_counts_in_any_format(self, agent, times, warning):
        used(times)
        for typed in ("(415) 555-2672", "+1 415 555 2672"):
            line = self.line(
                self.check(agent, f"{LIST}limits/", mobile_phone_number=typed), "mobile_phone_number"
            )
            assert warning in line
            assert bool(line) == bool(times)

    def test_incomplete_values_are_no_error(self, agent):
        used(2)
        page = self.check(agent, f"{LIST}limits/", mobile_phone_number="(415", email="@", street="1 Main St")
        assert [self.line(page, name) for name in ("mobile_phone_number", "email", "street")] == [""] * 3

    def test_the_registration_itself_does_not_count(self, agent):
        registration = make_registration(Stage.BRAND)
        page = self.check(agent, page_url(registration, "limits"), mobile_phone_number="(415) 555-2672")
        assert self.line(page, "mobile_phone_number") == ""

    def test_checking_saves_nothing_and_accepts_only_post(self, agent):
        registration = make_registration()
        before = state(registration)
        assert agent.get(page_url(registration, "limits")).status_code == 405
        self.check(agent, page_url(registration, "limits"), mobile_phone_number="(212) 555-0100")
        assert state(registration) == before
        assert agent.post("/admin/registrations/registration/999999/limits/", {}).status_code == 404

    def test_checking_needs_permission(self, viewer, nobody):
        registration = make_registration()
        for client in (viewer, nobody):
            assert client.post(f"{LIST}limits/", {}).status_code == 403
            assert client.post(page_url(registration, "limits"), {}).status_code == 403

    def test_the_form_opens_with_it(self, agent):
        used(2)
        page = agent.get(page_url(make_registration(label="Third"), "change")).content.decode()
        assert "none of 3 is left" in self.line(page, "mobile_phone_number")
        assert 'id="limit-email" role="status"></p>' in page

    def test_no_warning_when_the_brand_exists(self, agent):
        used(2)
        page = agent.get(page_url(make_registration(Stage.OTP, label="Third"), "change")).content.decode()
        assert self.line(page, "mobile_phone_number") == ""

    def test_shown_after_saving(self, agent):
        used(1)
        registration = make_registration(label="Second")
        response = agent.post(
            page_url(registration, "change"), typed(registration) | {"_save": "1"}, follow=True
        )
        assert "was used for 1 other brand. After this one, 1 of 3 is left." in response.content.decode()
