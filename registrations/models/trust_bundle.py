"""The trust bundle (TrustProduct): brand name, industry, and the mobile for the OTP text."""

from django.db import models
from phonenumber_field.modelfields import PhoneNumberField

from .twilio_resource import TwilioResource, sid_field


class Vertical(models.TextChoices):
    """Twilio's 23 industries (docs/twilio.md section 10.1); optional."""

    AGRICULTURE = "AGRICULTURE", "Agriculture"
    COMMUNICATION = "COMMUNICATION", "Communication"
    CONSTRUCTION = "CONSTRUCTION", "Construction"
    EDUCATION = "EDUCATION", "Education"
    ENERGY = "ENERGY", "Energy"
    ENTERTAINMENT = "ENTERTAINMENT", "Entertainment"
    FINANCIAL = "FINANCIAL", "Financial"
    GAMBLING = "GAMBLING", "Gambling"
    GOVERNMENT = "GOVERNMENT", "Government"
    HEALTHCARE = "HEALTHCARE", "Healthcare"
    HOSPITALITY = "HOSPITALITY", "Hospitality"
    HUMAN_RESOURCES = "HUMAN_RESOURCES", "Human resources"
    INSURANCE = "INSURANCE", "Insurance"
    LEGAL = "LEGAL", "Legal"
    MANUFACTURING = "MANUFACTURING", "Manufacturing"
    NGO = "NGO", "Non-profit"
    POLITICAL = "POLITICAL", "Political"
    POSTAL = "POSTAL", "Postal"
    PROFESSIONAL = "PROFESSIONAL", "Professional services"
    REAL_ESTATE = "REAL_ESTATE", "Real estate"
    RETAIL = "RETAIL", "Retail"
    TECHNOLOGY = "TECHNOLOGY", "Technology"
    TRANSPORTATION = "TRANSPORTATION", "Transportation"


class TrustBundle(TwilioResource):
    """Inputs of the sole-proprietor bundle, and its objects at Twilio (BU, IT, BV x 2, EL)."""

    # The inherited related_name, %(class)s, would be "trustbundle".
    registration = models.OneToOneField(
        "registrations.Registration", on_delete=models.CASCADE, related_name="trust_bundle"
    )
    brand_name = models.CharField(
        max_length=255,
        help_text="The name recipients recognize: first and last name, or a DBA. No LLC, Inc, Corp, or Ltd: "
        "they have a tax ID and cannot register as Sole Proprietor. Use the same name in the messages.",
    )
    vertical = models.CharField("industry", max_length=32, choices=Vertical, blank=True)
    mobile_phone_number = PhoneNumberField(
        "mobile for the OTP text",
        help_text="A real US or Canadian mobile (no VoIP, no Twilio number) that receives the OTP text. "
        "It can be used for at most 3 brands in its lifetime, across all vendors.",
    )

    sid = sid_field()
    end_user_sid = sid_field()
    end_user_assignment_sid = sid_field()
    profile_assignment_sid = sid_field()
    evaluation_sid = sid_field()
    evaluation_status = models.CharField(max_length=32, blank=True, editable=False)
    evaluation_results = models.JSONField(default=list, blank=True, editable=False)
    submitted_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["mobile_phone_number"], name="bundle_mobile"),
            models.Index(fields=["brand_name"], name="bundle_brand_name"),
        ]
