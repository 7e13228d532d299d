"""The one phone number that sends for the campaign."""

from django.db import models

from .twilio_resource import TwilioResource, sid_field


class PhoneNumber(TwilioResource):
    """Input: the sender (a number we own, or an area code to buy one in). Twilio's state: PN, its service."""

    registration = models.OneToOneField(
        "registrations.Registration", on_delete=models.CASCADE, related_name="phone_number"
    )
    sender_number = models.CharField(
        "sender",
        max_length=34,
        blank=True,
        help_text="A Twilio number you own: +14155550123, or its SID (PN…).",
    )
    area_code = models.CharField(
        max_length=3,
        blank=True,
        help_text="Three digits, to buy a number. Nothing is bought before you confirm the price.",
    )
    purchase_confirmed_at = models.DateTimeField(null=True, editable=False)
    purchase_confirmed_by = models.CharField(max_length=150, blank=True, editable=False)

    sid = sid_field()
    phone_number = models.CharField(max_length=20, blank=True, editable=False, db_index=True)
    service_sid = sid_field()
    attached_at = models.DateTimeField(null=True, editable=False)
    confirmed_at = models.DateTimeField(null=True, editable=False)
    # Only events report this (docs/twilio.md section 3); empty before the first one.
    a2p_status = models.CharField(max_length=32, blank=True, editable=False)
    a2p_status_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        indexes = [models.Index(fields=["a2p_status", "a2p_status_at"], name="number_a2p")]
