"""The job bodies: what a worker does with what `core.queue` put on the queue.

A job carries ids and nothing else. State lives in the database: a job that runs twice finds nothing left to do, and
a lost job is enqueued again by the sweep (`due_work`).
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
# Personal data of customers who did not become registrations.
KEEP_IMPORT_ROWS = timedelta(days=30)
KEEP_NOTIFICATIONS = timedelta(days=90)


def advance(pk: int) -> None:
    """Take registration `pk` as far as it can go now."""
    runner.advance(pk)


def process_deliveries(pks: list[str]) -> None:
    """Handle each stored webhook delivery; one that is processed already is skipped."""
    for pk in pks:
        handlers.process(pk)


def run_scan(pk: int) -> None:
    """Compare Twilio's account with our registrations; skips a scan that is done or being worked on."""
    schedule.run(pk, pause=pause)


def look_at_retired(registration_id: int | None) -> None:
    """Check whether retired brands are gone; a lost job is made up for by the next check."""
    schedule.check_retired_brands(get_client(), pause, registration_id)


def look_at_primary_profile() -> None:
    """Check the ISV's primary profile; a lost job is enqueued again when the next check is due."""
    primary_profile.check()


def act_on_finding(pk: int) -> None:
    """Do what a person asked for a finding; skips one that is settled or being worked on."""
    actions.run(pk)


def send_notifications() -> None:
    """Send what is due; what does not go out is tried again later."""
    notifications.send_due()


def set_up_event_streams() -> None:
    """Create or repair the Event Streams sink; the result is kept for the settings page.

    It may wait half a minute for the test event, which is rare and asked for by a person.
    """
    try:
        report = event_streams.set_up(get_client(), pause=pause)
        detail = report.as_json()
    except locks.Busy:
        return  # the other job stores what it finds
    except errors.TwilioError as error:
        detail = {"ok": False, "problems": [f"{str(error).rstrip('.')}. Nothing is lost: try again."]}
    event_streams.save_result(detail)


def look_online(pk: int) -> None:
    """Check a registration's web pages and mobile. Losing it loses nothing: the page offers it again."""
    online_checks.look(runner.load(pk))


def prune() -> int:
    """Delete results, heartbeats, old notes and deliveries that nobody will read again; returns how many rows went."""
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
