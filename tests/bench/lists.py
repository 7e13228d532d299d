"""How long the dashboard, the lists and the detail page take with few, many and very many registrations."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from registrations.models import Registration
from registrations.reporting import statistics
from tests.bench.installation import Installation
from tests.bench.options import Options
from tests.bench.report import Report, percentile

from . import rows

REPEATS = 15
# Frames of `_deeper`, some 130 bytes each, by which each repeat begins deeper than the one before: 15 KiB in all.
STEP = 8
# No page of stock Django's is waited for longer than this; it then counts with the samples it has.
PATIENCE = 40.0
LISTS = ("registration", "brand", "campaign", "phonenumber")
_FILTER = {
    "registration": "waiting_for__exact=us&stage__exact=campaign",
    "brand": "status=FAILED",
    "campaign": "status=FAILED",
    "phonenumber": "a2p_status=none",
}
_STOCK_FILTER = {
    "registration": "waiting_for__exact=us&stage__exact=campaign",
    "brand": "status__exact=FAILED",
    "campaign": "status__exact=FAILED",
    "phonenumber": "a2p_status__exact=",
}


@dataclass(frozen=True)
class RegistrationSnapshot:
    """One page: its times in ms, of these our own CPU's, its queries, its size in KiB."""

    times: list[float]
    own: list[float]
    queries: int
    size: float

    @property
    def median(self) -> float:
        return percentile(sorted(self.times), 50)

    @property
    def p95(self) -> float:
        return percentile(sorted(self.times), 95)

    @property
    def cpu(self) -> float:
        return percentile(sorted(self.own), 50)


def measure(options: Options) -> Report:
    sizes = [int(size) for size in options.rows.split(",")]
    database = connection.vendor
    report = Report(
        "Pages over many registrations",
        f"{database}; each page {REPEATS} times, in this process, without a network; stock: Django's own "
        "changelist over the same rows with the same columns; ms median / p95; CPU: "
        "median of this process, which on SQLite is all of it",
    )
    with (
        Installation(scale=1.0),
        override_settings(ROOT_URLCONF="tests.bench.stock", ALLOWED_HOSTS=["testserver"]),
    ):
        rows.forget()
        patterns = rows.make_patterns()
        client = Client()
        client.force_login(get_user_model().objects.create_superuser("reader"))
        for size in sizes:
            began = time.monotonic()
            rows.grow(size - size % rows.PATTERNS)
            number = Registration.objects.count()
            report.add(f"{number:,} registrations", time.monotonic() - began, "s", "to make them")
            for name, ours, stock in pages(patterns, number):
                seen = look(client, ours)
                note = f"CPU {seen.cpu:.0f}, {seen.queries} queries, {seen.size:.0f} KiB"
                if stock:
                    other = look(client, stock)
                    note += f"; stock {other.median:.0f} / {other.p95:.0f}, CPU {other.cpu:.0f}, "
                    note += f"{other.queries} queries"
                report.add(f"  {name}", f"{seen.median:.0f} / {seen.p95:.0f}", "ms", note)
    return report


def pages(patterns: list[Registration], number: int) -> list[tuple[str, str, str]]:
    """(name, our address, stock Django's or "")."""
    live, failed = (
        patterns[0],
        next(registration for registration in patterns if registration.stage == "campaign"),
    )
    found = [
        ("dashboard", reverse("admin:index"), ""),
        ("dashboard, mine", reverse("admin:index") + "?who=mine", ""),
        ("registration, live", reverse("admin:registrations_registration_detail", args=[live.pk]), ""),
        (
            "registration, at its campaign",
            reverse("admin:registrations_registration_detail", args=[failed.pk]),
            "",
        ),
    ]
    word = f"c{number - 7}@example.com" if number > rows.PATTERNS else "ann.lee"
    for name in LISTS:
        ours, stock = f"/admin/registrations/{name}/", f"/stock/registrations/{name}/"
        last = _last_page(name)
        searched = word if name == "registration" else f"Customer {number - 7}"
        found += [
            (f"{name}s", ours, stock),
            (f"{name}s, filtered", f"{ours}?{_FILTER[name]}", f"{stock}?{_STOCK_FILTER[name]}"),
            (f"{name}s, searched", f"{ours}?q={searched}", f"{stock}?q={searched}"),
            (f"{name}s, last page", f"{ours}?p={last}", f"{stock}?p={_last_page(name, stock=True)}"),
        ]
    ours = "/admin/registrations/registration/"
    found += [
        ("registrations, overdue", f"{ours}?overdue=1", ""),
        ("registrations, mine by code", f"{ours}?owner=me&code=30909", ""),
        ("registrations, by phone", f"{ours}?q=(201) 000-{(number - 7) % 10000:04d}", ""),
        ("OTP texts", "/admin/registrations/registration/otp/", ""),
        ("API calls", "/admin/registrations/apicall/", ""),
        ("timeline", "/admin/registrations/event/", ""),
    ]
    return found


def _last_page(name: str, *, stock: bool = False) -> int:
    from django.apps import apps

    objects = apps.get_model("registrations", name)._default_manager.all()
    if name != "registration" and not stock:
        objects = objects.exclude(sid="")
    return max(1, -(-objects.count() // 50))


def look(client: Client, url: str) -> RegistrationSnapshot:
    """Once to warm up and to count, then for the times. Kept figures are those of a worker that is alive."""
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url)
    asked = len(queries)  # now: the next request empties the log
    if answer.status_code != 200:
        raise RuntimeError(f"{url} answered {answer.status_code}")
    times: list[float] = []
    own: list[float] = []
    gc.collect()
    until = time.monotonic() + PATIENCE
    while len(times) < REPEATS and (time.monotonic() < until or len(times) < 3):
        _keep_figures_young()
        began, busy = time.perf_counter(), time.process_time()
        _deeper(STEP * len(times), lambda: client.get(url))
        times.append((time.perf_counter() - began) * 1000)
        own.append((time.process_time() - busy) * 1000)
    return RegistrationSnapshot(times, own, asked, len(answer.content) / 1024)


def _deeper(frames: int, do: Callable[[], object]) -> object:
    """Do it with so many more calls on the stack.

    CPython 3.11 and later keep Python's frames in pieces of 16 KiB, and a loop that calls across the end of a piece
    maps and unmaps one at every turn: a page may take twice its time only because of how many calls are above it,
    which differs from one web server to the next. So the repeats go through all places of a piece.
    """
    return _deeper(frames - 1, do) if frames else do()


def _keep_figures_young() -> None:
    """What the worker does each minute beside the pages."""
    if statistics.due():
        statistics.refresh()
