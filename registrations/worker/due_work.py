"""What the sweep enqueues: work that is due, and work whose job was lost."""

from registrations.core import queue
from registrations.models import Batch, CachedStatistic, Import
from registrations.operations import notifications
from registrations.operations.bulk import background_job
from registrations.operations.reconciliation import actions, primary_profile, scan, schedule
from registrations.operations.webhooks import handlers


def enqueue_forgotten_deliveries() -> int:
    """Enqueue deliveries that no job has processed within half a minute. Returns how many."""
    pks = handlers.claim_lost()
    for start in range(0, len(pks), 20):
        queue.enqueue_deliveries(pks[start : start + 20])
    return len(pks)


def enqueue_forgotten_reconciliation() -> None:
    """Enqueue scans and actions on findings whose job was lost."""
    for pk in scan.claim_lost():
        queue.enqueue_scan(pk)
    for pk in actions.claim_lost():
        queue.enqueue_finding(pk)


def enqueue_forgotten_bulk_jobs() -> None:
    """Enqueue bulk actions and imports whose job was lost, or whose worker died."""
    for pk in background_job.claim_lost(Batch):
        queue.enqueue_batch(pk)
    for pk in background_job.claim_lost(Import):
        queue.enqueue_import(pk)


def enqueue_due_scan() -> bool:
    """Enqueue the scheduled comparison with Twilio's account if it is due. Returns whether it was."""
    return schedule.request_due() is not None


def enqueue_due_retired_brands() -> None:
    """Enqueue the hourly check of brands that somebody must delete in the Console, if it is due."""
    if schedule.brands_due():
        queue.enqueue_retired_brands()


def enqueue_due_primary_profile() -> bool:
    """Enqueue the check of the ISV's primary profile if it is due. Returns whether it was."""
    return primary_profile.request_due()


def enqueue_due_notifications() -> None:
    """Enqueue the sending of notifications if any are due."""
    if notifications.due():
        queue.enqueue_notifications()


def enqueue_due_statistics() -> None:
    """Enqueue the recount of the dashboard's slow numbers; a small installation caches none."""
    if CachedStatistic.objects.exists():
        queue.enqueue_statistics()
