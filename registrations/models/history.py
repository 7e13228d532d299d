"""What was done: API calls, the timeline, submissions, retired resources; and the worker's small tables."""

from django.db import models
from django.db.models import Q

from .choices import OPEN_CALL_STATES, CallState
from .registration import Registration


class ApiCall(models.Model):
    """One attempt at one Twilio write: saved as running before the call, completed right after it.

    `request` and `response` are redacted. `request_params` holds the inputs as sent until the outcome is known. Then
    they move to the resource's `accepted_params`, and `request_params` is emptied.
    """

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="api_calls")
    step = models.CharField(max_length=40)
    state = models.CharField(max_length=16, choices=CallState, default=CallState.RUNNING)
    actor = models.CharField(max_length=150, blank=True)
    request_params = models.JSONField(default=dict, blank=True)
    request = models.JSONField(default=dict, blank=True)
    response = models.JSONField(default=dict, blank=True)
    sid = models.CharField(max_length=34, blank=True)
    # In US dollars. Charged only if the attempt succeeded (SUCCESSFUL_CALL_STATES): see workflow/spending.py.
    fee = models.DecimalField(max_digits=8, decimal_places=4, null=True)
    # The bulk action that submitted the registration, if any.
    batch = models.ForeignKey(
        "registrations.Batch", null=True, on_delete=models.SET_NULL, related_name="api_calls", db_index=False
    )
    lookup_attempts = models.PositiveSmallIntegerField(default=0)
    lookup_at = models.DateTimeField(null=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    error_code = models.PositiveIntegerField(null=True)
    error_message = models.TextField(blank=True)
    error_details = models.JSONField(default=dict, blank=True)
    traceback = models.TextField(blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "call"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["registration", "-id"], name="apicall_newest"),
            models.Index(fields=["state", "step"], name="apicall_state"),
            # Everything that sums of fees read, so that they can skip the rows.
            models.Index(
                fields=["-finished_at", "state", "step", "fee"],
                name="apicall_paid",
                condition=Q(fee__isnull=False),
            ),
            models.Index(fields=["batch"], name="apicall_batch", condition=Q(batch__isnull=False)),
        ]
        constraints = [
            # The database itself allows only one open attempt per step.
            models.UniqueConstraint(
                fields=["registration", "step"],
                condition=Q(state__in=[str(state) for state in OPEN_CALL_STATES]),
                name="apicall_one_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.step} {self.state}"


class Event(models.Model):
    """One line of the timeline. Append-only; written and redacted by workflow/timeline.py."""

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="events")
    created_at = models.DateTimeField(auto_now_add=True)
    tag = models.CharField(max_length=60)
    actor = models.CharField(max_length=150, blank=True)
    text = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["registration", "-id"], name="event_newest")]

    def __str__(self) -> str:
        return f"{self.tag}: {self.text}"


class RetiredResource(models.Model):
    """A Twilio object that a registration no longer uses, but that may still exist there."""

    class Removal(models.TextChoices):
        API = "api", "By API"
        CONSOLE = "console", "Only in Twilio's Console"
        GONE = "gone", "Already gone"

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="retired")
    kind = models.CharField(max_length=40)
    sid = models.CharField(max_length=34, db_index=True)
    reason = models.CharField(max_length=300)
    removal = models.CharField(max_length=10, choices=Removal, default=Removal.API)
    retired_at = models.DateTimeField(auto_now_add=True)
    checked_at = models.DateTimeField(null=True)
    missing_since = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.sid}"


class Submission(models.Model):
    """One submission of a part to Twilio: the inputs as sent, and the outcome.

    `accepted_params` is unredacted: it is our own data, kept to compare one submission with the next.
    """

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="submissions")
    part = models.CharField(max_length=20)
    number = models.PositiveSmallIntegerField()
    step = models.CharField(max_length=40)
    sid = models.CharField(max_length=34, blank=True)
    accepted_params = models.JSONField(default=dict)
    actor = models.CharField(max_length=150, blank=True)
    submitted_at = models.DateTimeField()
    status = models.CharField(max_length=64, blank=True)
    failure_reason = models.TextField(blank=True)
    errors = models.JSONField(default=list, blank=True)
    rejected_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-submitted_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["registration", "part", "number"], name="submission_number")
        ]

    def __str__(self) -> str:
        return f"{self.part} submission {self.number}"


class LimitUse(models.Model):
    """One value that one brand has used at The Campaign Registry, permanently.

    Neither an edit nor removing the registration from Twilio gives a use back, so this table is separate from both.
    `field` is the form field and `value` its key, as workflow/recorder/registry_limits.py counts them.
    """

    field = models.CharField(max_length=32)
    value = models.CharField(max_length=255)
    brand_sid = models.CharField(max_length=34)
    registration = models.ForeignKey(
        Registration, null=True, on_delete=models.SET_NULL, related_name="limit_uses"
    )
    used_at = models.DateTimeField()

    class Meta:
        constraints = [
            # Resubmitting a brand with the same value is the same use.
            models.UniqueConstraint(fields=["field", "value", "brand_sid"], name="limituse_once")
        ]

    def __str__(self) -> str:
        return f"{self.field} for {self.brand_sid}"


class RateLimit(models.Model):
    """A rate limit shared by all processes: when its next call may start (workflow/runner/rate_limit.py)."""

    name = models.CharField(max_length=60, primary_key=True)
    # Epoch seconds: compared and set in one UPDATE, on SQLite as on PostgreSQL.
    last_call = models.FloatField(default=0)
    next_slot = models.FloatField(default=0)

    def __str__(self) -> str:
        return self.name


class Policy(models.Model):
    """A Trust Hub policy, fetched once, to check our inputs against Twilio's requirements."""

    sid = models.CharField(max_length=34, primary_key=True)
    payload = models.JSONField(default=dict)
    fetched_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.sid


class Heartbeat(models.Model):
    """When a part of the worker last made progress; read by the watchdog and the health page.

    A worker's name begins with WORKER. The other rows store when a periodic task last ran.
    """

    WORKER = "worker:"

    name = models.CharField(max_length=120, primary_key=True)
    at = models.DateTimeField()
    detail = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return self.name
