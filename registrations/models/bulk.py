"""Work on many rows that a person starts and a worker does: bulk actions and imports."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from .choices import ItemState, JobState
from .registration import Registration


class BackgroundJob(models.Model):
    """What bulk actions and imports have in common: a state, who asked, and who may work on it now.

    Prepared by a job (the dry run), confirmed by a person, done by a job, row by row; every row's outcome is
    committed with the row, so a killed worker repeats nothing. `background.py` is the only writer of the lease.
    """

    state = models.CharField(max_length=10, choices=JobState, default=JobState.PREPARING)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # The name as text: it must be readable when the account is gone.
    actor = models.CharField(max_length=150)
    total = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    cancelled_by = models.CharField(max_length=150, blank=True)
    enqueued_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    lease_token = models.CharField(max_length=80, blank=True)

    class Meta:
        abstract = True
        ordering = ["-id"]

    @property
    def under_way(self) -> bool:
        return self.state in (JobState.PREPARING, JobState.RUNNING)


class Batch(BackgroundJob):
    """One bulk act on registrations. `kind` is the slug of a row of the table of bulk acts.

    `params` are the act's own inputs, e.g. {"reason": "…"} or {"owner": 7}; `query` is the list's query string
    when "all that match" was chosen, kept to tell a person what was chosen.
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
    """One registration of a batch, and what became of it. `text` says why it is skipped, or what happened."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="batch_items")
    state = models.CharField(max_length=10, choices=ItemState, default=ItemState.NEW)
    text = models.TextField(blank=True)
    # What the dry run said it may cost, in US dollars; what was paid is in the ledger.
    fee = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    # The inputs that the dry run was about; an act that sends them sends no others.
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
    # Whether the registrations of good rows are submitted too, as the person ticked.
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
    """The uploaded file, from the upload until its rows are stored. Apart: the work's own row is written often."""

    upload = models.OneToOneField(Import, on_delete=models.CASCADE, primary_key=True, related_name="file")
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"File of import {self.upload_id}"


class ImportRow(models.Model):
    """One row of an uploaded table. `number` is what the spreadsheet shows (the header is row 1).

    `cells`: {column: text}, personal data; emptied when the row is imported or pruned. `errors`, `warnings`:
    {column: [sentence]}, "" for the row as a whole. `outcome`: what importing it would do, then what it did.
    `changes`: names of the inputs of a saved registration that it would change. `revision`: that registration's when the row was
    checked; None when there was none, or when an earlier row changes it first.
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
