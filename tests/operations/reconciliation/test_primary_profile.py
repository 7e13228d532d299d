"""Twilio's word on the ISV's own profile: asked by a job, kept, and shown on the home page's light."""

from datetime import timedelta

import pytest
from django_q.models import OrmQ

from registrations.core import clock, queue
from registrations.models import Heartbeat
from registrations.operations.reconciliation import primary_profile
from registrations.reporting import dashboard
from registrations.twilio.client import errors
from registrations.worker import due_work, jobs

pytestmark = pytest.mark.django_db


class Twilio:
    """Answers with a status, or raises; counts the questions."""

    def __init__(self, answer) -> None:
        self.answer, self.asked = answer, []

    def fetch_bundle(self, kind: str, sid: str):
        self.asked.append((kind, sid))
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"sid": sid, "status": self.answer}


@pytest.fixture
def twilio(monkeypatch) -> Twilio:
    stand_in = Twilio("twilio-approved")
    monkeypatch.setattr(primary_profile, "get_client", lambda: stand_in)
    return stand_in


def light() -> dashboard.HealthItem:
    return next(one for one in dashboard.health_items(clock.now(), 0) if one.label == "Primary profile")


def later(**span: float) -> None:
    row = Heartbeat.objects.get(name=primary_profile.HEARTBEAT)
    Heartbeat.objects.filter(pk=row.pk).update(at=row.at - timedelta(**span))


NOT_FOUND = errors.Rejected("gone", code=20404, status=404)


@pytest.mark.parametrize(
    ("answer", "severity", "text", "advice"),
    [
        ("twilio-approved", "good", "Approved", ""),
        ("Twilio_Approved", "good", "Approved", ""),
        ("in-review", "wait", "Not approved: ", "checked every hour"),
        ("draft", "bad", "Not approved: draft", "Complete and submit it"),
        ("twilio-rejected", "bad", "Not approved: rejected", "Correct it in Twilio's Console"),
        ("daydreaming", "bad", "Not approved: ", "Complete and submit it"),
        (NOT_FOUND, "wait", "Could not be checked", "Correct TWILIO_PRIMARY_PROFILE_SID"),
        (errors.Misconfigured("no"), "bad", "Could not be checked", "check_twilio"),
        (errors.Unavailable("down"), "wait", "Could not be checked", "checked again"),
    ],
)
def test_the_health_item_shows_what_the_job_found(twilio, settings, answer, severity, text, advice):
    assert (light().severity, light().text) == ("idle", "Not checked yet")
    twilio.answer = answer
    jobs.check_primary_profile()
    assert twilio.asked == [("customer_profile", settings.TWILIO_PRIMARY_PROFILE_SID)]
    found = light()
    assert found.severity == severity
    assert found.text.startswith(text)
    assert advice in found.advice
    assert bool(advice) == bool(found.advice)
    assert len(twilio.asked) == 1, "a page asks Twilio nothing"


def test_another_profile_is_not_checked_yet(twilio, settings):
    jobs.check_primary_profile()
    settings.TWILIO_PRIMARY_PROFILE_SID = "BU" + "9" * 32
    assert light().text == "Not checked yet"
    later(minutes=11)
    assert due_work.enqueue_due_primary_profile()
    settings.TWILIO_PRIMARY_PROFILE_SID = ""
    assert light().text == "Not set"
    later(days=9)
    assert not due_work.enqueue_due_primary_profile()


@pytest.mark.parametrize(
    ("answer", "soon", "due"),
    [
        ("twilio-approved", {"hours": 23}, {"hours": 25}),
        ("in-review", {"minutes": 50}, {"minutes": 70}),
        (errors.Unavailable("down"), {"minutes": 5}, {"minutes": 11}),
    ],
)
def test_it_is_asked_for_when_due_and_once(twilio, answer, soon, due):
    twilio.answer = answer
    assert due_work.enqueue_due_primary_profile(), "a fresh desk looks at once"
    assert not due_work.enqueue_due_primary_profile(), "another worker's sweep, a moment later"
    assert [row.task["func"] for row in OrmQ.objects.all()] == [queue.PRIMARY_PROFILE]
    jobs.check_primary_profile()
    later(**soon)
    assert not due_work.enqueue_due_primary_profile()
    jobs.check_primary_profile()
    later(**due)
    assert due_work.enqueue_due_primary_profile()
    assert not due_work.enqueue_due_primary_profile()


def test_a_lost_job_is_made_up_for(twilio):
    assert due_work.enqueue_due_primary_profile()
    later(minutes=11)
    assert due_work.enqueue_due_primary_profile()


def test_the_sandbox_approves_it(sandbox):
    assert primary_profile.check().approved


def test_what_is_known_is_not_pruned(twilio):
    jobs.check_primary_profile()
    later(days=9)
    jobs.prune()
    assert light().text == "Approved"
