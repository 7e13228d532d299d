"""The page "OTP texts": who is listed, in which order, and what can be done there."""

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registrations.models import ApiCall, Batch, Registration
from registrations.models.choices import CallState, Stage
from registrations.operations import actions, bulk, otp
from registrations.reporting import statistics
from registrations.workflow.recorder import recorder
from registrations.workflow.steps import BY_SLUG
from tests.admin.conftest import browser, page_url, person, state
from tests.factories import make_registration

pytestmark = pytest.mark.django_db
LIST = "/admin/registrations/registration/otp/"
START = "/admin/registrations/batch/start/otp/"


@pytest.fixture(autouse=True)
def real_time(settings):
    settings.A2P_TIME_SCALE = 1


def waiting(label: str, hours: float, **brand):
    """A customer who has not replied YES to a text sent this many hours ago."""
    registration = make_registration(Stage.OTP, label=label)
    registration.brand.otp_sent_at = timezone.now() - timedelta(hours=hours)
    for name, value in brand.items():
        setattr(registration.brand, name, value)
    registration.brand.save()
    return registration


def messages_of(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def row(page: str, label: str) -> str:
    return page.split(f'<span class="cell-main">{label}')[1].split("</tr>")[0]


@pytest.mark.parametrize("stage", list(Stage))
def test_the_query_and_the_step_table_agree_on_who_is_waiting_for_a_yes(stage):
    registration = make_registration(stage)
    assert statistics.owing().filter(pk=registration.pk).exists() == otp.state(registration).owed


def test_expired_texts_come_first_with_the_time_left(boss):
    waiting("Fresh Fern", 1, otp_sends=1)
    waiting("Late Lily", 30, otp_sends=2, registered_at=timezone.now() - timedelta(days=10, hours=1))
    waiting("Nearly Nell", 21.5)
    make_registration(Stage.LIVE, label="Done Dora")
    page = boss.get(LIST).content.decode()
    assert page.index("Late Lily") < page.index("Nearly Nell") < page.index("Fresh Fern")
    assert "Done Dora" not in page
    late = row(page, "Late Lily")
    assert "Expired" in late
    assert "19 d" in late
    assert "(415) 555-2672" in late
    assert '<td class="number" data-label="Sent">2</td>' in late
    assert "22 h" in row(page, "Fresh Fern")
    assert "+1 915-278-2000" in page
    assert "no code to type" in page


def test_resending_to_one_is_offered_when_it_is_possible(boss, viewer):
    ready, waits = (
        waiting("Ready", 3),
        [waiting("Cooling", 0), waiting("Asked", 3, otp_requested_at=timezone.now())],
    )
    page = boss.get(LIST).content.decode()
    assert page_url(ready, "confirm/resend-otp") in row(page, "Ready")
    for registration in waits:
        assert otp.state(registration).why_not
        assert page_url(registration, "confirm/resend-otp") not in page
    assert page_url(ready, "confirm/resend-otp") not in viewer.get(LIST).content.decode()


def test_an_empty_list(boss):
    assert "No OTP texts are waiting for a reply" in boss.get(LIST).content.decode()


def test_the_navigation_counts_them(boss):
    waiting("One", 1)
    waiting("Two", 2)
    page = boss.get("/admin/registrations/brand/").content.decode()
    assert '<span class="nav-count">2<span' in page


def test_queries_do_not_grow_with_the_customers(boss):
    waiting("One", 30)
    boss.get(LIST)
    with CaptureQueriesContext(connection) as few:
        boss.get(LIST)
    for n in range(5):
        waiting(f"Registration {n}", n, otp_requested_at=timezone.now())
    with CaptureQueriesContext(connection) as many:
        boss.get(LIST)
    assert len(many) == len(few) <= 10


def test_sending_and_rejected_texts_look_different(boss):
    asked = timezone.now() - timedelta(minutes=2)
    waiting("Under way", 3, otp_requested_at=asked)
    refused = waiting("Refused", 3, otp_requested_at=asked)
    ApiCall.objects.create(
        registration=refused,
        step="brand.send_otp",
        state=CallState.REJECTED,
        started_at=timezone.now(),
        finished_at=timezone.now(),
    )
    page = boss.get(LIST).content.decode()
    assert "Sending" in row(page, "Under way")
    assert "chip-bad" in row(page, "Refused")
    assert "Sending" not in row(page, "Refused")


def test_a_viewer_sees_but_cannot_select(viewer, nobody):
    waiting("One", 1)
    page = viewer.get(LIST).content.decode()
    assert "One" in page
    assert 'name="registration"' not in page
    assert "Change mobile" not in page
    assert viewer.post(START, {"registration": "1"}).status_code == 403
    assert nobody.get(LIST).status_code == 403


class TestResendingToMany:
    def test_the_selected_make_a_batch_that_shows_who_is_texted(self, boss):
        ready, cooling, other = waiting("Ready Rose", 2), waiting("Cooling Carl", 0), waiting("Other Olga", 2)
        before = [state(registration) for registration in (ready, cooling, other)]
        response = boss.post(START, {"registration": [ready.pk, cooling.pk, "abc", "-1", "999999"]})
        batch = Batch.objects.get()
        assert response.headers["Location"] == f"/admin/registrations/batch/{batch.pk}/"
        bulk.advance(batch.pk)
        page = boss.get(response.headers["Location"]).content.decode()
        assert "Resend OTP text · 1 registration<" in page
        assert otp.state(cooling).why_not in page
        assert "Other Olga" not in page
        assert [state(registration) for registration in (ready, cooling, other)] == before

    def test_all_on_the_list(self, boss):
        pks = [waiting(f"Registration {n}", 2).pk for n in range(3)]
        make_registration(Stage.LIVE, label="Done Dora")
        boss.post(START, {"all": "1"})
        assert Batch.objects.get().params["chosen"] == pks

    @pytest.mark.parametrize("registrations", [[], [""], ["abc"], ["-1"], ["999999"], ["²"]])
    def test_selecting_nobody_leads_back(self, boss, registrations):
        response = boss.post(START, {"registration": registrations})
        assert response.headers["Location"] == LIST
        assert "Select at least one" in messages_of(response)
        assert not Batch.objects.exists()

    def test_needs_post_and_the_bulk_permission(self, boss, agent):
        registration = waiting("One", 2)
        assert boss.get(START).status_code == 405
        assert agent.post(START, {"registration": registration.pk}).status_code == 403
        assert 'name="registration"' not in agent.get(LIST).content.decode()
        assert not Batch.objects.exists()

    @pytest.mark.parametrize("kind", ["nonsense", "group_edit"])
    def test_an_unknown_action(self, boss, kind):
        assert boss.post(START.replace("otp", kind), {"all": "1"}).status_code == 404


class TestMobile:
    def test_page_says_what_happens(self, agent):
        page = agent.get(page_url(waiting("One", 2), "mobile")).content.decode()
        assert "(415) 555-2672" in page
        assert "reply with the word YES" in page

    @pytest.mark.parametrize(
        ("typed", "error"),
        [
            ("", "required"),
            ("12", "not a valid phone number"),
            ("+44 20 7946 0958", "only US and Canadian"),
            ("(415) 555-2672", "already registered"),
        ],
    )
    def test_invalid_numbers_are_rejected_like_in_the_form(self, agent, typed, error):
        registration = waiting("One", 2)
        before = state(registration)
        response = agent.post(page_url(registration, "mobile"), {"mobile_phone_number": typed, "fee": "0"})
        assert response.status_code == 422
        assert error in response.content.decode()
        assert state(registration) == before

    def test_a_used_up_mobile_is_rejected(self, agent):
        other = {"trust_bundle": {"mobile_phone_number": "+14155552999"}}
        for n in range(3):
            make_registration(Stage.BRAND, label=f"Other {n}", parts=other)
        registration = waiting("One", 2)
        Registration.objects.filter(pk=registration.pk).update(limit_override="Agreed for the former mobile.")
        before = state(registration)
        typed = {"mobile_phone_number": "(415) 555-2999", "fee": "0", "revision": registration.revision}
        typed["limit_reason"] = "I say so."
        page = agent.post(page_url(registration, "mobile"), typed).content.decode()
        assert "was used for 3 other brands" in page
        assert 'name="limit_reason"' not in page
        assert state(registration) == before

        chief = browser(person("chief", "view_registration", "change_registration", "override_limits"))
        page = chief.post(page_url(registration, "mobile"), typed | {"limit_reason": " "}).content.decode()
        assert 'name="limit_reason"' in page
        assert state(registration) == before
        assert chief.post(page_url(registration, "mobile"), typed).status_code == 302
        registration.refresh_from_db()
        assert registration.limit_override == "I say so."
        assert registration.events.filter(tag="limits:overridden", actor="chief").exists()
        registration.trust_bundle.refresh_from_db()
        assert str(registration.trust_bundle.mobile_phone_number) == "+14155552999"

    def test_without_a_pending_yes_it_redirects(self, agent):
        registration = make_registration(Stage.LIVE)
        assert agent.get(page_url(registration, "mobile")).headers["Location"] == page_url(registration)

    def test_needs_the_permission(self, viewer):
        registration = waiting("One", 2)
        assert viewer.get(page_url(registration, "mobile")).status_code == 403
        assert (
            viewer.post(page_url(registration, "mobile"), {"mobile_phone_number": "+14155552673"}).status_code
            == 403
        )

    def test_a_colleagues_edit_is_not_submitted_silently(self, agent):
        registration = waiting("One", 2)
        typed = {"mobile_phone_number": "(415) 555-2673", "fee": "0", "revision": registration.revision}
        actions.edit(registration, {"profile": {"city": "Salem"}}, actor="bob")
        response = agent.post(page_url(registration, "mobile"), typed)
        assert response.status_code == 409
        page = response.content.decode()
        assert "Someone edited this registration" in page
        assert "They are submitted, too." in page
        registration.refresh_from_db()
        assert not registration.is_submitted
        assert f'name="revision" value="{registration.revision}"' in page

    def test_saved_and_submitted(self, agent):
        registration = waiting("One", 2)
        typed = {"mobile_phone_number": "(415) 555-2673", "fee": "0", "revision": registration.revision}
        response = agent.post(page_url(registration, "mobile"), typed)
        assert response.headers["Location"] == page_url(registration)
        registration.trust_bundle.refresh_from_db()
        registration.refresh_from_db()
        assert str(registration.trust_bundle.mobile_phone_number) == "+14155552673"
        assert registration.is_submitted


class TestResendFromTheRegistrationPage:
    """The confirm page shows the recipient, the texts so far, and the message for the customer."""

    def texted(self, hours: float) -> Registration:
        registration = make_registration(Stage.OTP)
        registration.brand.otp_sent_at, registration.brand.otp_sends = (
            timezone.now() - timedelta(hours=hours),
            2,
        )
        registration.brand.save()
        return registration

    def test_a_click_opens_the_confirm_page_and_sends_nothing(self, agent):
        registration = self.texted(20.5)
        before = state(registration)
        assert (
            page_url(registration, "confirm/resend-otp") in agent.get(page_url(registration)).content.decode()
        )
        page = agent.get(page_url(registration, "confirm/resend-otp")).content.decode()
        assert "(•••) •••-2672" in page
        assert "555-2672" not in page
        for words in ("2 times", "valid for 3 h", "the word YES", "Resend OTP text", "Change mobile"):
            assert words in page
        assert state(registration) == before

    def test_an_expired_text_is_shown(self, agent):
        assert "expired" in agent.get(page_url(self.texted(25), "confirm/resend-otp")).content.decode()

    def test_during_the_cooldown_there_is_no_button(self, agent):
        registration = self.texted(0.02)
        page = agent.get(page_url(registration, "confirm/resend-otp")).content.decode()
        assert "in 3 min" in page
        assert "An OTP text was just sent." in page
        assert "btn-primary" not in page

    def test_unsent_edits_come_first(self, agent):
        registration = self.texted(1)
        Registration.objects.filter(pk=registration.pk).update(revision=registration.revision + 1)
        page = agent.get(page_url(registration, "confirm/resend-otp")).content.decode()
        assert "Submit them first." in page
        assert "btn-primary" not in page

    def test_no_text_while_the_registration_is_removed(self):
        registration = self.texted(1)
        Registration.objects.filter(pk=registration.pk).update(removing=True)
        with pytest.raises(actions.Refused, match="removed"):
            otp.resend(registration, actor="ann")

    def test_confirmed_for_another_revision_is_refused(self, agent):
        registration = self.texted(1)
        agent.post(page_url(registration, "action/resend-otp"), {"revision": "9"})
        registration.brand.refresh_from_db()
        assert registration.brand.otp_requested_at is None

    def test_a_viewer_cannot_resend(self, viewer):
        registration = self.texted(1)
        assert viewer.get(page_url(registration, "confirm/resend-otp")).status_code == 403
        assert "confirm/resend-otp" not in viewer.get(page_url(registration)).content.decode()


def test_a_brand_approved_again_has_one_more_text_and_no_old_request(agent):
    registration = waiting("One", 2, otp_sends=2, otp_requested_at=timezone.now())
    registration.brand.status = "FAILED"
    update, review = BY_SLUG["brand.update"], BY_SLUG["brand.review"]
    recorder.record(registration, update, {"status": "PENDING"}, update.request_params(registration))
    recorder.refresh(registration, review, {"status": "APPROVED", "identity_status": "UNVERIFIED"})
    registration.brand.refresh_from_db()
    assert (registration.brand.otp_sends, registration.brand.otp_requested_at) == (3, None)
    assert timezone.now() - registration.brand.otp_sent_at < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("told", "hours"),
    [
        (lambda now: (now - timedelta(hours=20)).strftime("%Y-%m-%dT%H:%M:%SZ"), 4),
        (lambda now: (now + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%SZ"), 24),  # its clock is wrong
        (lambda now: "2026-13-45T99:00:00Z", 24),
        (lambda now: None, 24),
        (lambda now: "as before", 24),
    ],
)
def test_a_text_that_went_out_while_nobody_looked_has_fewer_hours_left(told, hours):
    registration = make_registration(Stage.BRAND)
    registration.brand.payload = {"date_updated": "as before"}
    now = timezone.now()
    answer = {"status": "APPROVED", "identity_status": "UNVERIFIED", "date_updated": told(now)}
    recorder.refresh(registration, BY_SLUG["brand.review"], answer)
    registration.brand.refresh_from_db()
    assert round((registration.brand.otp_expires_at - now).total_seconds() / 3600) == hours
