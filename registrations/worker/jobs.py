"""The job bodies that a worker runs for the jobs of `core.queue`.

A job carries only ids. State lives in the database: a job that runs twice finds nothing left to do, and the sweep
enqueues a lost job again (`due_work`).
"""

from datetime import timedelta

from django.utils import timezone
from django_q.models import Task

from registrations.intake.preflight import online_checks
from registrations.models import Heartbeat, ImportFile, ImportRow, Notification
from registrations.models.choices import ItemState
from registrations.operations import notifications
from registrations.operations.reconciliation import actions, primary_profile, schedule
from registrations.operations.webhooks import event_streams, handlers
from registrations.twilio.client import errors, get_client
from registrations.workflow import locks
from registrations.workflow.runner import runner

from .processes import pause

KEEP_SUCCESSES = timedelta(days=2)
KEEP_FAILURES = timedelta(days=30)
KEEP_HEARTBEATS = timedelta(days=2)
# These contain personal data of customers who did not become registrations.
KEEP_IMPORT_ROWS = timedelta(days=30)
KEEP_NOTIFICATIONS = timedelta(days=90)


def advance(pk: int) -> None:
    """Advance registration `pk` as far as possible now."""
    runner.advance(pk)


def process_deliveries(pks: list[str]) -> None:
    """Handle each stored webhook delivery; skips those that are already processed."""
    for pk in pks:
        handlers.process(pk)


def run_scan(pk: int) -> None:
    """Compare Twilio's account with our registrations; skips a scan that is done or in progress."""
    schedule.run(pk, pause=pause)


def check_retired_brands(registration_id: int | None) -> None:
    """Check whether retired brands are gone. If the job is lost, the next check replaces it."""
    schedule.check_retired_brands(get_client(), pause, registration_id)


def check_primary_profile() -> None:
    """Check the ISV's primary profile. If the job is lost, the next check replaces it."""
    primary_profile.check()


def act_on_finding(pk: int) -> None:
    """Run the action that a person chose for a finding; skips one that is settled or in progress."""
    actions.run(pk)


def send_notifications() -> None:
    """Send the notifications that are due; failed ones are tried again later."""
    notifications.send_due()


def set_up_event_streams() -> None:
    """Create or repair the Event Streams sink and store the result for the settings page.

    This may wait half a minute for the test event; that is fine, because people rarely request it.
    """
    try:
        report = event_streams.set_up(get_client(), pause=pause)
        detail = report.as_json()
    except locks.Busy:
        return  # the other job stores its result
    except errors.TwilioError as error:
        detail = {"ok": False, "problems": [f"{str(error).rstrip('.')}. Nothing is lost: try again."]}
    event_streams.save_result(detail)


def run_online_checks(pk: int) -> None:
    """Check a registration's web pages and mobile. If the job is lost, the page offers the check again."""
    online_checks.run(runner.load(pk))


def prune() -> int:
    """Delete old job results, heartbeats, import rows, notifications and deliveries. Returns the number of rows."""
    now = timezone.now()
    old = [
        Task.objects.filter(success=True, stopped__lt=now - KEEP_SUCCESSES),
        Task.objects.filter(success=False, stopped__lt=now - KEEP_FAILURES),
        Heartbeat.objects.filter(at__lt=now - KEEP_HEARTBEATS, name__startswith=Heartbeat.WORKER),
        ImportRow.objects.filter(upload__created_at__lt=now - KEEP_IMPORT_ROWS).exclude(state=ItemState.DONE),
        ImportFile.objects.filter(upload__created_at__lt=now - KEEP_IMPORT_ROWS),
        Notification.objects.filter(created_at__lt=now - KEEP_NOTIFICATIONS),
    ]
    return sum(rows.delete()[0] for rows in old) + handlers.prune()
