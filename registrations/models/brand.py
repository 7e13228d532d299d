"""The brand registration at The Campaign Registry. It has no inputs of its own, and it costs money."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from registrations.core.clock import scaled
from registrations.twilio.statuses import BRAND_APPROVED, IDENTITY_VERIFIED

from .twilio_resource import TwilioResource, sid_field

OTP_VALID_SECONDS = 24 * 3600
OTP_DEADLINE_SECONDS = 30 * 24 * 3600
MAX_BRAND_UPDATES = 3


class Brand(TwilioResource):
    """Twilio's BrandRegistration, and the times of its OTP text."""

    sid = sid_field()
    tcr_id = models.CharField("TCR brand ID", max_length=32, blank=True, editable=False, db_index=True)
    identity_status = models.CharField(max_length=32, blank=True, editable=False)
    registered_at = models.DateTimeField(null=True, editable=False)
    approved_at = models.DateTimeField(null=True, editable=False)
    verified_at = models.DateTimeField(null=True, editable=False)
    resubmissions = models.PositiveSmallIntegerField(default=0, editable=False)
    otp_sends = models.PositiveSmallIntegerField(default=0, editable=False)
    otp_sent_at = models.DateTimeField(null=True, editable=False)
    otp_requested_at = models.DateTimeField(null=True, editable=False)
    otp_requested_by = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        indexes = [
            # Brands waiting for the customer's YES (reporting.statistics.owing): few of many.
            models.Index(
                fields=["otp_sent_at"],
                name="brand_otp_pending",
                condition=Q(status=BRAND_APPROVED, missing_since=None)
                & ~Q(sid="")
                & ~Q(identity_status=IDENTITY_VERIFIED),
            )
        ]

    @property
    def otp_expires_at(self) -> datetime | None:
        """When the newest OTP text expires: 24 h after it was sent (docs/twilio.md section 8)."""
        return self.otp_sent_at + scaled(OTP_VALID_SECONDS) if self.otp_sent_at else None

    @property
    def otp_deadline_at(self) -> datetime | None:
        """The end of the 30 days in which the customer must reply YES (docs/twilio.md section 8)."""
        return self.registered_at + scaled(OTP_DEADLINE_SECONDS) if self.registered_at else None

    @property
    def resubmissions_left(self) -> int:
        return max(0, MAX_BRAND_UPDATES - self.resubmissions)
