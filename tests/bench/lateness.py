"""How late a registration continues after one of Twilio's settle waits, while the workers are busy with others."""

import time

from tests.bench.installation import Installation, TooSlow
from tests.bench.options import Options
from tests.bench.report import Report

from . import probe

# One customer each 2 s is as much as Twilio's pace lets through for long: 2 rate-limited writes each, 1 a second.
EVERY = 2.0
GIVE_UP = 240.0
GOAL = 2.0


def measure(options: Options) -> Report:
    with Installation(
        scale=options.scale, latency_ms=options.latency_ms, workers=options.workers
    ) as installation:
        installation.start_sandbox()
        installation.start_worker()
        senders = installation.numbers(int(GIVE_UP / EVERY) + 1)
        began = time.monotonic()
        while len(probe.read(installation.claims).get("settle", ())) < options.samples:
            if time.monotonic() > began + GIVE_UP:
                raise TooSlow(f"Fewer than {options.samples} settle waits ended in {GIVE_UP:.0f} s.")
            installation.submit([senders.pop()])
            time.sleep(max(0.0, began + installation.created * EVERY - time.monotonic()))
        late = probe.read(installation.claims)
        registrations, live, restarts = installation.created, installation.live(), installation.restarts()
    setting = (
        f"{options.workers} workers, {options.latency_ms} ms a call, time scale {options.scale:g}: "
        f"a settle wait is {30 * options.scale:g} s; a new customer every {EVERY:g} s"
    )
    report = Report("Lateness: from next_run_at to the worker's claim", setting)
    add_lateness(report, late)
    report.add("customers submitted", registrations, note=f"{live} of them live at the end")
    report.add("restarts of the job cluster", restarts, note="goal 0")
    return report


def add_lateness(report: Report, late: dict[str, list[float]]) -> None:
    report.spread("after a settle wait", late.get("settle", ()), "s", f"goal: at most {GOAL:g} s")
    report.spread("after Submit", late.get("asked", ()), "s")
    report.spread("after a poll interval", late.get("poll", ()), "s")
    report.spread("after a wait for the pace", late.get("pace", ()), "s")
    again = len(late.get("pace-again", ()))
    report.add("waits for the rate limit repeated", again, note="its slot came, but was still taken")
