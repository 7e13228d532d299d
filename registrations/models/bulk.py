"""Work on many rows that a person starts and a worker does: bulk actions and imports."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from .choices import ItemState, JobState
from .leases import Leased
from .registration import Registration


class BackgroundJob(Leased):
    """What bulk actions and imports have in common: a state, who asked, and a lease.

    A job prepares it (the dry run), a person confirms it, and a job runs it row by row. Every row's outcome is
    committed with the row, so a killed worker repeats nothing.
    """

    state = models.CharField(max_length=10, choices=JobState, default=JobState.PREPARING)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # The user name as text, readable after the account is deleted.
    actor = models.CharField(max_length=150)
    total = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    cancelled_by = models.CharField(max_length=150, blank=True)

    class Meta:
        abstract = True
        ordering = ["-id"]

    @property
    def in_progress(self) -> bool:
        return self.state in (JobState.PREPARING, JobState.RUNNING)


class Batch(BackgroundJob):
    """One bulk action on registrations. `kind` is the slug of a BulkAction.

    `params` are the action's own inputs, e.g. {"reason": "…"} or {"owner": 7}. `query` is the list's query string
    if "all that match" was selected; it is kept to show what was selected.
    """

    kind = models.CharField(max_length=40)
    params = models.JSONField(default=dict, blank=True)
    query = models.TextField(blank=True)

    class Meta(BackgroundJob.Meta):
        verbose_name_plural = "batches"
        indexes = [
            models.Index(
                fields=["enqueued_at"], name="batch_open", condition=Q(state__in=["preparing", "running"])
            )
        ]

    def __str__(self) -> str:
        return f"Batch {self.pk} {self.kind}"


class BatchItem(models.Model):
    """One registration of a batch and its outcome. `text` says why it was skipped, or what happened."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="batch_items")
    state = models.CharField(max_length=10, choices=ItemState, default=ItemState.NEW)
    text = models.TextField(blank=True)
    # The estimate of the dry run, in US dollars. What was paid is in the API calls.
    fee = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    # The revision that the dry run checked; an action that submits sends no other.
    revision = models.PositiveIntegerField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["batch", "registration"], name="batch_item_once")]
        indexes = [models.Index(fields=["batch", "state", "id"], name="batch_item_state")]

    def __str__(self) -> str:
        return f"{self.batch_id}/{self.registration_id} {self.state}"


class Import(BackgroundJob):
    """One uploaded table of customers. `total` is 0 until a job has read the rows from the file."""

    name = models.CharField(max_length=255)
    header = models.JSONField(default=list, blank=True)
    # Whether good rows are also submitted.
    submit = models.BooleanField(default=False)

    class Meta(BackgroundJob.Meta):
        indexes = [
            models.Index(
                fields=["enqueued_at"], name="import_open", condition=Q(state__in=["preparing", "running"])
            )
        ]

    def __str__(self) -> str:
        return f"Import {self.pk}"


class ImportFile(models.Model):
    """The uploaded file, until its rows are stored. In its own table, because the import's row is written often."""

    upload = models.OneToOneField(Import, on_delete=models.CASCADE, primary_key=True, related_name="file")
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"File of import {self.upload_id}"


class ImportRow(models.Model):
    """One row of an uploaded table. `number` is the spreadsheet's row number (the header is row 1).

    `cells`: {column: text}, personal data; emptied when the row is imported or pruned.
    `errors`, `warnings`: {column: [sentence]}, "" for the row as a whole.
    `outcome`: what importing it would do, then what it did.
    `changes`: names of the inputs it would change in a saved registration.
    `revision`: that registration's revision when the row was checked; None if there was none, or if an earlier
    row changes it first.
    """

    upload = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=ItemState, default=ItemState.NEW)
    outcome = models.CharField(max_length=10, blank=True)
    cells = models.JSONField(default=dict, blank=True)
    errors = models.JSONField(default=dict, blank=True)
    warnings = models.JSONField(default=dict, blank=True)
    registration = models.ForeignKey(
        Registration, null=True, on_delete=models.SET_NULL, related_name="import_rows"
    )
    changes = models.JSONField(default=list, blank=True)
    revision = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="import_row_once")]
        indexes = [models.Index(fields=["upload", "state", "number"], name="import_row_state")]

    def __str__(self) -> str:
        return f"{self.upload_id}/{self.number} {self.state}"
