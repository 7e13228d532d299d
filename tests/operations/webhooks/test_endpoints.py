"""The two ways in: who is let in, what is kept, what is answered."""

import json
import tracemalloc
from unittest.mock import patch

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_q.models import OrmQ

from registrations.core import clock
from registrations.models import ApiCall, WebhookDelivery
from registrations.models.choices import Stage
from registrations.operations.webhooks import views
from registrations.twilio.client.signatures import FORM, signature
from registrations.workflow.steps import payloads
from tests.factories import make_registration
from tests.operations.webhooks.conftest import BUNDLE, EVENTS_PATH, STATUS_PATH, Twilio, event

pytestmark = pytest.mark.django_db
REJECTED = {"AccountSid": "AC1", "BundleSid": BUNDLE, "Status": "twilio-rejected", "FailureReason": "No."}


def rows() -> list[WebhookDelivery]:
    return list(WebhookDelivery.objects.order_by("received_at"))


def test_new_bundles_are_asked_to_call_back_here(twilio):
    assert payloads.status_callback() == "https://desk.example.com/twilio/bundle-status/#rc=5&rp=all"
    assert reverse("twilio-events") == EVENTS_PATH


class TestSignatures:
    def test_what_twilio_signed_is_stored_and_a_job_is_queued(self, twilio: Twilio):
        assert twilio.status(REJECTED).status_code == 204
        (row,) = rows()
        assert (row.kind, row.state, row.subject) == ("bundle_status", "received", BUNDLE)
        assert (row.status, row.reason) == ("twilio-rejected", "No.")
        assert "FailureReason=No." in row.body
        assert OrmQ.objects.count() == 1

    @pytest.mark.parametrize("signed", [None, "", "bm8=", "é", "x" * 5000])
    @pytest.mark.parametrize("path", [STATUS_PATH, EVENTS_PATH])
    def test_unsigned_is_refused_and_leaves_nothing(self, twilio: Twilio, path, signed):
        kind = FORM if path == STATUS_PATH else "application/json"
        answer = twilio.send(path, b"BundleSid=BU1&Status=draft", kind, signed)
        assert answer.status_code == 403
        assert rows() == []
        assert OrmQ.objects.count() == 0

    def test_another_body_than_the_signed_one_is_refused(self, twilio: Twilio):
        signed = signature(twilio.base + STATUS_PATH, REJECTED, twilio.secret)
        assert twilio.send(STATUS_PATH, b"BundleSid=BU1&Status=x", FORM, signed).status_code == 403
        body = b"[]"
        path = EVENTS_PATH + "?bodySHA256=" + "0" * 64
        signed = signature(twilio.base + path, {}, twilio.secret)
        assert twilio.send(path, body, "application/json", signed).status_code == 403
        # A JSON body without its hash is covered by no signature.
        signed = signature(twilio.base + EVENTS_PATH, {}, twilio.secret)
        assert twilio.send(EVENTS_PATH, body, "application/json", signed).status_code == 403
        assert rows() == []

    def test_both_tokens_count_while_one_is_being_rotated(self, twilio: Twilio, settings):
        settings.TWILIO_AUTH_TOKEN = "newtoken,oldtoken"
        assert twilio.status(REJECTED, secret="oldtoken").status_code == 204
        assert (
            twilio.events([event("brand-registration.brand-registered")], secret="newtoken").status_code
            == 204
        )
        assert twilio.status(REJECTED, secret="stolen").status_code == 403

    def test_shared_keys(self, twilio: Twilio, settings):
        settings.TWILIO_WEBHOOK_SHARED_KEY = "shared"
        signed = signature(twilio.base + STATUS_PATH, REJECTED, "shared", "HMAC_SHA256")
        body = "&".join(f"{key}={value}" for key, value in REJECTED.items()).encode()
        answer = twilio.client.post(
            STATUS_PATH, body, content_type=FORM,
            headers={"X-Twilio-Signature": signed,
                     "X-Twilio-Webhooks-Signature-Settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"},
        )  # fmt: skip
        assert answer.status_code == 204

    def test_the_signed_url_is_the_public_one_whatever_the_proxy_made_of_it(self, twilio: Twilio):
        signed = signature(twilio.base + STATUS_PATH, REJECTED, twilio.secret)
        inner = Client(headers={"Host": "127.0.0.1", "X-Forwarded-Proto": "http"})
        body = "&".join(f"{key}={value}" for key, value in REJECTED.items()).encode()
        answer = inner.post(STATUS_PATH, body, content_type=FORM, headers={"X-Twilio-Signature": signed})
        assert answer.status_code == 204

    def test_without_a_public_address_nothing_can_be_signed(self, twilio: Twilio, settings):
        settings.PUBLIC_BASE_URL = ""
        assert twilio.status(REJECTED).status_code == 403


