"""The whole walkthrough of one customer, against the sandbox."""

import pytest

from registrations.core import clock
from registrations.models.choices import Stage, WaitingFor
from registrations.operations import actions
from tests.customers import OWNED_NUMBER, make_draft

pytestmark = pytest.mark.django_db


def otp(registration) -> bool:
    return registration.stage == Stage.OTP


def test_a_clean_registration_costs_19_writes_and_ends_live(harness):
    registration = make_draft()
    actions.submit(registration, actor="ann")
    waiting = harness.run(registration.pk, until=otp)
    assert waiting.waiting_for == WaitingFor.CUSTOMER
    harness.answer_yes()
    live = harness.run(registration.pk)
    assert (live.stage, live.waiting_for) == (Stage.LIVE, WaitingFor.NOBODY), live.reason
    assert live.phone_number.confirmed_at
    assert len(harness.writes()) == 19
    assert harness.violations() == []
    # Twilio may reverse its decision: the backstop polls within a day.
    assert clock.now() < live.next_run_at <= clock.now() + clock.scaled(27 * 3600)


def test_reads_are_spent_only_where_something_is_to_be_learned(harness):
    registration = make_draft(phone_number={"sender_number": OWNED_NUMBER})
    actions.submit(registration, actor="ann")
    harness.run(registration.pk, until=otp)
    harness.answer_yes()
    harness.run(registration.pk)
    paths = [entry["path"] for entry in harness.reads()]
    assert sum("/Policies/" in path for path in paths) == 2
    assert sum("/CustomerProfiles/" in path for path in paths) == 1
    assert sum("/TrustProducts/" in path for path in paths) == 1
    assert sum("IncomingPhoneNumbers" in path for path in paths) == 1
    assert sum("/PhoneNumbers/PN" in path for path in paths) == 1
    # The rest are polls of what Twilio decides.
    rest = [path for path in paths if "/BrandRegistrations/" not in path and "/Usa2p/" not in path]
    assert len(rest) == 6
