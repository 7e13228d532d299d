"""What a comparison of Twilio's account with our registrations found, and what was done about it."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from .leases import Leased
from .registration import Registration


class Scan(Leased):
    """One reading of the whole account. Open until it ends.

    `counts`: {"read": {resource type: objects}, "found": {finding type: findings}, "in_progress": n, "closed": n}.
    """

    class State(models.TextChoices):
        OPEN = "open", "Reading"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    requested_at = models.DateTimeField(default=timezone.now)
    requested_by = models.CharField(max_length=150, blank=True)
    enqueued_at = models.DateTimeField(null=True, default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    error = models.TextField(blank=True)
    counts = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            # Two scans at once would cost twice and disagree about what is new.
            models.UniqueConstraint(fields=["state"], condition=Q(state="open"), name="scan_one_open")
        ]

    def __str__(self) -> str:
        return f"Scan {self.pk} {self.state}"


class Finding(Leased):
    """One object that Twilio and our records disagree about; the same row over all scans until it is settled.

    `resource_type`: a key of operations.reconciliation.resource_types. `step`: slug of the step that creates such an
    object, "" if there is none. `in_progress`: too new, or its registration is being worked on, so no action is
    offered yet.
    """

    class FindingType(models.TextChoices):
        ORPHAN = "orphan", "At Twilio, in no registration"
        RETIRED = "retired", "Replaced, still at Twilio"
        LOST = "lost", "Here, missing at Twilio"

    class Action(models.TextChoices):
        DELETE = "delete", "Delete at Twilio"
        ADOPT = "adopt", "Use for its registration"
        FORGET = "forget", "Forget here"
        CONSOLE = "console", "Delete in Twilio's Console"
        NONE = "none", "No action"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        REQUESTED = "requested", "In progress"
        DONE = "done", "Settled"
        FAILED = "failed", "Refused"

    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="findings")
    first_seen_at = models.DateTimeField(default=timezone.now)
    finding_type = models.CharField(max_length=10, choices=FindingType)
    resource_type = models.CharField(max_length=40)
    sid = models.CharField(max_length=34, db_index=True)
    name = models.CharField(max_length=128, blank=True)
    status = models.CharField(max_length=64, blank=True)
    ref = models.CharField(max_length=12, blank=True)
    step = models.CharField(max_length=40, blank=True)
    registration = models.ForeignKey(
        Registration, null=True, on_delete=models.SET_NULL, related_name="findings"
    )
    action = models.CharField(max_length=10, choices=Action, default=Action.NONE)
    in_progress = models.BooleanField(default=False)
    note = models.TextField(blank=True)

    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    result = models.TextField(blank=True)
    requested_by = models.CharField(max_length=150, blank=True)
    requested_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "finding_type"], name="finding_open")]
        constraints = [
            models.UniqueConstraint(
                fields=["finding_type", "sid"], condition=~Q(state="done"), name="finding_one_unsettled"
            )
        ]

    def __str__(self) -> str:
        return f"{self.finding_type} {self.resource_type} {self.sid}"
