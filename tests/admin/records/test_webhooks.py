"""What Twilio delivered, and the page of settings and health."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registrations.models import Heartbeat, WebhookDelivery
from registrations.models.choices import Stage
from registrations.operations.webhooks import event_streams
from tests.admin.conftest import browser, person
from tests.factories import make_registration

pytestmark = pytest.mark.django_db
LIST = "/admin/registrations/webhookdelivery/"
HEALTH = f"{LIST}health/"
HOSTILE = "<script>alert(1)</script>"
Kind, State = WebhookDelivery.Kind, WebhookDelivery.State


def delivery(**fields) -> WebhookDelivery:
    values = {
        "kind": Kind.EVENTS,
        "event_type": "com.twilio.messaging.compliance.brand-failure.brand-failure",
    }
    return WebhookDelivery.objects.create(**values | fields)


def change(row: WebhookDelivery) -> str:
    return f"{LIST}{row.pk}/change/"


class TestList:
    def test_shows_what_came_and_what_became_of_it(self, boss):
        registration = make_registration(Stage.OTP, label="Corner Bakery")
        delivery(
            registration=registration,
            subject=registration.brand.sid,
            state=State.PROCESSED,
            note="Looking at Twilio.",
        )
        delivery(kind=Kind.BUNDLE_STATUS, event_type="", status="brand-new-word", state=State.ERRORED)
        page = boss.get(LIST).content.decode()
        assert ">brand-failure</span>" in page
        for words in ("Corner Bakery", "Looking at Twilio.", "brand-new-word", registration.brand.sid):
            assert words in page

    def test_filters_and_search(self, boss):
        one = delivery(subject="BN" + "1" * 32, state=State.ERRORED)
        two = delivery(kind=Kind.BUNDLE_STATUS, event_type="", status="in-review", state=State.IGNORED)
        for query in ("state__exact=errored", "kind__exact=events", f"q={one.subject}", "q=brand-failure"):
            page = boss.get(f"{LIST}?{query}").content.decode()
            assert str(one.pk) in page, query
            assert str(two.pk) not in page, query

    def test_queries_do_not_grow_with_the_rows(self, boss):
        registration = make_registration(Stage.OTP)
        delivery(registration=registration)
        boss.get(LIST)
        with CaptureQueriesContext(connection) as few:
            boss.get(LIST)
        for _ in range(5):
            delivery(registration=registration)
        with CaptureQueriesContext(connection) as many:
            boss.get(LIST)
        assert len(many) == len(few) <= 10

    def test_nobody_may_write_it(self, boss):
        row = delivery()
        assert boss.get(f"{LIST}add/").status_code == 403
        assert boss.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
        assert WebhookDelivery.objects.filter(pk=row.pk).exists()


class TestPage:
    def test_raw_body_and_traceback_stand_folded_and_escaped(self, boss):
        row = delivery(
            body=f'{{"a": "{HOSTILE}"}}', note=HOSTILE, traceback=HOSTILE, reason=HOSTILE, subject=HOSTILE
        )
        page = boss.get(change(row)).content.decode()
        assert "<script>alert" not in page
        assert '<details id="raw"' in page
        assert '<details id="traceback"' in page

    @pytest.mark.parametrize("body", ["", "no json", "[1", "[" * 2000, "BundleSid=BU1&Status=draft"])
    def test_any_body_is_shown(self, boss, body):
        response = boss.get(change(delivery(body=body)))
        assert response.status_code == 200
        assert body.replace("&", "&amp;") in response.content.decode()

    def test_who_may_see_it(self, viewer, nobody):
        row = delivery()
        reader = browser(person("reader", "view_webhookdelivery"))
        assert "Replay" not in reader.get(change(row)).content.decode()
        for client in (viewer, nobody):
            for url in (LIST, change(row), HEALTH):
                assert client.get(url).status_code == 403


class TestReplay:
    def test_by_post_and_with_the_permission_alone(self, boss):
        row = delivery(state=State.ERRORED)
        url = f"{LIST}{row.pk}/replay/"
        assert boss.get(url).status_code == 405
        reader = browser(person("reader", "view_webhookdelivery"))
        assert reader.post(url).status_code == 403
        assert boss.post(f"{LIST}{uuid.uuid4()}/replay/").status_code == 404
        row.refresh_from_db()
        assert row.state == State.ERRORED

    def test_it_is_processed_again(self, boss):
        body = '{"type": "com.twilio.messaging.compliance.brand-failure.brand-failure", "data": {}}'
        row = delivery(state=State.ERRORED, body=body, traceback="Before.")
        response = boss.post(f"{LIST}{row.pk}/replay/")
        assert response.headers["Location"] == change(row)
        row.refresh_from_db()
        assert row.state == State.RECEIVED
        assert row.replayed_by == "boss"
        assert "Delivery replayed" in boss.get(change(row)).content.decode()

    def test_what_cannot_be_read_still_cannot_be_read(self, boss):
        row = delivery(state=State.ERRORED, body="no json")
        page = boss.post(f"{LIST}{row.pk}/replay/", follow=True).content.decode()
        assert "Still cannot be processed" in page


class TestErrors:
    ERRORS = f"{LIST}errors/"

    def test_one_is_dismissed(self, boss):
        row = delivery(state=State.ERRORED, note="The body is not JSON.", traceback="Before.")
        url = f"{LIST}{row.pk}/dismiss/"
        assert boss.get(url).status_code == 405
        assert browser(person("reader", "view_webhookdelivery")).post(url).status_code == 403
        assert "no longer counts" in boss.post(url, follow=True).content.decode()
        row.refresh_from_db()
        assert (row.state, row.note) == (State.IGNORED, "Dismissed by boss. The body is not JSON.")
        assert row.traceback == "Before."
        assert "with an error" not in boss.get(HEALTH).content.decode()

    def test_all_are_replayed_or_dismissed(self, boss):
        body = '{"type": "com.twilio.messaging.compliance.brand-failure.brand-failure", "data": {}}'
        ours, noise = delivery(state=State.ERRORED, body=body), delivery(state=State.ERRORED, body="no json")
        fine = delivery(state=State.PROCESSED, note="x" * 300)
        assert boss.get(self.ERRORS).status_code == 405
        assert browser(person("reader", "view_webhookdelivery")).post(self.ERRORS).status_code == 403
        assert "2 with an error" in boss.get(HEALTH).content.decode()
        assert "2 deliveries." in boss.post(self.ERRORS, {"action": "replay"}, follow=True).content.decode()
        assert "1 delivery." in boss.post(self.ERRORS, {"action": "dismiss"}, follow=True).content.decode()
        states = [WebhookDelivery.objects.get(pk=row.pk).state for row in (ours, noise, fine)]
        assert states == [State.RECEIVED, State.IGNORED, State.PROCESSED]


class TestHealth:
    def test_secrets_are_never_shown(self, boss, settings):
        secrets = {
            "TWILIO_AUTH_TOKEN": "tok-one-secret,tok-two-secret",
            "TWILIO_API_KEY_SID": "SK" + "1" * 32,
            "TWILIO_API_KEY_SECRET": "key-secret",
            "TWILIO_WEBHOOK_SHARED_KEY": "shared-secret",
            "TWILIO_NOTIFICATION_EMAIL": "office@secret.example",
            "SECRET_KEY": settings.SECRET_KEY,
        }
        for name, value in secrets.items():
            setattr(settings, name, value)
        page = boss.get(HEALTH).content.decode()
        for value in secrets.values():
            for one in value.split(","):
                assert one not in page
        assert "2 accepted" in page
        assert settings.TWILIO_ACCOUNT_SID in page

    def test_worker_deliveries_and_checks(self, boss, settings):
        settings.PUBLIC_BASE_URL = "https://a2p.example.com"
        settings.TWILIO_PRIMARY_PROFILE_SID = ""
        Heartbeat.objects.create(name="worker:alpha", at=timezone.now(), detail={"workers": 4, "running": 1})
        Heartbeat.objects.create(name="worker:beta", at=timezone.now() - timedelta(hours=1))
        delivery(state=State.ERRORED, received_at=timezone.now() - timedelta(days=3))
        page = boss.get(HEALTH).content.decode()
        assert "https://a2p.example.com/twilio/events/" in page
        assert "manage.py setup_event_streams" in page
        assert "TWILIO_PRIMARY_PROFILE_SID is not set." in page
        assert "4 processes, 1 busy" in page
        assert page.index("alpha") < page.index("beta")
        assert "Silent" in page
        assert "3 d ago" in page
        assert "1 error<" in page
        assert "None yet" in page

    def test_without_a_public_address_it_says_what_is_lost(self, boss, settings):
        settings.PUBLIC_BASE_URL = ""
        assert "Without PUBLIC_BASE_URL" in boss.get(HEALTH).content.decode()

    def test_silent_webhooks_are_said_loudly(self, boss, settings):
        settings.PUBLIC_BASE_URL = "https://a2p.example.com"
        registration = make_registration(Stage.OTP)
        assert "but no webhook arrived" not in boss.get(HEALTH).content.decode()
        registration.brand.poll_found_at = timezone.now() - timedelta(hours=1)
        registration.brand.save()
        page = boss.get(HEALTH).content.decode()
        assert page.count("but no webhook arrived") == 1
        assert "1 decision found by polling" in page
        assert "Needs attention" in page

    def test_needs_attention_when_no_worker_runs(self, boss):
        page = boss.get(HEALTH).content.decode()
        assert "Needs attention" in page
        assert "No worker is running" in page


@pytest.mark.django_db(transaction=True)
class TestEventStreamsButton:
    URL = "/admin/registrations/webhookdelivery/event-streams/"

    def test_it_is_a_post_and_enqueues_a_job(self, admin_client):
        from django_q.models import OrmQ

        assert admin_client.get(self.URL).status_code == 405
        assert OrmQ.objects.count() == 0
        assert admin_client.post(self.URL).status_code == 302
        assert OrmQ.objects.count() == 1

    def test_the_job_keeps_its_report_for_the_page(self, admin_client, sandbox, settings, monkeypatch):
        from registrations.worker import jobs

        # The half minute in which the test event does not come is waited for by nobody here.
        waited: list[float] = []
        monkeypatch.setattr(jobs, "pause", waited.append)
        settings.PUBLIC_BASE_URL = "https://127.0.0.1:9"
        jobs.set_up_event_streams()
        assert sum(waited) == event_streams.TEST_SECONDS
        page = admin_client.get(HEALTH).content.decode()
        assert "Needs fixing" in page
        assert "No test event arrived within 30 s" in page
