"""Notifies the person who started a bulk action or an import that it ended."""

from typing import Any

from django.db.models import Count

from registrations.models import Batch, Import
from registrations.models.choices import ItemState, JobState
from registrations.workflow.notices import BATCH, IMPORT, notify


def notify_batch_done(batch: Batch, label: str = "") -> None:
    """`label`: the action's name for people, e.g. "Submit"."""
    title = f"Bulk action “{label or batch.kind.replace('_', ' ')}”"
    _notify_ended(batch, BATCH, title, batch.items)


def notify_import_done(upload: Import) -> None:
    _notify_ended(upload, IMPORT, f"Import {upload.pk}", upload.rows)


def notify_import_unread(upload: Import) -> None:
    """No row of the table could be read."""
    text = f"Import {upload.pk} could not be read. Its page says why."
    notify(upload.user, IMPORT, _key(IMPORT, upload), text)


def _notify_ended(job: Batch | Import, kind: str, title: str, rows: Any) -> None:
    counts = dict(rows.order_by().values_list("state").annotate(n=Count("pk")))
    parts = [
        f"{counts[state]:,} {state.label.lower()}"
        for state in (ItemState.DONE, ItemState.SKIPPED, ItemState.FAILED)
        if counts.get(state)
    ]
    ended = "was stopped by an internal error" if job.state == JobState.FAILED else "is done"
    notify(
        job.user,
        kind,
        _key(kind, job),
        f"{title} {ended}{': ' + ', '.join(parts) if parts else ''}.",
        batch=job if isinstance(job, Batch) else None,
    )


def _key(kind: str, job: Batch | Import) -> str:
    """With the time it ended, because a restarted job ends again."""
    return f"{kind}:{job.pk}:{int(job.finished_at.timestamp()) if job.finished_at else 0}"
