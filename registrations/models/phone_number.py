"""The one phone number that may send for the campaign."""

from django.db import models

from .twilio_resource import TwilioResource, sid_field


class PhoneNumber(TwilioResource):
    """Input: the sender (owned number, or an area code to buy in); mirror: PN, place in the service."""

    registration = models.OneToOneField(
        "registrations.Registration", on_delete=models.CASCADE, related_name="phone_number"
    )
    sender_number = models.CharField(
        "sender",
        max_length=34,
        blank=True,
        help_text="A number you own at Twilio: +14155550123, or its SID (PN…).",
    )
    area_code = models.CharField(
        max_length=3,
        blank=True,
        help_text="Or buy one here: three digits. Nothing is bought before you confirm the price.",
    )
    purchase_confirmed_at = models.DateTimeField(null=True, editable=False)
    purchase_confirmed_by = models.CharField(max_length=150, blank=True, editable=False)

    sid = sid_field()
    phone_number = models.CharField(max_length=20, blank=True, editable=False, db_index=True)
    service_sid = sid_field()
    attached_at = models.DateTimeField(null=True, editable=False)
    confirmed_at = models.DateTimeField(null=True, editable=False)
    # Only events report this (docs/twilio.md section 3); empty until one has come.
    a2p_status = models.CharField(max_length=32, blank=True, editable=False)
    a2p_status_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        indexes = [models.Index(fields=["a2p_status", "a2p_status_at"], name="number_a2p")]
