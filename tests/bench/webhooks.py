"""How fast signed deliveries are acknowledged by the pages' server, while the worker processes them."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import requests
from django.urls import reverse

from registrations.models import Brand, Profile, WebhookDelivery
from tests.bench.deliveries import Delivery, bundle_callback, event_batch
from tests.bench.installation import Installation
from tests.bench.options import Options
from tests.bench.report import Report

SCALE = 0.05
CUSTOMERS = 3
SENDERS = 4  # deliveries under way at once
EVENTS_PER_BATCH = 5


def measure(options: Options) -> Report:
    setting = (
        f"gunicorn with 1 process and 4 threads, {SENDERS} deliveries at a time, {options.workers} workers busy "
        f"with them; about {CUSTOMERS} live registrations, batches of {EVENTS_PER_BATCH} events"
    )
    report = Report("Acknowledgement of signed webhooks", setting)
    with Installation(scale=SCALE, workers=options.workers) as installation:
        installation.start_sandbox()
        installation.start_web()
        installation.start_worker()
        installation.submit(installation.numbers(CUSTOMERS))
        installation.wait_live(CUSTOMERS, 120)
        bundles = list(Profile.objects.values_list("sid", flat=True))
        brands = list(Brand.objects.values_list("sid", flat=True))
        status_url = installation.web_url + reverse("bundle-status")
        events_url = installation.web_url + reverse("twilio-events")
        count = options.deliveries
        before = WebhookDelivery.objects.count()
        # Signed beforehand, so that our own work is not in the times.
        callbacks = [bundle_callback(status_url, bundles[n % CUSTOMERS]) for n in range(count)]
        batches = [event_batch(events_url, brands, n, EVENTS_PER_BATCH) for n in range(count)]
        for name, sent in (("bundle status callback", callbacks), ("batch of events", batches)):
            _add(report, name, list(_send_all(sent)))
        expected = count * (1 + EVENTS_PER_BATCH)
        report.add(
            "deliveries stored", WebhookDelivery.objects.count() - before, note=f"{expected} were sent"
        )
    return report


def _add(report: Report, name: str, answers: list[tuple[int, float]]) -> None:
    """answers: HTTP status and seconds of each."""
    statuses = Counter(status for status, _ in answers)
    report.spread(name, [seconds * 1000 for _, seconds in answers], "ms")
    report.add("  answers", len(answers), note=", ".join(f"{n} × {code}" for code, n in statuses.items()))


def _send_all(deliveries: list[Delivery]) -> Iterator[tuple[int, float]]:
    """Each sender keeps one connection."""

    def send(mine: list[Delivery]) -> list[tuple[int, float]]:
        with requests.Session() as session:
            session.trust_env = False
            return [_send(session, delivery) for delivery in mine]

    with ThreadPoolExecutor(SENDERS) as pool:
        for answers in pool.map(send, [deliveries[n::SENDERS] for n in range(SENDERS)]):
            yield from answers


def _send(session: requests.Session, delivery: Delivery) -> tuple[int, float]:
    began = time.perf_counter()
    answer = session.post(delivery.url, data=delivery.body, headers=delivery.headers, timeout=30)
    return answer.status_code, time.perf_counter() - began
