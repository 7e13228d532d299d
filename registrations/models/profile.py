"""The starter customer profile: the person and the address."""

from django.db import models
from phonenumber_field.modelfields import PhoneNumberField

from .twilio_resource import TwilioResource, sid_field


class Country(models.TextChoices):
    """Sole proprietors are in the US or Canada (docs/twilio.md section 8)."""

    US = "US", "United States"
    CA = "CA", "Canada"


class Profile(TwilioResource):
    """Inputs of the starter profile, and its objects at Twilio (BU, IT, AD, RD, BV x 3, EL)."""

    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    email = models.EmailField(
        "email",
        help_text="The customer's own working email, not a disposable one. "
        "The Campaign Registry accepts one email for at most 10 brands.",
    )
    phone_number = PhoneNumberField(
        "contact phone", help_text="Any phone that reaches the customer. It can be the mobile below."
    )
    street = models.CharField(
        max_length=255,
        help_text="House number and street, as the postal service writes them. PO boxes are accepted.",
    )
    street_secondary = models.CharField(
        "apartment, suite", max_length=255, blank=True, help_text="Leave empty if there is none."
    )
    city = models.CharField(max_length=100)
    region = models.CharField("state or province", max_length=2, help_text="Two letters, such as MA or ON.")
    postal_code = models.CharField("ZIP or postal code", max_length=10)
    iso_country = models.CharField("country", max_length=2, choices=Country, default=Country.US)

    # Derived from the inputs when they are saved, to count uses across registrations (registry_limits.py).
    email_key = models.CharField(max_length=254, blank=True, editable=False)
    address_key = models.CharField(max_length=255, blank=True, editable=False)

    sid = sid_field()
    end_user_sid = sid_field()
    address_sid = sid_field()
    supporting_document_sid = sid_field()
    end_user_assignment_sid = sid_field()
    document_assignment_sid = sid_field()
    primary_assignment_sid = sid_field()
    evaluation_sid = sid_field()
    evaluation_status = models.CharField(max_length=32, blank=True, editable=False)
    evaluation_results = models.JSONField(default=list, blank=True, editable=False)
    submitted_at = models.DateTimeField(null=True, editable=False)
    # Twilio refuses to change the address of a verified document (21630); it is replaced instead.
    address_locked = models.BooleanField(default=False, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["email"], name="profile_email"),
            models.Index(fields=["email_key"], name="profile_email_key"),
            models.Index(fields=["address_key"], name="profile_address_key"),
            models.Index(fields=["last_name", "first_name"], name="profile_name"),
        ]

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()
