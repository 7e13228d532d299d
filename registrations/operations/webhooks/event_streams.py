"""Sets up Event Streams at Twilio: one webhook sink that delivers here, and its one subscription.

Running it again changes nothing. Everything is listed before anything is created, so a lost reply does not lead to a
second sink. Source: docs/twilio.md section 7.1.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from registrations.core import clock
from registrations.models import Heartbeat, WebhookDelivery
from registrations.twilio.client import TwilioClient, errors
from registrations.workflow.locks import Mutex

from .parsing import PREFIX, TEST_EVENT, data_of

# Sinks and subscriptions whose description begins with this are ours. Descriptions must not hold personal data.
NAME = "A2P registration desk"
# Parts of the names of event types that concern us. Suspended campaigns and the cleanup of resources have their own
# types (docs/twilio.md section 7.3). Toll-free numbers are not A2P 10DLC.
FAMILIES = ("brand-", "campaign-", "number-", "cleanup")
# Only other kinds of brands have these. Unknown types are subscribed to, because an event only causes a check.
NOT_SOLE_PROPRIETOR = (
    "brand-registration.brand-vetted-verified",
    "brand-registration.brand-secondary-vetting-failure",
    "brand-registration.invalid-contact-email",
    "brand-registration.sharing-",
    "brand-registration.email-2fa-",
)
TEST_SECONDS = 30.0
PAUSE_SECONDS = 0.5
# If Twilio is busy, or an answer is lost.
ATTEMPTS, RETRY_SECONDS, MAX_RETRY_SECONDS = 3, 1.0, 10.0
# Two set-ups at once would create two sinks.
LOCK = "event-streams-lock"

Json = dict[str, Any]
Pause = Callable[[float], None]


@dataclass(frozen=True)
class Change:
    """One change. done: False in a dry run, or if it failed (`why` says which)."""

    what: str
    done: bool
    why: str = ""


@dataclass
class Report:
    """What was found and changed; the fields are the keys of the command's JSON.

    ok: the sink is active and the subscription has every type we want.
    """

    destination: str
    sink_sid: str = ""
    sink_status: str = ""
    subscription_sid: str = ""
    types: dict[str, int | None] = field(default_factory=dict)
    acts: list[Change] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems and all(act.done for act in self.acts)

    def as_json(self) -> Json:
        return {**asdict(self), "ok": self.ok}


def set_up(
    client: TwilioClient,
    *,
    pause: Pause,
    dry_run: bool = False,
    test: bool = False,
    delete_stale: bool = False,
    wait: float = 0.0,
) -> Report:
    """Create or repair sink and subscription. Raises TwilioError, or locks.Busy if another set-up is running.

    test: have Twilio deliver a test event even if the sink is active. delete_stale: also delete sinks with our name
    that deliver elsewhere or have failed. wait: seconds to wait for another set-up. `pause(seconds)` is called to pass
    the time while waiting.
    """
    lock = Mutex(LOCK, pause)
    setup = _Setup(client, lock.pause, dry_run, Report(destination()))
    if problem := unreachable(setup.report.destination):
        setup.report.problems.append(problem)
        return setup.report
    with nullcontext() if dry_run else lock.held(wait):
        for attempts_left in reversed(range(ATTEMPTS)):
            try:
                setup.sink(test)
                setup.stale(delete_stale)
                break
            except (errors.Unavailable, errors.OutcomeUnknown) as error:
                # About twenty calls: one failure must not end them all, and the next attempt finds what exists.
                if not attempts_left:
                    raise
                setup.start_over()
                lock.pause(min(error.retry_after or RETRY_SECONDS, MAX_RETRY_SECONDS))
    return setup.report


def destination() -> str:
    return settings.PUBLIC_BASE_URL + reverse("twilio-events") if settings.PUBLIC_BASE_URL else ""


def unreachable(url: str) -> str:
    if not url:
        return "PUBLIC_BASE_URL is not set, so Twilio does not know where to deliver."
    if settings.TWILIO_IS_REAL and not url.startswith("https://"):
        return f"Twilio delivers only over https: {url}"
    return ""


def wanted_types(client: TwilioClient) -> dict[str, int | None]:
    """Every A2P event type a sole proprietor can have, with the highest schema version that Twilio offers."""
    versions: dict[str, int | None] = {}
    wanted: dict[str, int | None] = {}
    for item in client.iter_event_types():
        name, schema = str(item.get("type", "")), str(item.get("schema_id", ""))
        suffix = name.removeprefix(PREFIX)
        if not name.startswith(PREFIX) or not any(word in suffix.split(".")[0] for word in FAMILIES):
            continue
        if suffix.startswith(NOT_SOLE_PROPRIETOR) or "toll-free" in suffix:
            continue
        if schema and schema not in versions:
            versions[schema] = _highest(client, schema)
        wanted[name] = versions.get(schema)
    return dict(sorted(wanted.items()))


def _highest(client: TwilioClient, schema: str) -> int | None:
    """None if Twilio does not say: without a version it uses the latest (docs/twilio.md section 7.1)."""
    try:
        found = [row.get("schema_version") for row in client.iter_schema_versions(schema)]
    except (errors.Rejected, ValueError):
        return None
    return max((version for version in found if isinstance(version, int)), default=None)


@dataclass
class _Setup:
    client: TwilioClient
    pause: Pause
    dry_run: bool
    report: Report
    # Whether the subscription may lack types although it was just created.
    incomplete: bool = False

    def change(self, what: str, call: Callable[[], Any]) -> Any:
        """Make one change and report it; in a dry run only report it."""
        if self.dry_run:
            self.report.acts.append(Change(what, False, "dry run"))
            return None
        try:
            result = call()
        except errors.AlreadyDone:
            result = {}
        except errors.Rejected as error:
            self.report.acts.append(Change(what, False, str(error)))
            self.report.problems.append(f"{what}: {error}")
            return None
        self.report.acts.append(Change(what, True))
        return result

    def start_over(self) -> None:
        """Keep only the changes of the failed attempt."""
        self.report.acts = [act for act in self.report.acts if act.done]
        self.report.stale, self.report.problems = [], []

    # --- the sink -----------------------------------------------------------------------------------------
    def sinks(self) -> tuple[Json | None, list[Json]]:
        """The sink that delivers here, and stale ones with our name."""
        ours, stale = [], []
        for sink in self.client.iter_sinks():
            delivers_here = _delivers_to(sink, self.report.destination) and _status(sink) != "failed"
            if delivers_here:
                ours.append(sink)
            elif str(sink.get("description", "")).startswith(NAME):
                stale.append(sink)
        ours.sort(key=lambda sink: _status(sink) != "active")
        return (ours[0] if ours else None), stale + ours[1:]

    def sink(self, test: bool) -> None:
        sink, _ = self.sinks()
        sink = sink or self.change(
            f"Create a sink that delivers to {self.report.destination}", self._create_sink
        )
        if sink:
            self.report.sink_sid, self.report.sink_status = sink["sid"], _status(sink)
            if test or self.report.sink_status != "active":
                self.change("Test and validate the sink", self._test)
        if self.dry_run or self.report.sink_status == "active":
            self.subscription()
        elif not self.report.problems:
            self.report.problems.append(
                f"The sink is {self.report.sink_status or 'missing'}, not active, so nothing can be subscribed yet."
            )

    def _create_sink(self) -> Json:
        configuration = {
            "destination": self.report.destination,
            "method": "POST",
            "batch_events": True,
        }
        try:
            return self.client.create_sink(description=NAME, sink_configuration=configuration)
        except errors.OutcomeUnknown:
            found, _ = self.sinks()
            if found is None:
                raise
            return found

    def _test(self) -> None:
        """Have Twilio deliver a test event to our endpoint; its id proves to Twilio that it arrived."""
        before = {pk for pk, _ in _test_events()}
        self.client.test_sink(self.report.sink_sid)
        refusal, test_id = "", self._delivered_test_id(before)
        if test_id:
            try:
                self.client.validate_sink(self.report.sink_sid, test_id=test_id)
            except errors.Rejected as error:
                refusal = str(error)
        else:
            self.report.problems.append(
                f"No test event arrived within {TEST_SECONDS:g} s. Does {self.report.destination} reach this "
                "application, and does the auth token belong to the account?"
            )
        self.report.sink_status = self._final_status() if test_id and not refusal else self._status()
        if refusal and self.report.sink_status != "active":
            self.report.problems.append(f"Twilio did not validate the sink: {refusal}")

    def _status(self) -> str:
        return _status(self.client.fetch_sink(self.report.sink_sid))

    def _final_status(self) -> str:
        """The status once Twilio has decided. Webhook sinks may be active at once, validated or not, or `validating`
        in between (docs/twilio.md section 3 and 7.1)."""
        for _ in range(int(TEST_SECONDS / PAUSE_SECONDS)):
            if (status := self._status()) not in ("initialized", "validating"):
                return status
            self.pause(PAUSE_SECONDS)
        return status

    def _delivered_test_id(self, before: set[Any]) -> str:
        """The id in the test event, once our endpoint has stored one that is not in `before`.

        Not by time, because the clocks of web server and worker may differ.
        """
        for _ in range(int(TEST_SECONDS / PAUSE_SECONDS)):
            for pk, body in _test_events():
                if pk not in before and (test_id := _test_id(body)):
                    return test_id
            self.pause(PAUSE_SECONDS)
        return ""

    # --- the subscription ---------------------------------------------------------------------------------
    def subscription(self) -> None:
        self.report.types = wanted_types(self.client)
        if not self.report.types:
            self.report.problems.append("Twilio lists no A2P event type.")
            return
        found = self._subscription() if self.report.sink_sid else None
        if found:
            self.report.subscription_sid = found["sid"]
            self._add_missing_types()
            return
        count = len(self.report.types)
        made = self.change(f"Subscribe to {count} event types", self._subscribe)
        if made:
            self.report.subscription_sid = made["sid"]
            if self.incomplete:
                self._add_missing_types()

    def _subscription(self) -> Json | None:
        found = self.client.iter_subscriptions(sink_sid=self.report.sink_sid)
        return next((row for row in found if row.get("sink_sid") == self.report.sink_sid), None)

    def _subscribe(self) -> Json:
        """All types at once; if Twilio refuses, one by one, so one bad type does not block the others."""
        try:
            return self._create_subscription(self.report.types)
        except errors.OutcomeUnknown:
            found = self._subscription()
            if found is None:
                raise
            return found
        except errors.Rejected:
            self.incomplete = True
            # A sink has one subscription: "in use" means that there is one now (docs/twilio.md section 7.1).
            if found := self._subscription():
                return found
            for name, version in self.report.types.items():
                with suppress(errors.Rejected):
                    return self._create_subscription({name: version})
            raise

    def _create_subscription(self, types: Mapping[str, int | None]) -> Json:
        wanted = [_with_version(name, version) for name, version in types.items()]
        return self.client.create_subscription(description=NAME, sink_sid=self.report.sink_sid, types=wanted)

    def _add_missing_types(self) -> None:
        sid = self.report.subscription_sid
        have = {row["type"]: row.get("schema_version") for row in self.client.iter_subscribed_events(sid)}
        for name, version in self.report.types.items():
            if name not in have:
                self.change(
                    f"Subscribe to {name}",
                    partial(self.client.add_subscribed_event, sid, type=name, schema_version=version),
                )
            elif version and _number(have[name]) < version:
                self.change(
                    f"Move {name} to schema version {version}",
                    partial(self.client.update_subscribed_event, sid, name, schema_version=version),
                )

    # --- stale sinks --------------------------------------------------------------------------------------
    def stale(self, delete: bool) -> None:
        _, stale = self.sinks()
        for sink in stale:
            if sink["sid"] == self.report.sink_sid:
                continue
            delivers_to = _configuration(sink).get("destination", "?")
            self.report.stale.append(f"{sink['sid']} ({sink.get('status')}) delivers to {delivers_to}")
            if delete:
                self.change(f"Delete the stale sink {sink['sid']}", partial(self._delete_sink, sink["sid"]))

    def _delete_sink(self, sid: str) -> None:
        for row in list(self.client.iter_subscriptions(sink_sid=sid)):
            if row.get("sink_sid") == sid:
                self.client.delete_subscription(row["sid"])
        self.client.delete_sink(sid)


def _test_events() -> list[tuple[Any, str]]:
    """(id, body) of the test events of the last hour, newest first. An hour, because clocks differ."""
    since = clock.now() - timedelta(hours=1)
    kind = WebhookDelivery.Kind.EVENTS
    rows = WebhookDelivery.objects.filter(kind=kind, event_type=TEST_EVENT, received_at__gte=since)
    return list(rows.order_by("-received_at").values_list("pk", "body"))


def _configuration(sink: Json) -> Json:
    found = sink.get("sink_configuration")
    return found if isinstance(found, dict) else {}


def _status(sink: Json) -> str:
    """In lower case: Twilio has changed the case of statuses before (docs/twilio.md section 3)."""
    return str(sink.get("status") or "").lower()


def _delivers_to(sink: Json, url: str) -> bool:
    configuration = _configuration(sink)
    method = str(configuration.get("method", "POST")).upper()
    return sink.get("sink_type") == "webhook" and configuration.get("destination") == url and method == "POST"


def _number(version: Any) -> int:
    return version if isinstance(version, int) else 0


def _with_version(name: str, version: int | None) -> Json:
    return {"type": name, "schema_version": version} if version else {"type": name}


def _test_id(body: str) -> str:
    try:
        return str(data_of(json.loads(body)).get("test_id") or "")
    except ValueError:
        return ""


# The Heartbeat row with the result of the last set-up.
EVENT_STREAMS = "event-streams-setup"


def save_result(detail: dict[str, Any]) -> None:
    """Store the result of a set-up for the health page."""
    Heartbeat.objects.update_or_create(name=EVENT_STREAMS, defaults={"at": timezone.now(), "detail": detail})
