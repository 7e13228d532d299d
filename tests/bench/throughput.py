"""Registrations a minute: the product, a plain script, and the most that Twilio's rate limit allows."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.bench.customers import customer
from tests.bench.installation import Installation
from tests.bench.lateness import add_lateness
from tests.bench.options import Options
from tests.bench.report import Report
from tests.bench.script import Script

from . import probe

PACED_WRITES = 2  # brand and campaign, at most one a second per account (docs/twilio.md section 8)
PACED_PATHS = ("/BrandRegistrations", "/Compliance/Usa2p")
GIVE_UP = 400.0
ONE_AFTER_ANOTHER = 2  # customers; each takes the script the same time
THREADS = 4


@dataclass(frozen=True)
class Run:
    """customers live after `seconds`; counts: what the sandbox counted.

    paced_per_minute: accepted brand and campaign writes, between the first and the last of them.
    """

    customers: int
    seconds: float
    counts: dict[str, Any]
    paced_per_minute: float

    @property
    def per_minute(self) -> float:
        return self.customers * 60 / self.seconds


def measure(options: Options) -> Report:
    setting = (
        f"{options.latency_ms} ms a call, time scale {options.scale:g}, Twilio's rate limit (not scaled), "
        "customers answer YES by themselves; from the first Submit to the last number live"
    )
    report = Report("Registrations per minute", setting)
    product, late = _product(options)
    _add(report, f"product, {options.workers} workers", product)
    least = (PACED_WRITES * options.customers - 1) * 1.0
    report.add("limit set by Twilio", 60 / PACED_WRITES, "/min", "2 rate-limited writes each, 1 a second")
    report.add("  no run of this size is shorter than", least, "s", "the rate-limited writes alone")
    _add(report, "script, one after another", _script(options, ONE_AFTER_ANOTHER, threads=1))
    _add(report, f"script, {THREADS} threads", _script(options, THREADS, threads=THREADS))
    report.add(f"Lateness in the same run, {options.customers} at once", "")
    add_lateness(report, late)
    return report


def _add(report: Report, name: str, run: Run) -> None:
    report.add(name, run.per_minute, "/min", f"{run.customers} customers in {run.seconds:.1f} s")
    calls = run.counts["calls"]
    report.add("  calls", calls["total"], "calls", f"{calls['writes']} writes, {calls['reads']} reads")
    report.add("  duplicates", sum(map(len, run.counts["duplicates"].values())))
    report.add("  paced writes", run.paced_per_minute, "/min", "from the first to the last; at most 60")
    broken = run.counts["violations"]
    report.add("  violations", sum(broken.values()), note=", ".join(f"{k} {v}" for k, v in broken.items()))


def _run(installation: Installation, customers: int, seconds: float) -> Run:
    at = [
        entry["at"]
        for entry in installation.get("log")
        if entry["method"] == "POST" and entry["status"] < 300 and entry["path"].endswith(PACED_PATHS)
    ]
    return Run(customers, seconds, installation.get("counts"), (len(at) - 1) * 60 / (max(at) - min(at)))


def _product(options: Options) -> tuple[Run, dict[str, list[float]]]:
    with Installation(
        scale=options.scale, latency_ms=options.latency_ms, workers=options.workers
    ) as installation:
        installation.start_sandbox()
        installation.start_worker()
        senders = installation.numbers(options.customers)
        began = time.monotonic()
        installation.submit(senders)
        installation.wait_live(options.customers, GIVE_UP)
        seconds = time.monotonic() - began
        return _run(installation, options.customers, seconds), probe.read(installation.claims)


def _script(options: Options, customers: int, threads: int) -> Run:
    with Installation(scale=options.scale, latency_ms=options.latency_ms) as installation:
        installation.start_sandbox()
        senders = installation.numbers(customers)

        def register(index: int) -> None:
            # A client of its own for each, as separate scripts would have.
            script = Script(
                base_url=installation.sandbox_url,
                account=os.environ["TWILIO_ACCOUNT_SID"],
                token=os.environ["TWILIO_AUTH_TOKEN"],
                primary=os.environ["TWILIO_PRIMARY_PROFILE_SID"],
                scale=options.scale,
            )
            script.register(f"Customer {index}", customer(index, senders[index]))

        began = time.monotonic()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(register, range(customers)))
        return _run(installation, customers, time.monotonic() - began)
