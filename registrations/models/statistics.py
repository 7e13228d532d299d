"""What is derived from the registrations so that lists, groups and charts need no walk over all of them."""

from django.db import models

from .choices import Stage
from .registration import Registration


class OpenProblem(models.Model):
    """One thing that is held against a registration now; rewritten whenever the registration is restated.

    `input_key` is a digest of the concerned input's text, `message_key` one of Twilio's words: registrations with the
    same pair failed alike, e.g. 17 customers with the same opt-in text.
    """

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="open_problems")
    part = models.CharField(max_length=20)
    code = models.PositiveIntegerField(null=True)
    title = models.CharField(max_length=200)
    field = models.CharField(max_length=40, blank=True)
    message_key = models.CharField(max_length=24, blank=True)
    input_key = models.CharField(max_length=24, blank=True)
    since = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["code", "field", "input_key"], name="openproblem_alike"),
        ]

    def __str__(self) -> str:
        return f"{self.code or self.title} of {self.registration_id}"


class UnknownTwilioCode(models.Model):
    """A code, a field's name or a reason in words that Twilio gave and our catalogue does not hold.

    Kept when the registration that met it is mended, so that the catalogue can learn it. `word`: the code, the name, or
    the digest of the words; `message`: Twilio's words without personal data; `times`: how many registrations were told it.
    """

    class Kind(models.TextChoices):
        CODE = "code", "Code"
        FIELD = "field", "Field"
        WORDS = "words", "Words"

    part = models.CharField(max_length=20)
    kind = models.CharField(max_length=5, choices=Kind)
    word = models.CharField(max_length=80)
    message = models.CharField(max_length=300, blank=True)
    times = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    registration = models.ForeignKey(Registration, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-last_at"]
        constraints = [models.UniqueConstraint(fields=["part", "kind", "word"], name="uncatalogued_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.word} of {self.part}"


class StageInterval(models.Model):
    """From when to when a registration stood in a stage; open while it stands there."""

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="stage_intervals")
    stage = models.CharField(max_length=16, choices=Stage)
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["left_at", "stage"], name="stagespell_left")]

    def __str__(self) -> str:
        return f"{self.registration_id} in {self.stage}"


class CachedStatistic(models.Model):
    """A number series of the board that costs too much to compute for each page; `at` says how old it is."""

    name = models.CharField(max_length=60, primary_key=True)
    at = models.DateTimeField()
    seconds = models.FloatField(default=0)
    data = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return self.name
