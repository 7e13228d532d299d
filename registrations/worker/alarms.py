"""What is wrong with the desk as a whole, by name: for telling people once, not for pages."""

from datetime import timedelta

from registrations.core import clock
from registrations.models import ApiCall, Registration
from registrations.models.choices import CallState, WaitingFor
from registrations.reporting import health
from registrations.workflow.runner.retries import CREDENTIALS_REFUSED

# Credentials are tried again after a quarter of an hour at most (trouble.MISCONFIGURED_SECONDS).
RECENT = timedelta(minutes=20)


def troubles() -> dict[str, str]:
    """{name: sentence for people}; names are stable for as long as the trouble lasts."""
    return {**_workers(), **_deliveries(), **_credentials()}


def _workers() -> dict[str, str]:
    facts = health.health()
    found = {
        f"worker:{worker.name}"[:60]: f"The worker {worker.name} has not been heard of for "
        f"{int(worker.age_seconds // 60)} minutes; it did not say that it stops."
        for worker in facts.workers
        if not worker.alive
    }
    if not any(worker.alive for worker in facts.workers):
        # Seen by `manage.py alarm` alone: who sweeps is alive.
        found = {"no-worker": "No worker is running: nothing is sent to Twilio until one does."}
    if facts.overdue:
        found["overdue"] = (
            f"{facts.overdue} registrations are overdue by two minutes or more: more workers are needed, or one hangs."
        )
    return found


def _deliveries() -> dict[str, str]:
    # Not at the top: the inbox stands above this package, because storing a delivery rings a job.
    from registrations.operations.webhooks import receiver

    return {
        f"silent:{channel.kind}": f"{channel.label}: Twilio's deliveries do not arrive. The desk asks Twilio itself "
        "meanwhile, which is slower."
        for channel in receiver.channels()
        if channel.configured and channel.silent
    }


def _credentials() -> dict[str, str]:
    since = clock.now() - RECENT
    refused = (
        ApiCall.objects.filter(state=CallState.MISCONFIGURED, started_at__gte=since).exists()
        or Registration.objects.filter(
            waiting_for=WaitingFor.US, reason__startswith=CREDENTIALS_REFUSED
        ).exists()
    )
    text = "Twilio refuses our credentials or settings: nothing is registered until they are mended."
    return {"credentials": text} if refused else {}
