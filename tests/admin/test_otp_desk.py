"""The desk of one-time texts: who is on it, in which order, and what may be done there."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registrations import verbs
from registrations.admin import otp
from registrations.models import StepRun
from registrations.states import RunState, Stage
from tests.factories import make_registration

from .conftest import desk_url, state

pytestmark = pytest.mark.django_db
DESK = "/admin/registrations/registration/otp/"


@pytest.fixture(autouse=True)
def real_time(settings):
    settings.A2P_TIME_SCALE = 1


def owes(label: str, hours: float, **brand):
    """A customer whose text went out so many hours ago."""
    case = make_registration(Stage.OTP, label=label)
    case.brand.otp_sent_at = timezone.now() - timedelta(hours=hours)
    for name, value in brand.items():
        setattr(case.brand, name, value)
    case.brand.save()
    return case


def said(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def row(page: str, label: str) -> str:
    return page.split(f'<span class="cell-main">{label}')[1].split("</tr>")[0]


def confirm_url(*cases) -> str:
    return f"{DESK}confirm/?{urlencode([('case', case.pk) for case in cases])}"


@pytest.mark.parametrize("stage", list(Stage))
def test_the_query_and_the_step_table_agree_on_who_owes_an_answer(stage):
    case = make_registration(stage)
    assert otp.owing().filter(pk=case.pk).exists() == verbs.otp_state(case).owed


def test_expired_ones_first_with_what_is_left(boss):
    owes("Fresh Fern", 1, otp_sends=1)
    owes("Late Lily", 30, otp_sends=2, registered_at=timezone.now() - timedelta(days=10, hours=1))
    owes("Nearly Nell", 21.5)
    make_registration(Stage.LIVE, label="Done Dora")
    page = boss.get(DESK).content.decode()
    assert page.index("Late Lily") < page.index("Nearly Nell") < page.index("Fresh Fern")
    assert "Done Dora" not in page
    late = row(page, "Late Lily")
    assert "Expired" in late
    assert "19 d left" in late
    assert "(415) 555-2672" in late
    assert '<td class="number" data-label="Sent">2</td>' in late
    assert "22 h" in row(page, "Fresh Fern")
    assert "+1 915-278-2000" in page
    assert "no code to type" in page


def test_nobody_owes_an_answer(boss):
    assert "Nobody owes an answer" in boss.get(DESK).content.decode()


def test_the_navigation_counts_them(boss):
    owes("One", 1)
    owes("Two", 2)
    page = boss.get("/admin/registrations/brand/").content.decode()
    assert '<span class="nav-count">2<span' in page


def test_queries_do_not_grow_with_the_customers(boss):
    owes("One", 30)
    boss.get(DESK)
    with CaptureQueriesContext(connection) as few:
        boss.get(DESK)
    for n in range(5):
        owes(f"Case {n}", n, otp_requested_at=timezone.now())
    with CaptureQueriesContext(connection) as many:
        boss.get(DESK)
    assert len(many) == len(few) <= 10


def test_under_way_and_refused_are_told_apart(boss):
    asked = timezone.now() - timedelta(minutes=2)
    owes("Under way", 3, otp_requested_at=asked)
    refused = owes("Refused", 3, otp_requested_at=asked)
    StepRun.objects.create(
        registration=refused,
        step="brand.send_otp",
        state=RunState.REJECTED,
        started_at=timezone.now(),
        finished_at=timezone.now(),
    )
    page = boss.get(DESK).content.decode()
    assert "Being sent" in row(page, "Under way")
    assert "chip-bad" in row(page, "Refused")
    assert "Being sent" not in row(page, "Refused")


def test_a_viewer_sees_but_cannot_choose(viewer, nobody):
    owes("One", 1)
    page = viewer.get(DESK).content.decode()
    assert "One" in page
    assert 'name="case"' not in page
    assert "Change mobile" not in page
    assert viewer.get(f"{DESK}confirm/?case=1").status_code == 403
    assert viewer.post(f"{DESK}resend/", {"case": "1"}).status_code == 403
    assert nobody.get(DESK).status_code == 403


def test_confirm_says_who_is_texted_and_who_is_not(agent):
    ready, cooling = owes("Ready Rose", 2), owes("Cooling Carl", 0)
    held = owes("Held Hanna", 2)
    verbs.hold(held, reason="Waits.", actor="ann")
    live = make_registration(Stage.LIVE, label="Done Dora")
    before = [state(case) for case in (ready, cooling, held, live)]
    page = agent.get(confirm_url(ready, cooling, held, live)).content.decode()
    assert "Send 1 text<" in page
    assert "3 are passed over" in page
    for case in (cooling, held, live):
        assert f"{case.label}: {verbs.otp_state(case).why_not}" in page
    assert page.count('<input type="hidden" name="case"') == 1
    assert [state(case) for case in (ready, cooling, held, live)] == before


@pytest.mark.parametrize("query", ["", "?case=", "?case=abc", "?case=-1", "?case=999999"])
def test_choosing_nobody_leads_back(agent, query):
    response = agent.get(f"{DESK}confirm/{query}")
    assert response.headers["Location"] == DESK
    assert "Choose at least one" in said(response)


def test_resend_is_by_post_alone(agent):
    case = owes("One", 2)
    before = state(case)
    assert agent.get(f"{DESK}resend/?case={case.pk}").status_code == 405
    assert "Choose" in said(agent.post(f"{DESK}resend/"))
    assert state(case) == before


def test_resend_to_many_tells_each_answer(agent):
    first, second, cooling = owes("First", 2), owes("Second", 3), owes("Cooling Carl", 0)
    response = agent.post(f"{DESK}resend/", {"case": [first.pk, second.pk, cooling.pk]})
    assert response.headers["Location"] == DESK
    assert "2 texts on the way" in said(response)
    assert "Cooling Carl: " in said(response)
    for case in (first, second, cooling):
        case.brand.refresh_from_db()
    assert first.brand.otp_requested_by == second.brand.otp_requested_by == "agent"
    assert cooling.brand.otp_requested_at is None


class TestMobile:
    def test_page_says_what_happens(self, agent):
        page = agent.get(desk_url(owes("One", 2), "mobile")).content.decode()
        assert "(415) 555-2672" in page
        assert "answer with the word YES" in page

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ("", "required"),
            ("12", "not a valid phone number"),
            ("+44 20 7946 0958", "only US and Canadian"),
            ("(415) 555-2672", "registered already"),
        ],
    )
    def test_wrong_numbers_are_refused_as_in_the_form(self, agent, typed, words):
        case = owes("One", 2)
        before = state(case)
        response = agent.post(desk_url(case, "mobile"), {"mobile_phone_number": typed, "fee": "0"})
        assert response.status_code == 422
        assert words in response.content.decode()
        assert state(case) == before

    def test_a_mobile_that_is_spent_is_refused(self, agent):
        other = {"trust_bundle": {"mobile_phone_number": "+14155552999"}}
        for n in range(3):
            make_registration(Stage.BRAND, label=f"Other {n}", parts=other)
        response = agent.post(
            desk_url(owes("One", 2), "mobile"), {"mobile_phone_number": "(415) 555-2999", "fee": "0"}
        )
        assert "was used for 3 other brands" in response.content.decode()

    def test_who_owes_nothing_is_led_back(self, agent):
        case = make_registration(Stage.LIVE)
        assert agent.get(desk_url(case, "mobile")).headers["Location"] == desk_url(case)

    def test_needs_the_permission(self, viewer):
        case = owes("One", 2)
        assert viewer.get(desk_url(case, "mobile")).status_code == 403
        assert (
            viewer.post(desk_url(case, "mobile"), {"mobile_phone_number": "+14155552673"}).status_code == 403
        )

    def test_saved_and_on_its_way(self, agent):
        case = owes("One", 2)
        response = agent.post(desk_url(case, "mobile"), {"mobile_phone_number": "(415) 555-2673", "fee": "0"})
        assert response.headers["Location"] == desk_url(case)
        case.trust_bundle.refresh_from_db()
        case.refresh_from_db()
        assert str(case.trust_bundle.mobile_phone_number) == "+14155552673"
        assert case.is_submitted
