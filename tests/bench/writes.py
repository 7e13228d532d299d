"""What a clean registration costs at Twilio: its writes and reads, from the sandbox's own log."""

import re
from collections import Counter
from typing import Any

from tests.bench.installation import Installation
from tests.bench.options import Options
from tests.bench.report import Report

CUSTOMERS = 4
SCALE = 0.05
POLICIES = "GET Policies/{sid}"
_SID = re.compile(r"(?<=/)(?:[A-Z]{2}[0-9a-f]{32}|\+?\d{6,})")
_PREFIX = re.compile(r"^/v\d/|^/2010-04-01/Accounts/[^/]+/")


def kind_of(entry: dict[str, Any]) -> str:
    """ "POST CustomerProfiles/{sid}/Evaluations" for one line of the sandbox's log."""
    path = _SID.sub("{sid}", _PREFIX.sub("", entry["path"])).removesuffix(".json")
    return f"{entry['method']} {path}"


def measure(options: Options) -> Report:
    with Installation(scale=SCALE, workers=options.workers) as installation:
        installation.start_sandbox()
        installation.start_worker()
        installation.submit(installation.numbers(CUSTOMERS))
        installation.wait_live(CUSTOMERS, 120)
        log, counts = installation.get("log"), installation.get("counts")
    setting = (
        f"{CUSTOMERS} customers at once, senders by number, time scale {SCALE}, pace limited as Twilio's"
    )
    report = Report("Calls per clean registration", setting)
    kinds = Counter(kind_of(entry) for entry in log)
    policies = kinds.pop(POLICIES, 0)
    for name, is_read, note in (("writes", False, "19 are needed"), ("reads", True, "")):
        chosen = {kind: n for kind, n in sorted(kinds.items()) if kind.startswith("GET ") == is_read}
        report.add(name, _each(sum(chosen.values())), "calls", note)
        for kind, count in chosen.items():
            report.add(f"  {kind}", _each(count), "calls")
    report.add("reads of policies, all customers together", policies, "calls", "2 are needed, once for all")
    report.add("duplicates", sum(map(len, counts["duplicates"].values())), note="objects made twice; goal 0")
    report.add("violations", sum(counts["violations"].values()), note="wrong order or too fast; goal 0")
    return report


def _each(count: int) -> float | int:
    return count // CUSTOMERS if count % CUSTOMERS == 0 else count / CUSTOMERS