class TestDoors:
    @pytest.mark.parametrize("path", [STATUS_PATH, EVENTS_PATH])
    def test_get_changes_nothing(self, twilio: Twilio, path):
        assert twilio.client.get(path).status_code == 405

    def test_neither_login_nor_csrf_token_is_asked_for(self, twilio: Twilio):
        twilio.client = Client(enforce_csrf_checks=True)
        assert twilio.status(REJECTED).status_code == 204

    @pytest.mark.parametrize("path", [STATUS_PATH, EVENTS_PATH])
    def test_a_large_body_is_refused(self, twilio: Twilio, path):
        body = b"x" * (views.MAX_BODY_BYTES + 1)
        assert twilio.send(path, body, "application/json", "sig").status_code == 413
        assert rows() == []

    def test_a_declared_length_is_enough_to_refuse(self, twilio: Twilio):
        tracemalloc.start()
        answer = twilio.client.generic("POST", EVENTS_PATH, b"", CONTENT_LENGTH=str(10**9))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert answer.status_code == 413
        assert peak < 5_000_000

    def test_a_batch_costs_one_look_and_two_inserts(self, twilio: Twilio):
        with CaptureQueriesContext(connection) as queries:
            twilio.events(
                [event("brand-registration.brand-registered", brandsid=f"BN{n}") for n in range(20)]
            )
        statements = [q["sql"] for q in queries if q["sql"].startswith(("SELECT", "INSERT", "UPDATE"))]
        assert [sql.split()[0] for sql in statements] == ["SELECT", "INSERT", "INSERT"]
        assert WebhookDelivery.objects.count() == 20
        assert OrmQ.objects.count() == 1

    def test_delivery_and_job_are_stored_together_or_not_at_all(self, twilio: Twilio):
        twilio.client.raise_request_exception = False
        with patch("registrations.core.queue.async_task", side_effect=RuntimeError):
            assert twilio.status(REJECTED).status_code == 500
        assert rows() == []


class TestStatusForms:
    @pytest.mark.parametrize(
        "names",
        [("BundleSid", "Status", "FailureReason"), ("BundleSID", "Status", "FailureReason"),
         ("bundlesid", "status", "failurereason"), ("BUNDLESID", "STATUS", "FAILUREREASON")],
    )  # fmt: skip
    def test_keys_in_any_registration(self, twilio: Twilio, names):
        twilio.status(dict(zip(names, (BUNDLE, "twilio-rejected", "No."), strict=True)))
        (row,) = rows()
        assert (row.subject, row.status, row.reason) == (BUNDLE, "twilio-rejected", "No.")

    def test_a_token_names_one_delivery(self, twilio: Twilio):
        assert twilio.status(REJECTED, token="a").status_code == 204
        assert twilio.status(REJECTED, token="a").status_code == 200
        assert twilio.status(REJECTED, token="b").status_code == 204
        assert len(rows()) == 2

    def test_without_a_token_the_newest_callback_of_the_bundle_tells_a_repeat(
        self, twilio: Twilio, time_machine
    ):
        time_machine.move_to("2026-11-01T10:00:00Z", tick=False)
        sent_again = {**REJECTED, "Status": "pending-review", "FailureReason": ""}
        assert twilio.status(REJECTED).status_code == 204
        time_machine.shift(1)
        assert twilio.status(REJECTED).status_code == 200
        assert twilio.status({**REJECTED, "BundleSid": "BU" + "6" * 32}).status_code == 204
        assert twilio.status(sent_again).status_code == 204
        time_machine.shift(1)
        # Rejected again for the same reason: something new happened in between.
        assert twilio.status(REJECTED).status_code == 204
        time_machine.shift(61)
        # Twilio repeats within seconds; a minute later it is another rejection whose forerunner was lost.
        assert twilio.status(REJECTED).status_code == 204
        assert OrmQ.objects.count() == 5

    def test_the_same_words_within_a_minute_may_be_the_answer_to_a_second_submission(self, twilio: Twilio):
        registration = make_registration(Stage.PROFILE)
        told = {**REJECTED, "BundleSid": registration.profile.sid}
        assert [twilio.status(told).status_code for _ in range(2)] == [204, 200]
        ApiCall.objects.create(registration=registration, step="profile.submit", started_at=clock.now())
        assert [twilio.status(told).status_code for _ in range(2)] == [204, 200]

    def test_a_token_that_is_used_for_two_callbacks_loses_neither(self, twilio: Twilio):
        other = {**REJECTED, "FailureReason": "Another."}
        assert [twilio.status(one, token="a").status_code for one in (REJECTED, other, other)] == [
            204,
            204,
            200,
        ]

    @pytest.mark.parametrize("fields", [{"Status": "draft"}, {"BundleSid": BUNDLE}, {"Hello": "World"}])
    def test_signed_nonsense_is_kept_for_a_person(self, twilio: Twilio, fields):
        assert twilio.status(fields).status_code == 204
        assert twilio.status(fields).status_code == 200
        (row,) = rows()
        assert row.state == "errored"
        assert row.note
        assert OrmQ.objects.count() == 0

    def test_what_no_database_stores_is_fixed(self, twilio: Twilio):
        fields = {"BundleSid": BUNDLE, "Status": "x" * 500, "FailureReason": "a\0b"}
        assert twilio.status(fields).status_code == 204
        (row,) = rows()
        assert row.status == "x" * 64
        assert row.reason == "a\ufffdb"

    def test_json_at_the_form_endpoint_is_kept(self, twilio: Twilio):
        assert twilio.json(b'{"a": 1}', path=STATUS_PATH).status_code == 204
        assert rows()[0].state == "errored"


