"""The system's health, for pages and /healthz: a few indexed counts, no personal data."""

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError
from django.db.models import Q
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from registrations.core import clock, queue
from registrations.models import Heartbeat, Registration

# A worker sends a heartbeat every 5 s; after half a minute without one it counts as dead.
WORKER_SILENT = timedelta(seconds=30)
# A due registration normally starts within a second; the sweep replaces a lost job within 15 s.
OVERDUE = timedelta(minutes=2)


@dataclass(frozen=True)
class Worker:
    """One `manage.py worker`, by its last heartbeat. `trouble`: why its cluster was last restarted."""

    name: str
    age_seconds: float
    processes: int
    running: int
    frozen: int
    trouble: str

    @property
    def alive(self) -> bool:
        return self.age_seconds <= WORKER_SILENT.total_seconds()


@dataclass(frozen=True)
class Health:
    """`due`/`later`: jobs in the queue; `overdue`: registrations that have been due for 2 minutes or more."""

    due: int
    later: int
    oldest_due_seconds: float
    overdue: int
    failed_jobs_24h: int
    workers: list[Worker] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """What an operator should fix; empty if all is well."""
        found = []
        if not any(worker.alive for worker in self.workers):
            found.append("No worker is running: nothing is sent to Twilio until one runs (manage.py worker).")
        if self.overdue:
            found.append(f"{self.overdue} registrations are overdue by two minutes or more.")
        return found

    @property
    def ok(self) -> bool:
        return not self.problems


def health() -> Health:
    """The health now. Raises DatabaseError if the database does not respond."""
    now = clock.now()
    depth = queue.queue_depth()
    return Health(
        due=depth.due,
        later=depth.later,
        oldest_due_seconds=_seconds(now, depth.oldest_due),
        overdue=Registration.objects.filter(next_run_at__lt=now - OVERDUE)
        .filter(Q(lease_until=None) | Q(lease_until__lt=now))
        .count(),
        failed_jobs_24h=queue.failures_since(now - timedelta(days=1)),
        workers=[_worker(beat, now) for beat in Heartbeat.objects.filter(name__startswith=Heartbeat.WORKER)],
    )


def _worker(beat: Heartbeat, now: datetime) -> Worker:
    return Worker(
        name=beat.name.removeprefix(Heartbeat.WORKER),
        age_seconds=_seconds(now, beat.at),
        processes=beat.detail.get("workers", 0),
        running=beat.detail.get("running", 0),
        frozen=beat.detail.get("frozen", 0),
        trouble=beat.detail.get("trouble", ""),
    )


def _seconds(now: datetime, then: datetime | None) -> float:
    return round(max((now - then).total_seconds(), 0.0), 1) if then else 0.0


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """GET /healthz: 200 if database and worker are fine, 503 otherwise; JSON.

    `?part=web` covers only this process and its database: a load balancer must not take the pages offline because the
    worker is down.
    """
    web_only = request.GET.get("part") == "web"
    try:
        current = health()
    except (DatabaseError, InterfaceError):
        return JsonResponse({"ok": False, "problems": ["The database does not answer."]}, status=503)
    problems = [] if web_only else current.problems
    # This page is public, so it shows no host names or reasons.
    body = {"ok": not problems, "problems": problems, **asdict(current)}
    body["workers"] = sum(worker.alive for worker in current.workers)
    return JsonResponse(body, status=503 if problems else 200)
