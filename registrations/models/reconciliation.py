"""What a comparison of Twilio's account with our registrations found, and what became of it."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from .registration import Registration


class Scan(models.Model):
    """One reading of the whole account. Open until it ends; `alive_at` tells a slow one from a dead one.

    `counts`: {"read": {kind: objects}, "found": {what: findings}, "under_way": n, "closed": n}.
    """

    class State(models.TextChoices):
        OPEN = "open", "Reading"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    requested_at = models.DateTimeField(default=timezone.now)
    requested_by = models.CharField(max_length=150, blank=True)
    enqueued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    alive_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    error = models.TextField(blank=True)
    counts = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            # Two readings at a time would cost twice and disagree about what is new.
            models.UniqueConstraint(fields=["state"], condition=Q(state="open"), name="scan_one_open")
        ]

    def __str__(self) -> str:
        return f"Scan {self.pk} {self.state}"


class Finding(models.Model):
    """One object that Twilio and we do not agree about; the same row over all scans until it is settled.

    `kind` is a word of reconcile.kinds; `step` is the slug of the step that makes such an object for a registration,
    or "" when there is none. `under_way`: too young, or its registration is being worked on, so nothing is offered yet.
    """

    class What(models.TextChoices):
        ORPHAN = "orphan", "At Twilio, in no registration"
        RETIRED = "retired", "Replaced, still at Twilio"
        LOST = "lost", "Here, gone at Twilio"

    class Action(models.TextChoices):
        DELETE = "delete", "Delete at Twilio"
        ADOPT = "adopt", "Use it for its registration"
        FORGET = "forget", "Forget it here"
        CONSOLE = "console", "By hand in Twilio's Console"
        NONE = "none", "Nothing to press"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ASKED = "asked", "Under way"
        DONE = "done", "Settled"
        FAILED = "failed", "Refused"

    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="findings")
    first_seen_at = models.DateTimeField(default=timezone.now)
    what = models.CharField(max_length=10, choices=What)
    kind = models.CharField(max_length=40)
    sid = models.CharField(max_length=34, db_index=True)
    name = models.CharField(max_length=128, blank=True)
    status = models.CharField(max_length=64, blank=True)
    ref = models.CharField(max_length=12, blank=True)
    step = models.CharField(max_length=40, blank=True)
    registration = models.ForeignKey(
        Registration, null=True, on_delete=models.SET_NULL, related_name="findings"
    )
    action = models.CharField(max_length=10, choices=Action, default=Action.NONE)
    under_way = models.BooleanField(default=False)
    note = models.TextField(blank=True)

    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    result = models.TextField(blank=True)
    acted_by = models.CharField(max_length=150, blank=True)
    asked_at = models.DateTimeField(null=True)
    enqueued_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "what"], name="finding_open")]
        constraints = [
            models.UniqueConstraint(
                fields=["what", "sid"], condition=~Q(state="done"), name="finding_one_unsettled"
            )
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.kind} {self.sid}"
