"""In each worker process: how late is a registration taken up? Costs the worker one small read per claim.

The product has no hook for this, so the pipeline's `claim` is wrapped from outside. A line of the file is
"kind registration seconds", where seconds is the moment after the claim minus the `next_run_at` it consumed.
"""

import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from django.apps import AppConfig

CLAIMS_FILE = "A2P_BENCH_CLAIMS"
SETTLING = ("profile", "trust_bundle", "brand")
POLLED = (*SETTLING, "campaign", "phone_number")


def kind_of(before: dict[str, Any]) -> str:
    """What the registration waited for: "settle", "poll", "pace", "pace-again", or "asked" (a person, or a retry)."""
    next_run_at = before["next_run_at"]
    if before["slot_at"]:
        # Its slot came, but was still taken: it waits again.
        return "pace" if next_run_at == before["slot_at"] else "pace-again"
    for part in POLLED:
        if next_run_at == before[f"{part}__next_poll_at"]:
            # The first look after a submission is the end of Twilio's settle window.
            return "settle" if part in SETTLING and before[f"{part}__poll_count"] == 0 else "poll"
    return "asked"


def read(path: Path) -> dict[str, list[float]]:
    """Lateness in seconds of each kind of claim so far."""
    found: dict[str, list[float]] = defaultdict(list)
    for line in path.read_text().splitlines() if path.exists() else []:
        kind, _, seconds = line.split()
        found[kind].append(float(seconds))
    return found


class ProbeConfig(AppConfig):
    name = "tests.bench"
    label = "bench"

    def ready(self) -> None:
        if path := os.environ.get(CLAIMS_FILE):
            _install(path)


def _install(path: str) -> None:
    from registrations.core import clock
    from registrations.models import Registration
    from registrations.workflow.runner import runner

    original = runner.claim
    columns = ["next_run_at", "slot_at"]
    columns += [f"{part}__{column}" for part in POLLED for column in ("next_poll_at", "poll_count")]

    def claim(pk: int) -> str | None:
        before = Registration.objects.filter(pk=pk).values(*columns).first()
        token = original(pk)
        now = clock.now()
        if token and before and before["next_run_at"]:
            late = (now - before["next_run_at"]).total_seconds()
            # One short append: lines of several processes do not mix.
            with open(path, "a") as file:
                file.write(f"{kind_of(before)} {pk} {late:.4f}\n")
        return token

    runner.claim = claim
