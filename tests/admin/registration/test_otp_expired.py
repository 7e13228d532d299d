"""Twilio reports that the OTP text expired: then it needs us, not the customer (docs/twilio.md section 4.2, 30752)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from registrations.models import Brand, Registration
from registrations.models.choices import Stage, WaitingFor
from registrations.workflow.planner import decisions
from registrations.workflow.runner import runner
from tests.admin.conftest import page_url
from tests.admin.registration.test_detail import primary, text
from tests.factories import make_registration

pytestmark = pytest.mark.django_db

EXPIRED = {
    "status": "APPROVED",
    "identity_status": "UNVERIFIED",
    "tcr_id": "B4NKP7Q",
    "date_updated": "2026-11-20T10:00:00Z",
    "errors": [{"error_code": 30752, "description": "Invalid or expired OTP", "fields": []}],
}


def summary(registration: Registration) -> decisions.Summary:
    return decisions.summarize(runner.load(registration.pk), timezone.now())


@pytest.mark.parametrize("code_key", ["error_code", "registrationerrorcode"])
def test_it_needs_us_and_twilio_is_still_polled(boss, code_key):
    registration = make_registration(Stage.OTP, answer=EXPIRED | {"errors": [{code_key: 30752}]})
    assert (registration.stage, registration.waiting_for) == (Stage.OTP, WaitingFor.US)
    assert "resend it" in registration.reason
    assert isinstance(
        decisions.current_state(runner.load(registration.pk), timezone.now()), decisions.Wait | decisions.Look
    )
    Brand.objects.filter(registration=registration).update(otp_sent_at=timezone.now() - timedelta(days=2))
    assert primary(text(boss.get(page_url(registration)))) == "Resend OTP text"


def test_after_another_text_only_a_newer_report_counts():
    registration = make_registration(Stage.OTP, answer=EXPIRED)
    brand = Brand.objects.filter(registration=registration)
    brand.update(otp_sends=2, otp_sent_at=timezone.now())
    assert summary(registration).waiting_for == WaitingFor.CUSTOMER
    later = (timezone.now() + timedelta(hours=25)).strftime("%Y-%m-%dT%H:%M:%SZ")
    brand.update(payload=EXPIRED | {"date_updated": later})
    assert summary(registration).waiting_for == WaitingFor.US
    for unknown in (None, "", "soon"):
        brand.update(payload=EXPIRED | {"date_updated": unknown})
        assert summary(registration).waiting_for == WaitingFor.CUSTOMER


def test_another_error_of_an_approved_brand_still_waits_for_the_customer():
    registration = make_registration(Stage.OTP, answer=EXPIRED | {"errors": [{"error_code": 30881}]})
    assert registration.waiting_for == WaitingFor.CUSTOMER
