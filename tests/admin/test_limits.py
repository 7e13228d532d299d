"""Counters before the wall: on the case's page, at the form's inputs, and past them with a supervisor's reason."""

import pytest

from registrations.forms import data_of
from registrations.models import Registration
from registrations.states import Stage
from tests.factories import make_registration

from .conftest import browser, desk_url, person, state

pytestmark = pytest.mark.django_db
LIST = "/admin/registrations/registration/"
ADD = "/admin/registrations/registration/add/"
SPENT = "was used for 3 other brands"


def used(times: int) -> None:
    """`times` other cases that registered a brand with the same mobile, but their own address and e-mail."""
    for n in range(times):
        case = make_registration(Stage.BRAND, label=f"Other {n}")
        case.profile.email_key, case.profile.address_key = f"{n}@example.org", f"US|{n}"
        case.profile.save()


def typed(case: Registration, **changes: str) -> dict[str, str]:
    data = {key: str(value) for key, value in data_of(case).items() if value not in (False, None)}
    return data | changes


@pytest.fixture
def supervisor(db):
    return browser(
        person("chief", "view_registration", "change_registration", "add_registration", "override_limits")
    )


def panel(client, case) -> str:
    page = client.get(desk_url(case)).content.decode()
    return page.split('id="limits-title"')[1].split("</section>")[0]


def test_the_panel_counts_this_case_too(boss):
    case = make_registration(Stage.BRAND)
    assert '<dt>Mobile</dt><dd><span class="limit-count">1 of 3</span></dd>' in panel(boss, case)
    assert '<dt>Brand resubmitted</dt><dd><span class="limit-count">0 of 3</span></dd>' in panel(boss, case)


def test_the_panel_warns_near_the_limit_and_says_when_it_is_spent(boss):
    used(2)
    case = make_registration(label="Third")
    assert "3 of 3" in panel(boss, case)
    assert "chip-wait" in panel(boss, case)
    case.brand.resubmissions = 3
    case.brand.save()
    assert "Spent" in panel(boss, case)


def test_only_a_supervisor_is_offered_to_go_on_anyway(agent, supervisor):
    used(3)
    case = make_registration(label="Fourth")
    page = agent.get(desk_url(case)).content.decode()
    assert SPENT in page
    assert "ask a supervisor" in page
    assert 'id="override-reason"' not in page
    assert 'id="override-reason"' in supervisor.get(desk_url(case)).content.decode()


def test_the_confirm_page_says_it_instead_of_a_button(agent):
    used(3)
    page = agent.get(desk_url(make_registration(label="Fourth"), "confirm/submit")).content.decode()
    assert SPENT in page
    assert "A supervisor can let it pass" in page
    assert "btn-primary" not in page


def test_the_form_refuses_a_spent_value_at_its_input(agent):
    used(3)
    case = make_registration(label="Fourth")
    before = state(case)
    response = agent.post(desk_url(case, "change"), typed(case, label="New name") | {"_save": "1"})
    assert response.status_code == 422
    page = response.content.decode()
    at_input = page.split('id="errors-mobile_phone_number"')[1].split("</ul>")[0]
    assert SPENT in at_input
    assert 'name="limit_reason"' not in page
    assert state(case) == before


def test_a_reason_from_somebody_who_may_not_give_one_counts_for_nothing(agent):
    used(3)
    case = make_registration(label="Fourth")
    data = typed(case, label="New name", limit_reason="I say so") | {"_save": "1"}
    assert agent.post(desk_url(case, "change"), data).status_code == 422


def test_near_the_limit_is_a_hint_and_stops_nobody(agent):
    used(1)
    case = make_registration(label="Second")
    data = typed(case, postal_code="x") | {"_save": "1"}  # another error shows the form again
    page = agent.post(desk_url(case, "change"), data).content.decode()
    assert "was used for 1 other brand;" in page.split('id="hints-mobile_phone_number"')[1].split("</ul>")[0]
    assert agent.post(desk_url(case, "change"), typed(case) | {"_save": "1"}).status_code == 302


def test_a_case_whose_brand_stands_may_be_edited(agent):
    used(3)
    case = make_registration(Stage.OTP, label="Before the rule")
    data = typed(case, description=case.campaign.description + " By text.") | {"_save": "1"}
    assert agent.post(desk_url(case, "change"), data).status_code == 302


