"""The storm: 2,000 and more deliveries, repeated, shuffled, some forged or broken, while real workers run."""

import hashlib
import json
import random
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings

from registrations.models import Event, Registration, WebhookDelivery
from registrations.twilio.client.signatures import FORM, signature
from registrations.worker.processes import pause
from tests.operations.imports.files import csv_bytes
from tests.operations.webhooks.conftest import EVENTS_PATH, STATUS_PATH, Letter, Postman, event
from tests.worker.conftest import ALIAS, wait_until, worker_database
from tests.workflow.plant import Plant, rows

pytestmark = pytest.mark.slow

__all__ = ["worker_database"]
# Brand and campaign calls keep Twilio's pace of one a second, so the live ones decide how long this takes.
LIVE, REFUSED = 16, 24
COPIES = 9
SEED = 20_261_101
REASONS = {
    "bad-syntax": "Email domain has an invalid address syntax.",
    "bad-domain": "Unknown email domain.",
    "disposable": "Email is a suspected disposable address.",
    "bad-email": "Email is invalid.",
}
A2P = {"REGISTERED": "registered", "FAILURE": "failure", "PENDING_REGISTRATION": "pending_registration"}


class Weather(Postman):
    """Passes each of Twilio's deliveries on many times, at random moments, with forged and broken ones between."""

    def __init__(self) -> None:
        super().__init__()
        self.web = ""
        self.random = random.Random(SEED)
        self.answers: Counter[tuple[str, int]] = Counter()
        self.took: list[float] = []
        self.copies = 1
        self._pool = ThreadPoolExecutor(8)
        self._local = threading.local()
        self._lock = threading.Lock()
        self._taken, self._open = 0, 0
        self._ended = threading.Event()
        self._pump = threading.Thread(target=self._run, daemon=True)
        self._pump.start()

    def _run(self) -> None:
        while not self._ended.wait(0.02):
            new, self._taken = self.letters[self._taken :], len(self.letters)
            for letter in new:
                self.scatter(letter)

    def scatter(self, letter: Letter, copies: int = 0) -> None:
        """Some copies now, some seconds later; every fifth with a forged, every tenth with a broken companion."""
        for _ in range(copies or self.copies):
            self.later("signed", letter)
        if self.copies > 1 and self.random.random() < 0.5:
            forged = {**letter.headers, "X-Twilio-Signature": self.random.choice(["", "bm8=", "AAAA" * 7])}
            self.later("forged", Letter(letter.path, letter.body, forged))
            self.later("forged", Letter(letter.path, letter.body + b" ", letter.headers))
        if self.copies > 1 and self.random.random() < 0.3:
            self.later("broken", self.broken())

    def broken(self) -> Letter:
        """Signed, but no delivery."""
        noise = f"noise {self.random.random()}".encode()
        if self.random.random() < 0.5:
            path = f"{EVENTS_PATH}?bodySHA256={hashlib.sha256(noise).hexdigest()}"
            return Letter(path, noise, self.signed(path, {}, "application/json"))
        fields = {"Noise": noise.decode().replace(" ", "")}
        body = f"Noise={fields['Noise']}".encode()
        return Letter(STATUS_PATH, body, self.signed(STATUS_PATH, fields, FORM))

    def signed(self, path: str, fields: dict[str, str], kind: str) -> dict[str, str]:
        signed = signature(self.url + path, fields, settings.TWILIO_AUTH_TOKEN)
        return {"X-Twilio-Signature": signed, "Content-Type": kind}

    def later(self, kind: str, letter: Letter) -> None:
        delay = 0.0 if self.copies == 1 else self.random.uniform(0, 3)
        with self._lock:
            self._open += 1
        timer = threading.Timer(delay, lambda: self._pool.submit(self._send, kind, letter))
        timer.daemon = True
        timer.start()

    def _send(self, kind: str, letter: Letter) -> None:
        keep = ("x-twilio", "i-twilio", "content-type")
        headers = {k: v for k, v in letter.headers.items() if k.lower().startswith(keep)}
        session = self._local.__dict__.setdefault("session", requests.Session())
        began = time.monotonic()
        try:
            status = session.post(
                self.web + letter.path, letter.body, headers=headers, timeout=30
            ).status_code
        except requests.RequestException:
            status = 0
        with self._lock:
            self.answers[kind, status] += 1
            self.took.append(time.monotonic() - began)
            self._open -= 1

    def over(self) -> bool:
        with self._lock:
            return self._open == 0 and self._taken == len(self.letters)

    def stop(self) -> None:
        self._ended.set()
        self._pump.join()
        self._pool.shutdown(wait=True, cancel_futures=True)
        super().stop()


