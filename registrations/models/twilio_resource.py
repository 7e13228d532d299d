"""What the five parts of a registration have in common."""

from django.db import models

from .registration import Registration


class TwilioResource(models.Model):
    """One part of a registration: our inputs, and next to them Twilio's state of the object.

    No column holds both. `accepted_params` maps a step's `key` to the parameters that Twilio last accepted from it,
    so "edited here, not sent to Twilio" is `accepted_params[key] != the step's request_params now`. Only
    `registrations.workflow.recorder.recorder` writes Twilio's columns. `payload` is Twilio's last answer, redacted.
    """

    registration = models.OneToOneField(Registration, on_delete=models.CASCADE, related_name="%(class)s")
    status = models.CharField(max_length=64, blank=True, editable=False, db_index=True)
    failure_reason = models.TextField(blank=True, editable=False)
    errors = models.JSONField(default=list, blank=True, editable=False)
    payload = models.JSONField(default=dict, blank=True, editable=False)
    accepted_params = models.JSONField(default=dict, blank=True, editable=False)
    synced_at = models.DateTimeField(null=True, editable=False)
    poll_count = models.PositiveIntegerField(default=0, editable=False)
    next_poll_at = models.DateTimeField(null=True, editable=False)
    # A webhook or a person asked for a fetch; cleared only by a fetch that began afterwards.
    refresh_requested_at = models.DateTimeField(null=True, editable=False)
    # When polling, not a webhook, found a decision first: a sign of missing webhooks.
    poll_found_at = models.DateTimeField(null=True, editable=False, db_index=True)
    missing_since = models.DateTimeField(null=True, editable=False)
    resubmit_requested = models.BooleanField(default=False, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} of {self.registration_id}"


def sid_field() -> models.CharField:
    """A Twilio SID. Indexed, not unique: the campaign SID is one constant for all campaigns."""
    return models.CharField(max_length=34, blank=True, editable=False, db_index=True)