def test_a_supervisor_without_a_reason_is_asked_for_one(supervisor):
    used(3)
    case = make_registration(label="Fourth")
    response = supervisor.post(desk_url(case, "change"), typed(case) | {"_save": "1"})
    assert response.status_code == 422
    assert 'name="limit_reason"' in response.content.decode()


class TestOverride:
    def test_on_the_case_page(self, supervisor, agent):
        used(3)
        case = make_registration(label="Fourth")
        before = state(case)
        url = desk_url(case, "act/override")
        assert agent.post(url, {"reason": "x"}).status_code == 403
        supervisor.post(url, {"reason": "  "})
        assert state(case) == before
        supervisor.post(url, {"reason": "Same owner, three shops."})
        case.refresh_from_db()
        assert case.limit_override == "Same owner, three shops."
        assert case.events.filter(actor="chief").exists()
        page = supervisor.get(desk_url(case)).content.decode()
        assert "Same owner, three shops." in page
        assert 'id="override-reason"' not in page

    def test_in_the_form(self, supervisor):
        used(3)
        case = make_registration(label="Fourth")
        data = {k: v for k, v in typed(case).items() if k != "revision"}
        case.delete()
        data |= {"label": "Typed anew", "limit_reason": "Same owner.", "_save": "1"}
        assert supervisor.post(ADD, data).status_code == 302
        saved = Registration.objects.get(label="Typed anew")
        assert saved.limit_override == "Same owner."
        assert saved.events.filter(actor="chief").count() >= 2


class TestAtDataEntry:
    """Told as soon as the input is left, as the form opens, and after saving."""

    def asked(self, client, url: str, **typed: str) -> str:
        response = client.post(url, typed)
        assert response.status_code == 200
        return response.content.decode()

    def line(self, page: str, name: str) -> str:
        return page.split(f'id="limit-{name}"')[1].split("</p>")[0].split(">")[1]

    @pytest.mark.parametrize(
        ("times", "words"), [(0, ""), (1, "1 other brand;"), (2, "none of 3"), (3, "Use another")]
    )
    def test_what_was_typed_is_counted_however_it_is_written(self, agent, times, words):
        used(times)
        for typed in ("(415) 555-2672", "+1 415 555 2672"):
            line = self.line(
                self.asked(agent, f"{LIST}limits/", mobile_phone_number=typed), "mobile_phone_number"
            )
            assert words in line
            assert bool(line) == bool(times)

    def test_half_a_number_and_other_inputs_are_no_error(self, agent):
        used(2)
        page = self.asked(agent, f"{LIST}limits/", mobile_phone_number="(415", email="@", street="1 Main St")
        assert [self.line(page, name) for name in ("mobile_phone_number", "email", "street")] == [""] * 3

    def test_the_case_itself_does_not_count(self, agent):
        case = make_registration(Stage.BRAND)
        page = self.asked(agent, desk_url(case, "limits"), mobile_phone_number="(415) 555-2672")
        assert self.line(page, "mobile_phone_number") == ""

    def test_asking_saves_nothing_and_takes_no_get(self, agent):
        case = make_registration()
        before = state(case)
        assert agent.get(desk_url(case, "limits")).status_code == 405
        self.asked(agent, desk_url(case, "limits"), mobile_phone_number="(212) 555-0100")
        assert state(case) == before
        assert agent.post("/admin/registrations/registration/999999/limits/", {}).status_code == 404

    def test_who_may_not_enter_data_may_not_ask(self, viewer, nobody):
        case = make_registration()
        for client in (viewer, nobody):
            assert client.post(f"{LIST}limits/", {}).status_code == 403
            assert client.post(desk_url(case, "limits"), {}).status_code == 403

    def test_the_form_opens_with_it(self, agent):
        used(2)
        page = agent.get(desk_url(make_registration(label="Third"), "change")).content.decode()
        assert "none of 3 is left" in self.line(page, "mobile_phone_number")
        assert 'id="limit-email" role="status"></p>' in page

    def test_not_where_the_brand_stands_already(self, agent):
        used(2)
        page = agent.get(desk_url(make_registration(Stage.OTP, label="Third"), "change")).content.decode()
        assert self.line(page, "mobile_phone_number") == ""

    def test_said_after_saving(self, agent):
        used(1)
        case = make_registration(label="Second")
        response = agent.post(desk_url(case, "change"), typed(case) | {"_save": "1"}, follow=True)
        assert "was used for 1 other brand; after this one 1 of 3 is left." in response.content.decode()
