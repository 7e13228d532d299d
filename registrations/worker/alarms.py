"""System alerts: problems of the whole installation, for notifications and `manage.py alarm`."""

from datetime import timedelta

from registrations.core import clock
from registrations.models import ApiCall, Registration
from registrations.models.choices import CallState, WaitingFor
from registrations.operations.webhooks import receiver
from registrations.reporting import health
from registrations.workflow.runner.retries import CREDENTIALS_REJECTED

# Longer than the wait before refused credentials are tried again (retries.MISCONFIGURED_SECONDS).
RECENT = timedelta(minutes=20)


def active() -> dict[str, str]:
    """{name: text for people}. A name does not change while its problem lasts."""
    return {**_workers(), **_deliveries(), **_credentials()}


def _workers() -> dict[str, str]:
    facts = health.health()
    alerts = {
        f"worker:{worker.name}"[:60]: f"The worker {worker.name} has not reported for "
        f"{int(worker.age_seconds // 60)} minutes and was not shut down."
        for worker in facts.workers
        if not worker.alive
    }
    if not any(worker.alive for worker in facts.workers):
        # Only `manage.py alarm` can see this: otherwise a live worker is asking.
        alerts = {"no-worker": "No worker is running: nothing is sent to Twilio until one is started."}
    if facts.overdue:
        alerts["overdue"] = (
            f"{facts.overdue} registrations are overdue by two minutes or more: add workers, or a worker hangs."
        )
    return alerts


def _deliveries() -> dict[str, str]:
    return {
        f"silent:{channel.kind}": f"{channel.label}: no deliveries from Twilio are arriving. Until they do, we poll "
        "Twilio, which is slower."
        for channel in receiver.channels()
        if channel.configured and channel.silent
    }


def _credentials() -> dict[str, str]:
    since = clock.now() - RECENT
    refused = (
        ApiCall.objects.filter(state=CallState.MISCONFIGURED, started_at__gte=since).exists()
        or Registration.objects.filter(
            waiting_for=WaitingFor.US, reason__startswith=CREDENTIALS_REJECTED
        ).exists()
    )
    text = "Twilio rejects our credentials or settings: nothing is registered until they are fixed."
    return {"credentials": text} if refused else {}
