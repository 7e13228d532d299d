"""setup_event_streams: makes what is missing, mends what is old, changes nothing when all is well."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from registrations.management.commands import setup_event_streams as command
from registrations.models import Heartbeat, WebhookDelivery
from registrations.operations.webhooks import event_streams
from registrations.sandbox.events import PREFIX, TYPES
from registrations.twilio.client import get_client
from registrations.workflow import locks
from tests.conftest import Harness
from tests.operations.webhooks.conftest import Postman, travel

pytestmark = pytest.mark.django_db
LATEST = {PREFIX + name: version for name, (_, version) in TYPES.items()}


@pytest.fixture
def carry(postman: Postman):
    """The time during which a test event travels."""

    def carry(seconds: float) -> None:
        travel(postman)

    return carry


def set_up(carry: Any, **options: Any) -> event_streams.Report:
    return event_streams.set_up(get_client(), pause=carry, **options)


def sinks() -> list[dict[str, Any]]:
    return list(get_client().iter_sinks())


def subscribed(report: event_streams.Report) -> dict[str, int]:
    rows = get_client().iter_subscribed_events(report.subscription_sid)
    return {row["type"]: row["schema_version"] for row in rows}


def writes(harness: Harness) -> int:
    return len(harness.writes())


def test_from_nothing(harness: Harness, postman: Postman, carry):
    report = set_up(carry)
    assert report.ok, report
    (sink,) = sinks()
    assert sink["sid"] == report.sink_sid
    assert sink["status"] == report.sink_status == "active"
    assert sink["sink_configuration"] == {
        "destination": postman.url + "/twilio/events/",
        "method": "POST",
        "batch_events": True,
    }
    assert subscribed(report) == LATEST
    assert WebhookDelivery.objects.get().event_type.endswith("test-event")


def test_again_changes_nothing(harness: Harness, carry):
    first = set_up(carry)
    before = writes(harness)
    again = set_up(carry)
    assert (again.ok, again.acts, writes(harness)) == (True, [], before)
    assert (again.sink_sid, again.subscription_sid) == (first.sink_sid, first.subscription_sid)


def test_a_test_on_demand(harness: Harness, carry):
    set_up(carry)
    assert [act.what for act in set_up(carry, test=True).acts] == ["Test and validate the sink"]


def test_a_dry_run_only_tells(harness: Harness, carry):
    report = set_up(carry, dry_run=True)
    assert [act.done for act in report.acts] == [False, False]
    assert (sinks(), writes(harness)) == ([], 0)


def test_what_is_missing_or_old_is_fixed(harness: Harness, carry):
    report = set_up(carry)
    client, sid = get_client(), report.subscription_sid
    failure, verified = (
        PREFIX + "brand-registration.brand-failure",
        PREFIX + "brand-registration.brand-verified",
    )
    client.delete_subscribed_event(sid, verified)
    client.update_subscribed_event(sid, failure, schema_version=1)
    mended = set_up(carry)
    assert len(mended.acts) == 2
    assert mended.ok
    assert subscribed(mended) == LATEST


@pytest.mark.parametrize("path", ["/Sinks$", "/Subscriptions$"])
def test_a_lost_reply_makes_nothing_twice(harness: Harness, carry, path):
    harness.fault(method="POST", path=path, action="drop_after", times=1)
    report = set_up(carry)
    assert report.ok, report
    assert len(sinks()) == 1
    assert len(list(get_client().iter_subscriptions())) == 1


def test_kinds_that_are_new_to_us_are_wanted_and_those_of_others_are_not():
    offered = {
        "brand-registration.brand-verified": True,
        "suspended-campaign-registration.submitted": True,
        "resource-cleanup.done": True,
        "number-deregistration.failed": True,
        "brand-registration.email-2fa-sent": False,
        "toll-free-number-verification.approved": False,
        "tollfree.approved": False,
    }

    class Offering:
        def iter_event_types(self) -> list[dict[str, str]]:
            mine = [{"type": PREFIX + name, "schema_id": "odd id/1"} for name in offered]
            return [*mine, {"type": "com.twilio.voice.brand-call.done"}]

        def iter_schema_versions(self, schema_id: str) -> Any:
            raise ValueError("A SID that goes into a Twilio URL is empty or malformed.")

    wanted = event_streams.wanted_types(Offering())  # type: ignore[arg-type]
    assert wanted == {PREFIX + name: None for name, ours in sorted(offered.items()) if ours}


def test_one_type_that_twilio_refuses_does_not_keep_out_the_others(harness: Harness, carry, monkeypatch):
    odd = PREFIX + "brand-registration.brand-archived"
    wanted = event_streams.wanted_types
    monkeypatch.setattr(event_streams, "wanted_types", lambda client: {odd: 1} | wanted(client))
    for _ in range(2):
        report = set_up(carry)
        assert subscribed(report) == LATEST
        assert len(report.problems) == 1
        assert odd in report.problems[0]
    assert len(list(get_client().iter_subscriptions())) == 1


def test_a_subscription_that_the_list_showed_too_late_is_fixed(harness: Harness, carry, monkeypatch):
    report = set_up(carry)
    get_client().delete_subscribed_event(report.subscription_sid, PREFIX + "brand-registration.brand-failure")
    find, seen = event_streams._Setup._subscription, []

    def late(setup: Any) -> Any:
        seen.append(1)
        return find(setup) if len(seen) > 1 else None

    monkeypatch.setattr(event_streams._Setup, "_subscription", late)
    again = set_up(carry)
    assert (again.ok, again.subscription_sid) == (True, report.subscription_sid)
    assert subscribed(again) == LATEST


def test_two_at_once_make_one_sink(harness: Harness, carry):
    def meanwhile(seconds: float) -> None:
        with pytest.raises(locks.Busy):
            set_up(carry)
        carry(seconds)

    assert set_up(meanwhile).ok
    assert len(sinks()) == 1
    assert set_up(carry).acts == []


def test_a_sink_that_failed_is_replaced_and_reported(harness: Harness, carry):
    first = set_up(carry)
    with harness.sandbox.world.lock:
        sink = harness.sandbox.world.store.get("Sinks", first.sink_sid)
        harness.sandbox.world.store.put("Sinks", first.sink_sid, sink | {"status": "failed"})
    second = set_up(carry)
    assert (second.ok, second.sink_status) == (True, "active")
    assert [line.split()[0] for line in second.stale] == [first.sink_sid]


@pytest.mark.parametrize(("method", "path"), [("GET", "/Types$"), ("POST", "/Validate$")])
def test_what_passes_is_tried_again(harness: Harness, carry, method, path):
    harness.fault(method=method, path=path, action="503", times=2)
    report = set_up(carry)
    assert report.ok, report
    assert [act.what.split()[0] for act in report.acts] == ["Create", "Test", "Subscribe"]
    assert (len(sinks()), len(list(get_client().iter_subscriptions()))) == (1, 1)


def test_after_a_new_address_the_former_sink_is_reported_and_kept(
    harness: Harness, postman: Postman, carry, settings
):
    former = set_up(carry)
    settings.PUBLIC_BASE_URL = postman.url.replace("127.0.0.1", "localhost")
    foreign = get_client().create_sink(
        description="Billing", sink_configuration={"destination": "https://x.example", "method": "POST"}
    )
    moved = set_up(carry)
    assert moved.ok, moved
    assert moved.sink_sid not in (former.sink_sid, foreign["sid"])
    assert len(moved.stale) == 1
    assert moved.stale[0].startswith(former.sink_sid)
    assert len(sinks()) == 3
    cleaned = set_up(carry, delete_stale=True)
    assert cleaned.ok, cleaned
    assert {sink["sid"] for sink in sinks()} == {moved.sink_sid, foreign["sid"]}


def test_an_address_that_nothing_reaches_is_said(harness: Harness, postman: Postman):
    report = set_up(lambda seconds: None)
    assert not report.ok
    assert any("No test event arrived" in problem for problem in report.problems)


@pytest.mark.parametrize(("url", "real"), [("", False), ("http://desk.example.com", True)])
def test_without_a_public_address_nothing_is_asked(harness: Harness, settings, url, real):
    settings.PUBLIC_BASE_URL, settings.TWILIO_IS_REAL = url, real
    report = set_up(lambda seconds: None)
    assert report.problems
    assert harness.log() == []


class TestCommand:
    def run(self, *args: str) -> str:
        out = StringIO()
        call_command("setup_event_streams", *args, stdout=out)
        return out.getvalue()

    def test_says_what_it_did(self, harness: Harness, carry, monkeypatch):
        monkeypatch.setattr(command, "pause", carry)
        assert "would Create a sink" in self.run("--dry-run")
        said = self.run()
        assert "done  Create a sink" in said
        assert "is active" in said
        kept = Heartbeat.objects.get(name=event_streams.EVENT_STREAMS)
        assert kept.detail["ok"]
        assert "nothing was changed" in self.run()
        facts = json.loads(self.run("--json"))
        assert facts["ok"] is True
        assert facts["types"] == LATEST

    def test_ends_with_1_when_something_is_missing(self, harness: Harness, settings):
        settings.PUBLIC_BASE_URL = ""
        with pytest.raises(SystemExit) as ended:
            self.run()
        assert ended.value.code == 1

    def test_refused_credentials_are_a_sentence(self, harness: Harness, postman: Postman, settings):
        settings.TWILIO_AUTH_TOKEN = "wrong"
        with pytest.raises(CommandError):
            self.run()
