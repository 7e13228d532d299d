"""Memory of the processes, idle and after work.

RSS counts a page shared by several processes in each of them; PSS divides it among them, so only PSS may be
added up.
"""

import psutil
import requests

from tests.bench.children import Child
from tests.bench.installation import ACTOR, Installation
from tests.bench.options import Options
from tests.bench.pages import browse
from tests.bench.report import Report

SCALE = 0.05
CUSTOMERS = 6
PAGES = 200
MIB = 1024 * 1024


def measure(options: Options) -> Report:
    report = Report(
        "Memory",
        f"web: gunicorn with 1 process and 4 threads; worker: {options.workers} worker processes; "
        f"load: {CUSTOMERS} registrations and {PAGES} pages",
    )
    with Installation(scale=SCALE, workers=options.workers) as installation:
        sandbox, worker, web = (
            installation.start_sandbox(),
            installation.start_worker(),
            installation.start_web(),
        )
        requests.get(f"{installation.web_url}/healthz", timeout=30)  # the first request loads the pages' code
        _add(report, "idle", sandbox, worker, web)
        registrations = installation.submit(installation.numbers(CUSTOMERS))
        browse(installation, ACTOR, registrations, PAGES)
        installation.wait_live(CUSTOMERS, 120)
        _add(report, "after the load", sandbox, worker, web)
    return report


def _add(report: Report, when: str, sandbox: Child, worker: Child, web: Child) -> None:
    for name, child in (("web", web), ("worker", worker), ("sandbox", sandbox)):
        used = [(process, *_used(process)) for process in child.tree()]
        report.add(f"{name}, {when}: PSS", sum(pss for _, _, pss in used), "MiB", f"{len(used)} processes")
        if len(used) == 1:
            report.add("  RSS", used[0][1], "MiB")
            continue
        for (_, rss, pss), role in zip(used, _roles(name, len(used)), strict=True):
            report.add(f"  {role}: RSS", rss, "MiB", f"PSS {pss:.1f}")


def _used(process: psutil.Process) -> tuple[float, float]:
    """RSS and PSS in MiB."""
    info = process.memory_full_info()
    return info.rss / MIB, info.pss / MIB


def _roles(name: str, count: int) -> list[str]:
    if name == "web":
        return ["master", *[f"process {n}" for n in range(1, count)]]
    # psutil walks breadth first: supervisor, main, sentinel, then the sentinel's children as it started them.
    workers = [f"worker process {n}" for n in range(1, count - 4)]
    return ["supervisor", "cluster main", "sentinel", *workers, "monitor", "pusher"]
