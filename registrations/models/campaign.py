"""The campaign: what is sent, to whom, and how people opt in."""

from django.core.validators import MaxLengthValidator, MinLengthValidator
from django.db import models

from .twilio_resource import TwilioResource, sid_field

# Lengths: docs/twilio.md section 8.
DESCRIPTION_LENGTH = (40, 4096)
MESSAGE_FLOW_LENGTH = (40, 2048)
SAMPLE_LENGTH = (20, 1024)
SAMPLE_COUNT = (2, 5)
AUTO_MESSAGE_LENGTH = (20, 320)
KEYWORDS_LENGTH = 255


def _auto_message(verbose: str, help_text: str) -> models.TextField:
    low, high = AUTO_MESSAGE_LENGTH
    return models.TextField(
        verbose,
        blank=True,
        validators=[MinLengthValidator(low), MaxLengthValidator(high)],
        help_text=help_text,
    )


def _keywords(verbose: str, help_text: str) -> models.CharField:
    return models.CharField(verbose, max_length=KEYWORDS_LENGTH, blank=True, help_text=help_text)


class Campaign(TwilioResource):
    """Inputs of the Usa2p campaign, and Twilio's state of it (MG, QE, TCR campaign ID)."""

    description = models.TextField(
        validators=[MinLengthValidator(DESCRIPTION_LENGTH[0]), MaxLengthValidator(DESCRIPTION_LENGTH[1])],
        help_text="Who sends, who receives, and why. Name the customer's business, not your own.",
    )
    message_flow = models.TextField(
        "how people opt in",
        validators=[MinLengthValidator(MESSAGE_FLOW_LENGTH[0]), MaxLengthValidator(MESSAGE_FLOW_LENGTH[1])],
        help_text="Every way to opt in, step by step, with page URLs. Mention message and data rates, message "
        "frequency, STOP, and HELP. Link the privacy policy and terms.",
    )
    message_samples = models.JSONField(default=list, blank=True)
    has_embedded_links = models.BooleanField("messages contain links", default=False)
    has_embedded_phone = models.BooleanField("messages contain phone numbers", default=False)
    subscriber_opt_in = models.BooleanField(
        "subscribers opt in by text",
        default=False,
        help_text="Required with an opt-in message (30709).",
    )
    age_gated = models.BooleanField("age-gated content", default=False)
    direct_lending = models.BooleanField("direct lending or loans", default=False)
    opt_in_message = _auto_message("opt-in message", "Sent after opting in. Leave empty for none.")
    opt_in_keywords = _keywords(
        "opt-in keywords", "Letters and digits, separated by commas. Example: START, JOIN."
    )
    opt_out_message = _auto_message("opt-out message", "Leave empty for Twilio's default reply to STOP.")
    opt_out_keywords = _keywords(
        "opt-out keywords", "Leave empty for Twilio's defaults (STOP, CANCEL, END, …)."
    )
    help_message = _auto_message("help message", "Leave empty for Twilio's default reply to HELP.")
    help_keywords = _keywords("help keywords", "Leave empty for Twilio's defaults (HELP, INFO).")
    privacy_policy_url = models.URLField(
        "privacy policy", max_length=2048, help_text="Public https page of the customer (required, 30933)."
    )
    terms_and_conditions_url = models.URLField(
        "terms and conditions",
        max_length=2048,
        help_text="Public https page of the customer (required, 30934).",
    )

    service_sid = sid_field()
    sid = sid_field()
    campaign_id = models.CharField(
        "TCR campaign ID", max_length=32, blank=True, editable=False, db_index=True
    )
    submitted_at = models.DateTimeField(null=True, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)
    verified_at = models.DateTimeField(null=True, editable=False)