@pytest.fixture
def weather():
    weather = Weather()
    yield weather
    weather.stop()


@pytest.fixture
def plant(worker_database, weather: Weather, tmp_path: Path):
    plant = Plant(tmp_path, worker_database | {"PUBLIC_BASE_URL": weather.url}, scale=0.05, rate_limit=False)
    WebhookDelivery.objects.using(ALIAS).all().delete()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    weather.web = f"http://127.0.0.1:{port}"
    plant._start(
        [
            "-m",
            "gunicorn",
            "a2p_admin.wsgi",
            "--bind",
            f"127.0.0.1:{port}",
            "--threads",
            "4",
            "--workers",
            "1",
        ]
    )
    wait_until(lambda: answers(weather.web + "/healthz?part=web"), 30, "the web server starts")
    yield plant
    plant.stop()


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def customers(plant: Plant) -> list[dict[str, str]]:
    """Some that go live, of whose numbers two are refused; some whose email address is refused."""
    senders = plant.post("numbers", count=LIVE + REFUSED - 2)["phone_numbers"]
    for number in ("+12125550666", "+13125550666"):
        plant.post("numbers", phone_number=number)
        senders.insert(0, number)
    found = rows(LIVE + REFUSED, senders)
    for number, row in enumerate(found[LIVE:]):
        row["email"] = f"{list(REASONS)[number % 4]}.callback-only.{number}@harborcrafts.com"
    return found


# --- what the two sides hold --------------------------------------------------------------------------------
def at_twilio(plant: Plant) -> dict[str, tuple[Any, ...]]:
    """By SID (campaigns and numbers by their service): the states and reasons of the sandbox."""
    state = plant.get("state")
    own = {settings.TWILIO_PRIMARY_PROFILE_SID}
    found: dict[str, tuple[Any, ...]] = {}
    for kind in ("CustomerProfiles", "TrustProducts"):
        for row in state.get(kind, []):
            if row["sid"] not in own:
                rejected = row["status"] == "twilio-rejected"
                found[row["sid"]] = (row["status"], row.get("_failure_reason") or "" if rejected else "")
    for row in state.get("BrandRegistrations", []):
        found[row["sid"]] = (row["status"], row["identity_status"] or "")
    for row in state.get("Usa2p", []):
        found[row["messaging_service_sid"]] = (row["campaign_status"],)
    for row in state.get("ServicePhoneNumbers", []):
        found[row["sid"]] = (A2P.get(row["_a2p"], row["_a2p"]),)
    return found


def at_the_desk() -> dict[str, tuple[Any, ...]]:
    found: dict[str, tuple[Any, ...]] = {}
    registrations = Registration.objects.using(ALIAS).select_related(*Registration.PARTS)
    for registration in registrations:
        for bundle in (registration.profile, registration.trust_bundle):
            found[bundle.sid] = (bundle.status, bundle.failure_reason)
        found[registration.brand.sid] = (registration.brand.status, registration.brand.identity_status)
        found[registration.campaign.service_sid] = (registration.campaign.status,)
        if registration.phone_number.attached_at:
            found[registration.phone_number.sid] = (registration.phone_number.a2p_status,)
    found.pop("", None)
    return found


def differences(plant: Plant) -> dict[str, tuple[Any, Any]]:
    theirs, ours = at_twilio(plant), at_the_desk()
    return {
        sid: (theirs.get(sid), ours.get(sid))
        for sid in theirs.keys() | ours.keys()
        if theirs.get(sid) != ours.get(sid)
    }


def settle(plant: Plant, weather: Weather, seconds: float) -> None:
    """Until all is delivered and processed, and both sides hold the same."""
    left: Any = None
    for _ in range(int(seconds * 2)):
        waiting = WebhookDelivery.objects.using(ALIAS).filter(state="received").count()
        left = {"deliveries": waiting} if waiting or not weather.over() else differences(plant)
        if not left:
            return
        pause(0.5)
    raise AssertionError(f"after {seconds} s: {left}; {plant.where()}; {plant.output()}")


