"""Notifies the person who started a bulk action or an import that it ended."""

from typing import Any

from django.db.models import Count

from registrations.models import Batch, Import
from registrations.models.choices import ItemState, JobState
from registrations.workflow.notices import BATCH, IMPORT, notify


def notify_batch_done(batch: Batch, what: str = "") -> None:
    """Tell who started a bulk act that it ended. `what`: its label for people, e.g. "Submit"."""
    counts = dict(batch.items.order_by().values_list("state").annotate(n=Count("pk")))
    _notify_ended(batch, BATCH, f"Bulk work “{what or batch.kind.replace('_', ' ')}”", counts)


def notify_import_done(upload: Import) -> None:
    """Tell who uploaded a table that its rows were imported."""
    counts = dict(upload.rows.order_by().values_list("state").annotate(n=Count("pk")))
    _notify_ended(upload, IMPORT, f"Import {upload.pk}", counts)


def notify_import_unread(upload: Import) -> None:
    """Tell who uploaded a table that no row of it could be read."""
    at = int(upload.finished_at.timestamp()) if upload.finished_at else 0
    said = f"Import {upload.pk} could not be read. Its page says why."
    notify(upload.user, IMPORT, f"{IMPORT}:{upload.pk}:{at}", said)


def _notify_ended(work: Any, kind: str, title: str, counts: dict[str, int]) -> None:
    parts = [
        f"{counts[state]:,} {word}"
        for state, word in (
            (ItemState.DONE, "done"),
            (ItemState.SKIPPED, "skipped"),
            (ItemState.FAILED, "failed"),
        )
        if counts.get(state)
    ]
    ended = "stopped by an error of ours" if work.state == JobState.FAILED else "done"
    # Started again after Cancel or an error, it ends anew.
    at = int(work.finished_at.timestamp()) if work.finished_at else 0
    notify(
        work.user,
        kind,
        f"{kind}:{work.pk}:{at}",
        f"{title} is {ended}{': ' + ', '.join(parts) if parts else ''}.",
        batch=work if isinstance(work, Batch) else None,
    )
