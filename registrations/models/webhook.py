"""What Twilio delivered: verified, stored as received, and processed by a job."""

import uuid

from django.db import models
from django.utils import timezone

from .leases import EnqueuedQuerySet
from .registration import Registration


class WebhookDelivery(models.Model):
    """One status callback of a bundle, or one event of an Event Streams batch.

    `body` is the raw form, or the event's own JSON. `dedupe_key` keeps a delivery from being stored twice; it is
    null for test events, which all carry the same id. `subject` is the SID it is about (BU…, BN…, MG…, PN…).
    `status` and `reason` come from a status callback: no read of the bundle shows its FailureReason
    (docs/twilio.md section 6.2), so the recorder reads it here. `traceback` is that of our last error; a successful
    replay keeps it.
    """

    class Kind(models.TextChoices):
        BUNDLE_STATUS = "bundle_status", "Bundle status callback"
        EVENTS = "events", "Event Streams"

    class State(models.TextChoices):
        RECEIVED = "received", "Not processed yet"
        PROCESSED = "processed", "Processed"
        IGNORED = "ignored", "Not about our registrations"
        ERRORED = "errored", "Error"

    # Created here, not by the database: rows are stored with ON CONFLICT DO NOTHING, which returns no keys.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=Kind)
    received_at = models.DateTimeField(default=timezone.now)
    content_type = models.CharField(max_length=100, blank=True)
    body = models.TextField(blank=True)
    dedupe_key = models.CharField(max_length=100, null=True, unique=True)
    event_id = models.CharField(max_length=100, blank=True)
    event_type = models.CharField(max_length=150, blank=True)
    event_time = models.DateTimeField(null=True)
    subject = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=64, blank=True)
    reason = models.TextField(blank=True)

    registration = models.ForeignKey(
        Registration, null=True, on_delete=models.SET_NULL, related_name="deliveries"
    )
    state = models.CharField(max_length=10, choices=State, default=State.RECEIVED)
    note = models.CharField(max_length=300, blank=True)
    traceback = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    enqueued_at = models.DateTimeField(default=timezone.now)
    processed_at = models.DateTimeField(null=True)
    replayed_by = models.CharField(max_length=150, blank=True)

    objects = EnqueuedQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at"]
        verbose_name_plural = "webhook deliveries"
        indexes = [
            models.Index(fields=["kind", "-received_at"], name="delivery_last"),
            models.Index(fields=["subject", "-received_at"], name="delivery_subject"),
            models.Index(fields=["state", "enqueued_at"], name="delivery_open"),
            models.Index(fields=["received_at"], name="delivery_prune"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.event_type or self.status} {self.subject}".strip()
