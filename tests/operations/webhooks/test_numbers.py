"""A number's A2P status: events alone tell it, late, twice and in any order."""

import random
from typing import Any

import pytest

from registrations.core import clock
from registrations.models import Event, PhoneNumber, Registration, WebhookDelivery
from registrations.models.choices import Stage, WaitingFor
from registrations.operations.webhooks import handlers
from registrations.workflow.planner import decisions
from registrations.workflow.recorder import recorder
from registrations.workflow.runner import runner
from registrations.workflow.steps import BY_SLUG
from tests.conftest import Harness
from tests.factories import make_registration
from tests.operations.webhooks.conftest import AUTO_YES, Postman, Twilio, number_event, process_all, submit

pytestmark = pytest.mark.django_db


class TestNumber:
    def live(self, harness: Harness, mail: Postman, **changes: Any) -> Registration:
        registration = submit(trust_bundle=AUTO_YES, **changes)
        live = harness.run(
            registration.pk, until=lambda registration: bool(registration.phone_number.confirmed_at)
        )
        mail.wait_for("number-registration.successful" if not changes else "number-registration.failed")
        return live

    def test_registered_and_in_any_order(self, harness: Harness, mail: Postman):
        live = self.live(harness, mail)
        random.shuffle(mail.letters)
        mail.hand_over()
        process_all()
        live = harness.run(live.pk)
        assert live.phone_number.a2p_status == "registered"
        assert (live.stage, live.waiting_for) == (Stage.LIVE, WaitingFor.NOBODY)

    def test_a_refusal_is_shown_with_its_code(self, harness: Harness, mail: Postman):
        number = "+14155550666"
        harness.post("numbers", phone_number=number)
        live = self.live(harness, mail, phone_number={"sender_number": number})
        mail.hand_over()
        process_all()
        registration = harness.run(live.pk)
        assert registration.phone_number.a2p_status == "failure"
        assert (registration.stage, registration.waiting_for) == (Stage.NUMBER, WaitingFor.US)
        assert [p.code for p in decisions.problems(registration)] == [30126]

    def test_the_workers_older_copy_does_not_wipe_the_status(self):
        registration = make_registration(Stage.LIVE)
        stale = runner.load(registration.pk)
        assert recorder.number_status(registration, "registered", at=clock.now(), reason="")
        row = BY_SLUG["number.confirm"]
        recorder.refresh(stale, row, {"sid": stale.phone_number.sid, "phone_number": "+14155550101"})
        assert PhoneNumber.objects.get().a2p_status == "registered"


class TestNumberOrder:
    KINDS = ("number-registration.pending", "number-registration.successful", "number-deregistration.pending",
             "number-deregistration.successful")  # fmt: skip

    def test_the_newest_by_twilios_clock_wins_in_every_order(self, twilio: Twilio):
        for seed in range(8):
            registration = make_registration(Stage.LIVE, label=f"registration {seed}")
            PhoneNumber.objects.filter(registration=registration).update(sid=f"PN{seed:032d}")
            registration = runner.load(registration.pk)
            events = [
                number_event(registration, kind, at)
                for at, kind in enumerate(self.KINDS, start=1_800_000_000_000)
            ]
            events *= 2
            random.Random(seed).shuffle(events)
            for one in events:
                twilio.events(one)
                process_all()
            assert runner.load(registration.pk).phone_number.a2p_status == "unregistered"

    def test_at_the_same_instant_the_final_word_wins(self, twilio: Twilio):
        for order in (1, -1):
            registration = make_registration(Stage.LIVE, label=f"registration {order}")
            PhoneNumber.objects.filter(registration=registration).update(sid=f"PN{order + 5:032d}")
            registration = runner.load(registration.pk)
            for kind in ("number-registration.pending", "number-registration.successful")[::order]:
                twilio.events(number_event(registration, kind, 1_800_000_000_000))
                process_all()
            assert runner.load(registration.pk).phone_number.a2p_status == "registered"

    def test_taking_it_back_is_loud(self, twilio: Twilio):
        registration = make_registration(Stage.LIVE)
        twilio.events(number_event(registration, "number-registration.successful", 1_800_000_000_000))
        twilio.events(number_event(registration, "number-deregistration.successful", 1_800_000_000_001))
        for row in WebhookDelivery.objects.order_by("event_type").reverse():
            handlers.process(row.pk)
        assert Event.objects.filter(tag="phone_number:reversal").count() == 1
        runner.refresh_status(registration.pk)
        registration.refresh_from_db()
        assert (registration.stage, registration.waiting_for) == (Stage.NUMBER, WaitingFor.US)

    def test_a_failed_deregistration_leaves_it_registered(self, twilio: Twilio):
        registration = make_registration(Stage.LIVE)
        failed = number_event(registration, "number-deregistration.failed", 1_800_000_000_000)
        failed["data"]["externalstatus"] = "failure"
        twilio.events(failed)
        process_all()
        assert PhoneNumber.objects.get().a2p_status == "registered"

    def test_events_of_another_service_with_the_same_number_are_not_ours(self, twilio: Twilio):
        registration = make_registration(Stage.LIVE)
        foreign = number_event(registration, "number-deregistration.successful", 1_800_000_000_000)
        foreign["data"]["messagingservicesid"] = "MG" + "f" * 32
        twilio.events(foreign)
        process_all()
        assert WebhookDelivery.objects.get().state == "ignored"
        assert PhoneNumber.objects.get().a2p_status == ""