def test_the_storm(plant: Plant, weather: Weather):
    plant.manage("setup_event_streams")
    weather.copies = COPIES
    file = plant.folder / "customers.csv"
    file.write_bytes(csv_bytes(*customers(plant)))
    plant.manage("import_registrations", str(file), "--submit")
    worker = plant.worker(3)
    wait_until(
        lambda: settled_registrations() == LIVE + REFUSED,
        240,
        f"all registrations stand still: {plant.where()}",
    )

    # Twilio takes back what it granted; nothing but an event about the brand tells.
    suspended = [row for row in plant.get("state")["BrandRegistrations"] if row["status"] == "APPROVED"][:3]
    for row in suspended:
        plant.post(f"brand/{row['sid']}", action="suspend")
        body = json.dumps([event("brand-registration.brand-unverified", brandsid=row["sid"])]).encode()
        path = f"{EVENTS_PATH}?bodySHA256={hashlib.sha256(body).hexdigest()}"
        weather.scatter(Letter(path, body, weather.signed(path, {}, "application/json")))
    settle(plant, weather, 120)

    # The whole post once more, in another order: old news about everything.
    before = at_the_desk()
    again = list(weather.letters)
    weather.random.shuffle(again)
    for letter in again:
        weather.scatter(letter, copies=1)
    settle(plant, weather, 120)
    assert at_the_desk() == before

    took = sorted(weather.took)
    print(
        f"{sum(weather.answers.values())} requests, {len(weather.letters)} deliveries of Twilio's; answers "
        f"{dict(weather.answers)}; answered in {took[len(took) // 2] * 1000:.0f} ms (median), "
        f"{took[int(len(took) * 0.99)] * 1000:.0f} ms (99 %); {plant.figures()}"
    )
    assert sum(weather.answers.values()) >= 2000
    check_doors(weather)
    check_each_once(weather, extra=len(suspended))
    check_timelines(suspended)
    check_outcomes()
    counts = plant.get("counts")
    assert (counts["duplicates"], counts["violations"]) == ({}, {})
    assert counts["fees"]["brand_fees"] == LIVE
    worker.terminate()
    assert worker.wait(20) == 0


def settled_registrations() -> int:
    """Registrations whose way is at an end: live, or refused."""
    registrations = Registration.objects.using(ALIAS)
    return registrations.filter(
        stage__in=["live", "number"], phone_number__confirmed_at__isnull=False
    ).count() + (registrations.filter(profile__status="twilio-rejected").count())


def check_doors(weather: Weather) -> None:
    by_kind = {
        kind: {status for name, status in weather.answers if name == kind}
        for kind in ("signed", "forged", "broken")
    }
    assert by_kind["signed"] <= {200, 204}
    assert by_kind["forged"] == {403}
    assert by_kind["broken"] <= {200, 204}


def check_each_once(weather: Weather, extra: int) -> None:
    """Nothing lost: every signed delivery is stored; nothing twice: once each, processed once."""
    stored = WebhookDelivery.objects.using(ALIAS)
    tokens, ids = set(), set()
    for letter in weather.letters:
        if letter.path.startswith(STATUS_PATH):
            tokens.add(letter.headers["I-Twilio-Idempotency-Token"])
        else:
            ids |= {item["id"] for item in json.loads(letter.body)}
    kept_ids = list(stored.exclude(event_id="").values_list("event_id", flat=True))
    test_events = stored.filter(event_type__endswith="test-event").count()
    statuses = stored.filter(kind="bundle_status").exclude(state="errored")
    assert ids <= set(kept_ids)
    assert len(kept_ids) - test_events == len(set(kept_ids)) - bool(test_events)
    assert len(set(kept_ids) - ids) == extra
    assert statuses.count() == len(tokens)
    assert set(stored.exclude(state="errored").values_list("attempts", flat=True)) == {1}
    assert set(stored.filter(state="errored").values_list("attempts", "subject")) == {(0, "")}
    assert not stored.filter(state="received").exists()


def check_timelines(suspended: list[dict[str, Any]]) -> None:
    """Each change of a state is told once, and follows from the one before."""
    for registration in Registration.objects.using(ALIAS):
        told: dict[str, str] = {}
        for line in Event.objects.using(ALIAS).filter(registration=registration).order_by("id"):
            if "was" in line.data and "now" in line.data:
                assert line.data["was"] == told.get(line.tag, ""), f"{registration}: {line.tag}"
                told[line.tag] = line.data["now"]
    reversals = Event.objects.using(ALIAS).filter(tag="brand:reversal")
    assert set(reversals.values_list("registration__brand__sid", flat=True)) == {r["sid"] for r in suspended}
    assert reversals.count() == len(suspended)
    assert not Event.objects.using(ALIAS).filter(tag="error").exists()


def check_outcomes() -> None:
    registrations = Registration.objects.using(ALIAS).select_related("profile", "phone_number")
    stages = Counter(registration.stage for registration in registrations)
    assert stages["brand"] == 3
    assert stages["profile"] == REFUSED
    assert stages["live"] + stages["number"] == LIVE - 3
    for registration in registrations.filter(stage="profile"):
        reason = next(text for token, text in REASONS.items() if token in registration.profile.email)
        assert registration.profile.failure_reason == reason
    assert registrations.filter(phone_number__a2p_status="failure").count() == 2
    assert registrations.filter(phone_number__a2p_status="registered").count() == LIVE - 2
