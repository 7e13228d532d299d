"""The comparison that nobody asks for: once in its time, spaced, and it closes what people did in the Console."""

from datetime import timedelta

import pytest
from django_q.models import OrmQ

from registrations.core import clock, queue
from registrations.models import Finding, Heartbeat, RetiredResource, Scan
from registrations.operations import actions
from registrations.operations.reconciliation import scan, schedule
from registrations.worker import due_work, jobs, sweeper
from registrations.workflow.planner import manual_tasks

pytestmark = pytest.mark.django_db


def queued() -> list[int]:
    return [row.task["args"][0] for row in OrmQ.objects.all() if row.task["func"] == queue.SCAN]


def a_day_later() -> None:
    Heartbeat.objects.filter(name=schedule.HEARTBEAT).update(at=clock.now() - timedelta(hours=24, seconds=1))
    Scan.objects.update(requested_at=clock.now() - timedelta(hours=25))


@pytest.fixture
def removed(account):
    """A registration that was taken down: its brand waits for somebody's deletion in the Console."""
    registration = account.registration()
    sid = registration.brand.sid
    actions.remove(registration, actor="ann")
    registration = account.harness.run(registration.pk)
    assert [task.key for task in manual_tasks.manual_tasks(registration)] == [f"delete_brand_{sid}"]
    registration.former_brand = sid
    return registration


def test_it_is_due_after_a_day_and_asked_for_once(account):
    account.registration()
    assert not due_work.enqueue_due_scan(), "a fresh desk waits a full interval"
    assert not due_work.enqueue_due_scan()
    a_day_later()
    assert due_work.enqueue_due_scan()
    assert not due_work.enqueue_due_scan(), "another worker's sweep, a moment later"
    assert Scan.objects.get().requested_by == schedule.ACTOR
    assert queued() == [Scan.objects.get().pk]
    a_day_later()
    Scan.objects.update(state=Scan.State.DONE)
    assert due_work.enqueue_due_scan()
    assert Scan.objects.count() == 2


def test_one_that_a_person_asked_for_counts_and_an_empty_system_asks_nothing(account):
    Heartbeat.objects.create(name=schedule.HEARTBEAT, at=clock.now() - timedelta(days=3))
    assert not due_work.enqueue_due_scan(), "there is nothing at Twilio yet"
    account.registration()
    account.scan()
    Heartbeat.objects.update(at=clock.now() - timedelta(days=3))
    assert not due_work.enqueue_due_scan()


def test_it_can_be_switched_off(account, settings):
    settings.A2P_SCAN_EVERY_HOURS = 0
    account.registration()
    Heartbeat.objects.create(name=schedule.HEARTBEAT, at=clock.now() - timedelta(days=9))
    assert not due_work.enqueue_due_scan()
    assert schedule.next_at() is None


def test_the_workers_sweep_asks_for_it(account):
    account.registration()
    beat = sweeper.Sweeper("worker:test", dict)
    beat._round()
    assert Scan.objects.count() == 0
    assert schedule.next_at() > clock.now() + timedelta(hours=23)
    a_day_later()
    beat._last.pop("scan")
    beat._round()
    beat._round()
    assert len(queued()) == 1
    Heartbeat.objects.filter(name=schedule.HEARTBEAT).update(at=clock.now() - timedelta(days=5))
    jobs.prune()
    assert Heartbeat.objects.filter(name=schedule.HEARTBEAT).exists(), "its clock is kept"


def test_it_closes_console_deletions_and_lists_orphans(account, removed):
    a_day_later_scan = scan.request(actor=schedule.ACTOR, enqueue=False)
    person = {
        "first_name": "A",
        "last_name": "B",
        "email": "a@harborcrafts.com",
        "phone_number": "+14155552671",
    }
    orphan = account.client.create_end_user(
        friendly_name=removed.friendly_name("person", 7),
        type="starter_customer_profile_information",
        attributes=person,
    )["sid"]
    account.harness.post(f"brand/{removed.former_brand}", action="delete")
    rests: list[float] = []
    assert schedule.run(a_day_later_scan.pk, pause=rests.append)
    assert manual_tasks.manual_tasks(removed) == []
    assert RetiredResource.objects.get(sid=removed.former_brand).missing_since
    assert Finding.objects.filter(finding_type="orphan", sid=orphan).exists()
    assert len(rests) >= 5, "the reading is spaced"
    assert not schedule.run(a_day_later_scan.pk, pause=rests.append), "it is done already"


def test_the_tasks_close_even_where_the_account_is_too_large(account, removed, monkeypatch):
    account.harness.post(f"brand/{removed.former_brand}", action="delete")
    monkeypatch.setattr(scan.run, "__kwdefaults__", scan.run.__kwdefaults__ | {"seconds": 0.0})
    asked = scan.request(actor=schedule.ACTOR, enqueue=False)
    schedule.run(asked.pk, pause=lambda seconds: None)
    asked.refresh_from_db()
    assert (asked.state, asked.error) == ("failed", scan.TOO_LONG)
    assert manual_tasks.manual_tasks(removed) == []


def test_the_regular_one_is_tried_again_after_an_hour_when_twilio_did_not_answer(account):
    account.registration()
    due_work.enqueue_due_scan()
    a_day_later()
    assert due_work.enqueue_due_scan()
    Scan.objects.update(
        state=Scan.State.FAILED, error="HTTP 503", requested_at=clock.now() - timedelta(minutes=61)
    )
    Heartbeat.objects.filter(name=schedule.HEARTBEAT).update(at=clock.now() - timedelta(minutes=59))
    assert not due_work.enqueue_due_scan()
    Heartbeat.objects.filter(name=schedule.HEARTBEAT).update(at=clock.now() - timedelta(minutes=61))
    assert due_work.enqueue_due_scan()


def test_former_brands_are_looked_at_every_hour_and_when_somebody_asks(account, removed, settings):
    settings.A2P_TIME_SCALE = 1

    def asked() -> list:
        return [row.task["args"][0] for row in OrmQ.objects.all() if row.task["func"] == queue.RETIRED_BRANDS]

    due_work.enqueue_due_retired_brands()
    due_work.enqueue_due_retired_brands()  # another worker's sweep, a moment later
    assert asked() == [None]
    Heartbeat.objects.filter(name=schedule.BRANDS).update(at=clock.now() - timedelta(minutes=61))
    due_work.enqueue_due_retired_brands()
    assert asked() == [None, None]
    actions.refresh(removed, actor="ann")
    assert asked() == [None, None, removed.pk]
    account.harness.post(f"brand/{removed.former_brand}", action="delete")
    jobs.check_retired_brands(removed.pk)
    assert manual_tasks.manual_tasks(removed) == []
    Heartbeat.objects.all().delete()
    due_work.enqueue_due_retired_brands()
    actions.refresh(removed, actor="ann")
    assert len(asked()) == 3, "there is nothing left to look at"


def test_a_brand_that_is_still_there_stays_a_task_and_trouble_closes_nothing(account, removed):
    pause = list[float]().append
    assert schedule.check_retired_brands(account.client, pause) == 0
    assert RetiredResource.objects.get(sid=removed.former_brand).checked_at
    account.harness.post(f"brand/{removed.former_brand}", action="delete")
    account.harness.fault(method="GET", path="BrandRegistrations", action="503", times=1)
    assert schedule.check_retired_brands(account.client, pause) == 0
    assert len(manual_tasks.manual_tasks(removed)) == 1
    assert schedule.check_retired_brands(account.client, pause) == 1
    assert manual_tasks.manual_tasks(removed) == []
