"""Is the desk well? Read-only facts for pages and for /healthz: a few indexed counts, no personal data."""

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

# A worker says it lives every 5 s; with half a minute of silence it is taken for dead.
WORKER_SILENT = timedelta(seconds=30)
# A due registration is normally begun within a second; the sweep repairs a lost doorbell within 15 s.
OVERDUE = timedelta(minutes=2)


@dataclass(frozen=True)
class Worker:
    """One `manage.py worker`, by its last heartbeat. `trouble` is why its cluster was last restarted."""

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
    """`due`/`later`: jobs in the queue; `overdue`: registrations whose time passed 2 minutes ago or more."""

    due: int
    later: int
    oldest_due_seconds: float
    overdue: int
    failed_jobs_24h: int
    workers: list[Worker] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """What an operator should do something about, in words; empty when all is well."""
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
    """Read the facts now. Raises DatabaseError when the database does not answer."""
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
    """GET /healthz: 200 when database and worker do their part, 503 otherwise; JSON.

    `?part=web` asks about this process and its database alone: a load balancer must not take the pages away
    because the worker rests.
    """
    web_only = request.GET.get("part") == "web"
    try:
        facts = health()
    except (DatabaseError, InterfaceError):
        return JsonResponse({"ok": False, "problems": ["The database does not answer."]}, status=503)
    problems = [] if web_only else facts.problems
    # Host names and reasons stay inside: anyone may ask here.
    body = {"ok": not problems, "problems": problems, **asdict(facts)}
    body["workers"] = sum(worker.alive for worker in facts.workers)
    return JsonResponse(body, status=503 if problems else 200)
