"""Data derived from the registrations, so that lists, groups, and charts need not read all of them."""

from django.db import models

from .choices import Stage
from .registration import Registration


class OpenProblem(models.Model):
    """One open problem of a registration, updated whenever its status is refreshed.

    `input_digest` is a digest of the affected input's text, `message_digest` one of Twilio's message. Registrations
    with the same digests failed for the same reason, e.g. 17 customers with the same opt-in text.
    """

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="open_problems")
    part = models.CharField(max_length=20)
    code = models.PositiveIntegerField(null=True)
    title = models.CharField(max_length=200)
    field = models.CharField(max_length=40, blank=True)
    message_digest = models.CharField(max_length=24, blank=True)
    input_digest = models.CharField(max_length=24, blank=True)
    since = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["code", "field", "input_digest"], name="openproblem_similar"),
        ]

    def __str__(self) -> str:
        return f"{self.code or self.title} of {self.registration_id}"


class UnknownTwilioCode(models.Model):
    """A code, a field name, or a message text from Twilio that is not in our catalogue.

    Kept after the registration is fixed, so that the catalogue can be extended. `value`: the code, the field name, or
    the digest of the message. `message`: Twilio's message without personal data. `occurrences`: how many problems
    had it.
    """

    class Kind(models.TextChoices):
        CODE = "code", "Code"
        FIELD = "field", "Field"
        MESSAGE = "message", "Message"

    part = models.CharField(max_length=20)
    kind = models.CharField(max_length=7, choices=Kind)
    value = models.CharField(max_length=80)
    message = models.CharField(max_length=300, blank=True)
    occurrences = models.PositiveIntegerField(default=0)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    registration = models.ForeignKey(Registration, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-last_seen_at"]
        constraints = [models.UniqueConstraint(fields=["part", "kind", "value"], name="unknown_code_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.value} of {self.part}"


class StageInterval(models.Model):
    """When a registration entered and left a stage; `left_at` is None while it is there."""

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="stage_intervals")
    stage = models.CharField(max_length=16, choices=Stage)
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["left_at", "stage"], name="stageinterval_left")]

    def __str__(self) -> str:
        return f"{self.registration_id} in {self.stage}"


class CachedStatistic(models.Model):
    """A statistic that is too slow to compute for each page. `data`: {"value": …}."""

    name = models.CharField(max_length=60, primary_key=True)
    computed_at = models.DateTimeField()
    compute_seconds = models.FloatField(default=0)
    data = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return self.name
