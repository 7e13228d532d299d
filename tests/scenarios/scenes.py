"""Scenes: registrations at points where Twilio can reject, created once, each with its own sandbox file.

Time is frozen and moved from job to job, so nothing waits and no review ends before a test wants it.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
import time_machine
from django.conf import settings
from django.test import Client

from registrations.core import clock
from registrations.models import RateLimit, Registration, WebhookDelivery
from registrations.models.choices import Stage
from registrations.operations import actions
from registrations.operations.webhooks import event_streams
from registrations.sandbox import SandboxServer
from registrations.sandbox.callbacks import signed_request
from registrations.twilio.client import get_client
from registrations.workflow.runner import runner
from tests.conftest import Harness
from tests.customers import make_draft
from tests.operations.webhooks.conftest import process_all
from tests.workflow.support import Gate

START = datetime(2026, 11, 2, 15, 0, tzinfo=UTC)
HOURS = timedelta(hours=2)
OWNED = tuple(f"PN{n:032d}" for n in (1, 2, 3))

# Where each scene ends: the first moment at which this holds.
UNTIL: dict[str, Callable[[Registration], bool]] = {
    "start": lambda registration: True,
    "profile": lambda registration: bool(registration.profile.submitted_at),
    "trust_bundle": lambda registration: bool(registration.trust_bundle.submitted_at),
    "brand": lambda registration: bool(registration.brand.sid),
    "otp": lambda registration: registration.stage == Stage.OTP,
    "campaign": lambda registration: bool(registration.campaign.sid),
    "live": lambda registration: registration.phone_number.a2p_status == "registered",
}


@dataclass(frozen=True)
class Scene:
    """One registration, its sandbox file, and the time of both."""

    pk: int
    file: Path
    at: datetime


@dataclass
class Play(Harness):
    """An open scene: the pages, the worker, Twilio, and the clock."""

    traveler: Any = None
    gate: Gate = field(default_factory=Gate)
    client: Client = field(default_factory=Client)
    user: Any = None
    pk: int = 0
    seen: int = 0
    delivered: set[str] = field(default_factory=set)

    # --- time and the worker ------------------------------------------------------------------------------
    @property
    def registration(self) -> Registration:
        return runner.load(self.pk)

    def go(
        self, until: Callable[[Registration], bool] | None = None, within: timedelta = HOURS
    ) -> Registration:
        """Run every job that is due `within` this time, each at its time, or until `until` holds."""
        end = clock.now() + within
        for _ in range(200):
            self.deliver_webhooks()
            registration = self.registration
            if (until and until(registration)) or self.gate.held:
                return registration
            ours, theirs = registration.next_run_at or registration.lease_until, self.sandbox.world.next_due()
            moments = [ours] if ours else []
            if theirs is not None:
                moments.append(clock.now() + timedelta(seconds=max(theirs, 0.0) + 0.001))
            if not moments or min(moments) > end:
                assert until is None, (
                    f"not reached: {registration.stage}, {registration.waiting_for}: {registration.reason}"
                )
                return registration
            self.traveler.move_to(max(min(moments), clock.now()), tick=False)
            self.sandbox.world.run_due()
            if ours and ours <= clock.now():
                self.deliver_webhooks()
                self.advance(self.pk)
        raise AssertionError(f"still running: {registration.reason}")

    def hold_before(self, slug: str) -> None:
        self.gate.before, self.gate.held = slug, ""

    def release(self) -> None:
        """Open the gate and have the worker run again."""
        self.gate.before = self.gate.held = ""
        self.run_now()
        runner.refresh_status(self.pk)

    def run_now(self) -> None:
        RateLimit.objects.update(last_call=0, next_slot=0)
        Registration.objects.filter(pk=self.pk).update(next_run_at=clock.now())

    # --- Twilio -------------------------------------------------------------------------------------------
    def deliver_webhooks(self) -> None:
        """Deliver Twilio's webhooks, and process them as the worker's jobs do."""
        token = settings.TWILIO_AUTH_TOKEN
        for row in self.sandbox.world.store.all("delivery"):
            if row["_key"] not in self.delivered:
                self.delivered.add(row["_key"])
                url, body, headers = signed_request(token, row)
                kind = headers.pop("Content-Type")
                path = url.removeprefix(settings.PUBLIC_BASE_URL)
                answer = self.client.post(path, body, content_type=kind, headers=headers)
                assert answer.status_code in (200, 204), answer.content
        process_all()

    def api(self, method: str, path: str, **data: str) -> dict[str, Any]:
        """A change by somebody else, e.g. a person in Twilio's Console."""
        answer = requests.request(
            method,
            self.sandbox.url + path,
            data=data,
            auth=(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN),
            timeout=10,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else {}

    def mark(self) -> None:
        self.seen = len(self.log())

    def since(self) -> list[dict]:
        """Successful writes since the mark."""
        return [e for e in self.log()[self.seen :] if e["method"] != "GET" and 200 <= e["status"] < 300]


class SceneLibrary:
    """Creates the scenes, and opens them one at a time."""

    def __init__(self, folder: Path, traveler: Any, gate: Gate) -> None:
        self.folder, self.traveler, self.gate = folder, traveler, gate
        self.scenes: dict[str, Scene] = {}
        for number, (name, until) in enumerate(UNTIL.items()):
            self.scenes[name] = self._make(name, number, until)

    def _make(self, name: str, number: int, until: Callable[[Registration], bool]) -> Scene:
        file = self.folder / f"{name}.sqlite3"
        with self._server(file) as sandbox:
            play = self._play(sandbox)
            if name == "live":
                self._subscribe(play)
            registration = make_draft(
                label=f"Scene {name}",
                profile={"email": f"{name}@harborcrafts.com", "street": f"{number + 1} Main St"},
                trust_bundle={"mobile_phone_number": f"+1415555260{number}"},
                phone_number={"sender_number": OWNED[0]},
            )
            play.pk = registration.pk
            actions.submit(registration, actor="ann")
            if name in ("campaign", "live"):
                play.go(UNTIL["otp"])
                play.answer_yes()
                actions.refresh(play.registration, actor="ann")
            play.go(until, within=timedelta(days=1))
            RateLimit.objects.all().delete()
        return Scene(registration.pk, file, clock.now())

    def _subscribe(self, play: Play) -> None:
        """Event Streams, as the settings page sets them up."""

        def carry(seconds: float) -> None:
            play.deliver_webhooks()
            self.traveler.shift(seconds)

        report = event_streams.set_up(get_client(), pause=carry)
        assert report.ok, report

    @contextmanager
    def enter(self, name: str, user: Any) -> Iterator[Play]:
        scene = self.scenes[name]
        file = Path(shutil.copy(scene.file, self.folder / "now.sqlite3"))
        self.traveler.move_to(scene.at, tick=False)
        with self._server(file) as sandbox:
            play = self._play(sandbox)
            play.pk, play.user = scene.pk, user
            play.client.force_login(user)
            play.delivered = {row["_key"] for row in sandbox.world.store.all("delivery")}
            play.mark()
            yield play
        file.unlink()

    def _play(self, sandbox: SandboxServer) -> Play:
        self.gate.before = self.gate.held = self.gate.only = ""
        WebhookDelivery.objects.all().delete()
        return Play(sandbox, traveler=self.traveler, gate=self.gate)

    @contextmanager
    def _server(self, file: Path) -> Iterator[SandboxServer]:
        server = SandboxServer(
            port=0,
            account_sid=settings.TWILIO_ACCOUNT_SID,
            auth_token=settings.TWILIO_AUTH_TOKEN,
            primary_profile_sid=settings.TWILIO_PRIMARY_PROFILE_SID,
            time_scale=settings.A2P_TIME_SCALE,
            state=str(file),
            rate_limit=False,
        ).start()
        settings.TWILIO_API_BASE_URL = server.url
        try:
            yield server
        finally:
            server.stop()


def frozen() -> Any:
    return time_machine.travel(START, tick=False)
