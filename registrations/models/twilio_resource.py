"""What the five mirrors of Twilio objects have in common."""

from django.db import models

from .registration import Registration


class TwilioResource(models.Model):
    """One part of a registration: our inputs, and beside them what Twilio last said.

    Inputs and mirror columns never share a column. `accepted_params` maps a step's slug to the inputs that Twilio last
    accepted by that step, so "edited here, not yet at Twilio" is `accepted_params[slug] != the step's inputs now`.
    Only `registrations.workflow.recorder.recorder` writes the mirror columns.
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
    # A delivery (or a person) asks for a look; cleared only by a look that began after it.
    look_requested_at = models.DateTimeField(null=True, editable=False)
    # When planned looking, not a delivery, found a decision first: tells silent webhooks.
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
