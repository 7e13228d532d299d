"""Deliveries ring, looking answers: against the sandbox, held back, mixed and repeated."""

import random
from datetime import timedelta

import pytest

from registrations.core import clock
from registrations.models import Brand, Campaign, Event
from registrations.models.choices import Stage, WaitingFor
from registrations.workflow.recorder import recorder
from registrations.workflow.runner import runner
from registrations.workflow.steps import BY_SLUG
from tests.conftest import Harness
from tests.factories import make_registration
from tests.operations.webhooks.conftest import (
    AUTO_YES,
    Postman,
    Twilio,
    event,
    process_all,
    stopped,
    submit,
    wake,
)

pytestmark = pytest.mark.django_db


class TestRinging:
    def test_an_event_is_looked_up_at_once_instead_of_at_the_next_poll(self, harness: Harness, mail: Postman):
        registration = submit()
        harness.run(registration.pk, until=lambda registration: registration.stage == Stage.OTP)
        Brand.objects.update(next_poll_at=clock.now() + timedelta(hours=1))
        harness.answer_yes()
        mail.wait_for("brand-verified")
        wake(registration.pk)
        assert harness.advance(registration.pk).stage == Stage.OTP
        mail.hand_over()
        process_all()
        looked = harness.run(
            registration.pk, until=lambda registration: registration.stage not in (Stage.BRAND, Stage.OTP)
        )
        assert looked.brand.identity_status == "VERIFIED"

    def test_late_and_repeated_events_change_nothing(self, harness: Harness, mail: Postman):
        registration = submit(trust_bundle=AUTO_YES)
        live = harness.run(
            registration.pk, until=lambda registration: bool(registration.phone_number.confirmed_at)
        )
        mail.wait_for("number-registration.successful")
        before = {name: value for name, value in vars(live.brand).items() if "status" in name}
        events = Event.objects.exclude(tag__in=["stage", "phone_number:a2p_status"]).count()
        writes = len(harness.writes())
        random.shuffle(mail.letters)
        mail.hand_over()
        process_all()
        live = harness.run(registration.pk)
        assert {name: value for name, value in vars(live.brand).items() if "status" in name} == before
        news = Event.objects.exclude(tag__in=["stage", "phone_number:a2p_status"]).order_by("id")[events:]
        assert [e.tag for e in news if not e.tag.startswith(("profile", "trustbundle"))] == []
        assert (live.stage, len(harness.writes())) == (Stage.LIVE, writes)

    def test_a_suspended_brand_of_a_live_registration_calls_for_a_person(
        self, harness: Harness, mail: Postman
    ):
        registration = submit(trust_bundle=AUTO_YES)
        live = harness.run(
            registration.pk, until=lambda registration: bool(registration.phone_number.confirmed_at)
        )
        harness.post(f"brand/{live.brand.sid}", action="suspend")
        # No event type is documented for it: whatever comes about the brand is enough.
        twilio = Twilio(mail.url, harness.sandbox.world.config.auth_tokens[0])
        twilio.events(event("brand-registration.brand-unverified", brandsid=live.brand.sid))
        process_all()
        registration = harness.run(live.pk, until=stopped)
        assert (registration.stage, registration.waiting_for) == (Stage.BRAND, WaitingFor.US)
        assert registration.brand.status == "SUSPENDED"
        assert Event.objects.filter(tag="brand:reversal").count() == 1

    def test_the_backstop_finds_a_suspension_that_nobody_announced(self, harness: Harness):
        registration = submit(trust_bundle=AUTO_YES)
        live = harness.run(
            registration.pk, until=lambda registration: bool(registration.phone_number.confirmed_at)
        )
        live = harness.run(live.pk)
        assert live.stage == Stage.LIVE
        harness.post(f"campaign/{live.campaign.service_sid}", action="suspend")
        Campaign.objects.update(next_poll_at=clock.now())  # a day later
        wake(live.pk)
        registration = harness.run(live.pk, until=stopped)
        assert (registration.stage, registration.campaign.status) == (Stage.CAMPAIGN, "SUSPENDED")
        assert registration.campaign.poll_found_at
        assert registration.campaign.next_poll_at > clock.now()

    def test_a_delivery_that_comes_while_the_worker_looks_is_not_lost(self, harness: Harness, mail: Postman):
        registration = submit()
        registration = harness.run(
            registration.pk, until=lambda registration: registration.stage == Stage.OTP
        )
        twilio = Twilio(mail.url, harness.sandbox.world.config.auth_tokens[0])
        row = BY_SLUG["brand.otp"]
        old = row.fetch(runner.get_client(), registration)
        # The customer answers and the event is processed after our read, before its result is stored.
        harness.answer_yes()
        twilio.events(event("brand-registration.brand-verified", brandsid=registration.brand.sid))
        process_all()
        recorder.refresh(registration, row, old)
        registration = harness.run(
            registration.pk, until=lambda registration: registration.stage != Stage.OTP
        )
        assert registration.brand.identity_status == "VERIFIED"

    def test_looks_that_show_nothing_new_are_repeated_once(self):
        registration = make_registration(Stage.CAMPAIGN)
        row = BY_SLUG["campaign.review"]
        payload = {
            "sid": registration.campaign.sid,
            "campaign_status": registration.campaign.status,
            "errors": None,
        }
        Campaign.objects.update(
            refresh_requested_at=clock.now(), next_poll_at=clock.now() + timedelta(hours=4)
        )
        recorder.refresh(runner.load(registration.pk), row, payload)
        campaign = Campaign.objects.get()
        assert campaign.refresh_requested_at is None
        assert campaign.next_poll_at <= clock.now() + clock.scaled(recorder.ECHO_SECONDS)