class TestEvents:
    def test_a_batch_makes_one_row_an_event_and_keeps_each_as_it_came(self, twilio: Twilio):
        batch = [
            event("brand-registration.brand-registered", brandsid="BN1"),
            event("campaign-registration.campaign-approved", messagingservicesid="MG1", campaignsid="CM1"),
            event("number-registration.successful", phonenumbersid="PN1"),
        ]
        assert twilio.events(batch).status_code == 204
        stored = {row.subject: row for row in rows()}
        assert set(stored) == {"BN1", "MG1", "PN1"}
        assert json.loads(stored["MG1"].body) == batch[1]
        assert stored["MG1"].event_id == batch[1]["id"]
        assert stored["MG1"].event_time.isoformat() == "2026-11-01T10:00:00+00:00"

    def test_one_bare_object(self, twilio: Twilio):
        assert twilio.events(event("brand-registration.brand-failure", brandsid="BN1")).status_code == 204
        assert rows()[0].subject == "BN1"

    def test_an_id_is_stored_once_also_inside_one_batch(self, twilio: Twilio):
        one = event("brand-registration.brand-registered", id="same", brandsid="BN1")
        other = event("brand-registration.brand-registered", id="other", brandsid="BN1")
        assert twilio.events([one, one]).status_code == 204
        assert twilio.events([one]).status_code == 200
        assert twilio.events([one, other]).status_code == 204
        assert sorted(row.event_id for row in rows()) == ["other", "same"]

    def test_test_events_share_an_id_and_are_all_kept(self, twilio: Twilio, settings):
        test = {"type": "com.twilio.eventstreams.test-event", "id": settings.TWILIO_ACCOUNT_SID, "data": {}}
        assert [twilio.events([test]).status_code for _ in range(3)] == [204] * 3
        assert len(rows()) == 3

    def test_data_as_a_json_string(self, twilio: Twilio):
        stringed = event("brand-registration.brand-registered") | {
            "data": '{"BrandSid": 1, "brandsid": "BN7"}'
        }
        twilio.events([stringed])
        assert rows()[0].subject == "BN7"

    @pytest.mark.parametrize(
        "body",
        [b"not json", b"\xff\xfe", b"[" * 3000, b'"text"', b"17", b"null", b"[null, 3, []]", b'{"id": 1}',
         b'[{"type": 7}]', b"1" * 5000],
    )  # fmt: skip
    def test_signed_nonsense_is_kept_and_answered_2xx(self, twilio: Twilio, body):
        assert twilio.json(body).status_code == 204
        assert twilio.json(body).status_code == 200
        assert {row.state for row in rows()} == {"errored"}
        assert OrmQ.objects.count() == 0

    def test_long_ids_that_differ_at_their_end(self, twilio: Twilio):
        ids = ["x" * 120 + end for end in ("a", "b", "a")]
        codes = [twilio.events([event("something.new", id=name)]).status_code for name in ids]
        assert codes == [204, 204, 200]

    def test_a_byte_order_mark(self, twilio: Twilio):
        body = json.dumps(event("brand-registration.brand-failure", brandsid="BN1"))
        assert twilio.json(("\ufeff" + body).encode()).status_code == 204
        assert rows()[0].subject == "BN1"

    def test_an_empty_batch(self, twilio: Twilio):
        assert twilio.events([]).status_code == 200
        assert rows() == []

    @pytest.mark.parametrize(
        "time", [None, "", "soon", 10**30, -1, 1767225600000, [], True, "9999999999999999999"]
    )
    def test_odd_values_do_not_stop_the_rest(self, twilio: Twilio, time):
        odd = event("brand-registration.brand-registered", brandsid=["BN", "\0"]) | {
            "time": time,
            "id": {"a": "\ud800"},
        }
        good = event("brand-registration.brand-registered", brandsid="BN1")
        assert twilio.events([odd, good]).status_code == 204
        assert "BN1" in {row.subject for row in rows()}
