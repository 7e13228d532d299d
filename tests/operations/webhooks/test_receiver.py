"""Which registration a delivery is about; processed once, never lost, replayed, pruned; and silence."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError

from registrations.core import clock, queue
from registrations.models import Brand, Campaign, Profile, Registration, WebhookDelivery
from registrations.models.choices import Stage
from registrations.operations.webhooks import handlers, receiver
from registrations.worker import jobs, sweeper
from registrations.workflow.recorder import recorder
from registrations.workflow.runner import runner
from registrations.workflow.steps import BY_SLUG
from registrations.workflow.steps.base import Write
from tests.customers import OWNED_NUMBER_SID
from tests.factories import make_registration
from tests.operations.webhooks.conftest import Twilio, event, number_event, process_all
from tests.queued import queued

pytestmark = pytest.mark.django_db


class TestRouting:
    def process(self, twilio: Twilio, one: dict[str, Any]) -> WebhookDelivery:
        twilio.events(one)
        row = WebhookDelivery.objects.get(event_id=one["id"])
        handlers.process(row.pk)
        row.refresh_from_db()
        return row

    def test_campaigns_are_known_by_service_and_brand(self, twilio: Twilio):
        registration, other = (
            make_registration(Stage.CAMPAIGN),
            make_registration(Stage.CAMPAIGN, label="Other"),
        )
        assert registration.campaign.sid == other.campaign.sid  # one constant for all
        data = {"campaignsid": "CM1", "messagingservicesid": other.campaign.service_sid}
        found = self.process(
            twilio, event("campaign-registration.campaign-failure", **data, brandsid=other.brand.sid)
        )
        assert (found.registration_id, found.state) == (other.pk, "processed")
        crossed = event("campaign-registration.campaign-failure", **data, brandsid=registration.brand.sid)
        assert self.process(twilio, crossed).state == "ignored"

    @pytest.mark.parametrize("kind", ["suspended-campaign-registration.submitted", "resource-cleanup.done"])
    def test_new_kinds_make_us_look_at_what_they_name(self, twilio: Twilio, kind):
        registration = make_registration(Stage.CAMPAIGN)
        data = {"messagingservicesid": registration.campaign.service_sid, "brandsid": registration.brand.sid}
        assert self.process(twilio, event(kind, **data)).registration_id == registration.pk
        assert Campaign.objects.get().refresh_requested_at
        brand_alone = event("resource-cleanup.done", time=kind, brandsid=registration.brand.sid)
        assert self.process(twilio, brand_alone).state == "processed"

    def test_other_systems_of_the_account_are_kept_and_ignored(self, twilio: Twilio):
        make_registration(Stage.LIVE)
        kinds = {
            "brand-registration.brand-registered": {"brandsid": "BN" + "e" * 32},
            "campaign-registration.campaign-approved": {"messagingservicesid": "MG" + "e" * 32},
            "number-registration.successful": {"phonenumbersid": "PN" + "e" * 32},
            "something-new.happened": {},
        }
        for kind, data in kinds.items():
            row = self.process(twilio, event(kind, **data))
            assert (row.state, row.registration_id) == ("ignored", None)
        twilio.status({"BundleSid": "BU" + "e" * 32, "Status": "twilio-approved"})
        process_all()
        assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"ignored"}

    def test_empty_sids_match_nobody(self, twilio: Twilio):
        make_registration(Stage.DRAFT)
        make_registration(Stage.PROFILE, label="No brand yet")
        for kind in ("brand-registration.brand-registered", "campaign-registration.campaign-failure",
                     "number-registration.successful"):  # fmt: skip
            assert self.process(twilio, event(kind, brandsid="", phonenumbersid="")).state == "ignored"

    def test_what_is_known_already_costs_no_look(self, twilio: Twilio):
        registration = make_registration(Stage.PROFILE)
        twilio.status({"BundleSid": registration.profile.sid, "Status": registration.profile.status})
        process_all()
        assert Profile.objects.get().refresh_requested_at is None

    def test_a_removed_registration_is_left_alone(self, twilio: Twilio):
        registration = make_registration(Stage.LIVE)
        Registration.objects.filter(pk=registration.pk).update(stage=Stage.REMOVED, next_run_at=None)
        row = self.process(
            twilio, event("brand-registration.brand-registered", brandsid=registration.brand.sid)
        )
        assert row.state == "ignored"
        assert Registration.objects.get().next_run_at is None

    def test_a_number_that_served_another_registration_before(self, twilio: Twilio):
        former = make_registration(Stage.LIVE, label="Former")
        registration = make_registration(Stage.LIVE)
        assert former.phone_number.sid == registration.phone_number.sid == OWNED_NUMBER_SID
        row = self.process(
            twilio, number_event(registration, "number-registration.successful", 1_800_000_000_000)
        )
        assert row.registration_id == registration.pk
        assert runner.load(former.pk).phone_number.a2p_status == ""


class TestOnceAndNeverLost:
    def store(self, twilio: Twilio) -> tuple[Registration, WebhookDelivery]:
        registration = make_registration(Stage.OTP)
        twilio.events(event("brand-registration.brand-verified", brandsid=registration.brand.sid))
        return registration, WebhookDelivery.objects.get()

    def test_processing_twice_enqueues_once(self, twilio: Twilio):
        registration, row = self.store(twilio)
        for _ in range(2):
            handlers.process(row.pk)
        row.refresh_from_db()
        assert (queued(queue.ADVANCE), row.attempts, row.state) == ([(registration.pk,)], 1, "processed")

    def test_an_error_of_ours_is_kept_with_its_traceback_and_can_be_replayed(self, twilio: Twilio):
        _, row = self.store(twilio)
        with patch.object(
            handlers, "_owner", side_effect=RuntimeError("mobile +14155552671 of ann@example.com")
        ):
            jobs.process_deliveries([str(row.pk)])
        row.refresh_from_db()
        assert (row.state, row.attempts) == ("errored", 1)
        assert "RuntimeError" in row.traceback
        assert "4155552671" not in row.traceback + row.note
        assert "ann@example.com" not in row.traceback + row.note
        assert Registration.objects.get().next_run_at is None or not Brand.objects.get().refresh_requested_at
        receiver.replay(row, actor="ann")
        process_all()
        row.refresh_from_db()
        assert (row.state, row.attempts, row.replayed_by) == ("processed", 2, "ann")
        assert "RuntimeError" in row.traceback  # for who asks what went wrong
        assert Brand.objects.get().refresh_requested_at

    def test_replaying_reads_the_body_again(self, twilio: Twilio):
        registration = make_registration(Stage.OTP)
        twilio.events(event("brand-registration.brand-verified", brandsid=registration.brand.sid))
        WebhookDelivery.objects.update(subject="", event_type="", state="errored", note="Unreadable then.")
        receiver.replay(WebhookDelivery.objects.get(), actor="ann")
        process_all()
        row = WebhookDelivery.objects.get()
        assert (row.state, row.registration_id) == ("processed", registration.pk)
        twilio.json(b"still not json")
        garbage = WebhookDelivery.objects.get(state="errored")
        receiver.replay(garbage, actor="ann")
        garbage.refresh_from_db()
        assert garbage.state == "errored"

    def test_a_delivery_that_overtakes_the_answer_to_our_call_is_processed_again(self, twilio: Twilio):
        registration = make_registration(Stage.PROFILE)
        sid = "BN" + "e" * 32
        twilio.events(event("brand-registration.brand-failure", brandsid=sid))
        process_all()
        assert WebhookDelivery.objects.get().state == "ignored"
        row = BY_SLUG["brand.create"]
        assert isinstance(row, Write)
        recorder.record(registration, row, {"sid": sid, "status": "PENDING"}, {})
        process_all()
        kept = WebhookDelivery.objects.get()
        assert (kept.state, kept.registration_id) == ("processed", registration.pk)
        assert Brand.objects.get().refresh_requested_at

    def test_a_database_that_is_away_leaves_it_to_the_sweep(self, twilio: Twilio, time_machine):
        time_machine.move_to("2026-11-01T10:00:00Z", tick=False)
        _, row = self.store(twilio)
        with (
            patch.object(handlers, "_owner", side_effect=OperationalError("deadlock")),
            pytest.raises(OperationalError),
        ):
            jobs.process_deliveries([str(row.pk)])
        row.refresh_from_db()
        assert row.state == "received"
        assert handlers.claim_lost() == []  # its first job may still be waiting in the queue
        time_machine.shift(31)
        with patch.object(queue, "enqueue_deliveries") as ring:
            sweeper.sweep()
            sweeper.sweep()
        ring.assert_called_once_with([row.pk])

    def test_old_deliveries_are_pruned_and_errors_after_a_year(self, twilio: Twilio):
        self.store(twilio)
        for days in (91, 366):
            for state in ("processed", "ignored", "errored", "received"):
                at = clock.now() - timedelta(days=days)
                WebhookDelivery.objects.create(kind="events", state=state, received_at=at)
        WebhookDelivery.objects.create(kind="events", state="processed")
        assert handlers.prune(limit=2) == 6
        left = WebhookDelivery.objects.order_by("state").values_list("state", flat=True)
        assert list(left) == ["errored", "processed", "received", "received"]


class TestSilence:
    def test_nothing_to_tell(self, twilio: Twilio):
        assert [(c.silent, c.last_at, c.found_by_polling) for c in receiver.channels()] == [
            (False, None, 0)
        ] * 2

    def test_decisions_that_only_looking_found(self, twilio: Twilio, time_machine):
        time_machine.move_to("2026-11-01T10:00:00Z", tick=False)
        registration = make_registration(Stage.CAMPAIGN)
        row = BY_SLUG["campaign.review"]
        Campaign.objects.update(poll_found_at=None)
        Brand.objects.update(poll_found_at=None)
        payload = {"sid": registration.campaign.sid, "campaign_status": "VERIFIED", "errors": None}
        recorder.refresh(runner.load(registration.pk), row, payload)
        channels = {channel.kind: channel for channel in receiver.channels()}
        assert (channels["events"].found_by_polling, channels["events"].silent) == (1, False)
        time_machine.shift(301)
        channels = {channel.kind: channel for channel in receiver.channels()}
        assert channels["events"].silent
        twilio.events(event("something-else.happened"))
        assert not {channel.kind: channel for channel in receiver.channels()}["events"].silent

    def test_what_a_delivery_announced_does_not_count(self, twilio: Twilio):
        registration = make_registration(Stage.CAMPAIGN)
        Campaign.objects.update(poll_found_at=None)
        twilio.events(
            event(
                "campaign-registration.campaign-approved",
                messagingservicesid=registration.campaign.service_sid,
            )
        )
        process_all()
        payload = {"sid": registration.campaign.sid, "campaign_status": "VERIFIED", "errors": None}
        recorder.refresh(runner.load(registration.pk), BY_SLUG["campaign.review"], payload)
        assert Campaign.objects.get().poll_found_at is None
