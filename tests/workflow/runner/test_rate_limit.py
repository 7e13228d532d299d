"""Twilio's rate limits: one brand or campaign call per second, ten OTP texts, whoever calls."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from registrations.core import clock
from registrations.models import RateLimit, Registration
from registrations.models.choices import WaitingFor
from registrations.workflow.runner import rate_limit, runner
from tests.customers import make_draft
from tests.worker.conftest import worker_database
from tests.workflow.plant import Plant
from tests.workflow.support import Scenario

__all__ = ["worker_database"]
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
GAP = rate_limit.INTERVALS["a2p"]


@pytest.fixture
def hands(monkeypatch):
    """A clock that tests move."""

    class Hands:
        now = START

        def to(self, at: datetime) -> None:
            self.now = max(self.now, at)

    hands = Hands()
    monkeypatch.setattr(clock, "now", lambda: hands.now)
    return hands


def registrations(count: int) -> list[Registration]:
    return [make_draft(label=f"registration {number}") for number in range(count)]


def drive(waiting: list[Registration], hands, limit: str = "a2p", early: float = 0.0) -> list[float]:
    """Each registration comes back at its slot, or once `early` seconds before it. Returns the times of the calls."""
    hasty = {registration.pk for registration in waiting} if early else set()
    at = {registration.pk: hands.now for registration in waiting}
    made = []
    for _ in range(len(waiting) * 30):
        if not at:
            break
        pk = min(at, key=lambda key: (at[key], key))
        hands.to(at[pk])
        slot = rate_limit.take(limit, runner.load(pk))
        if slot.now:
            rate_limit.depart(limit)
            made.append((hands.now - START).total_seconds())
            del at[pk]
        else:
            assert slot.at > hands.now, "a registration that must wait may not come back at once"
            at[pk] = slot.at - timedelta(seconds=early if pk in hasty else 0)
            hasty.discard(pk)
    assert not at, "some were never called"
    return made


@pytest.mark.django_db
def test_ten_at_once_go_one_by_one_and_each_waits_once(hands, monkeypatch):
    taken = []
    take = rate_limit.take
    monkeypatch.setattr(rate_limit, "take", lambda *args: taken.append(1) or take(*args))
    made = drive(registrations(10), hands)
    assert made == pytest.approx([number * GAP for number in range(10)], abs=0.05)
    assert len(taken) <= 20, "registrations come back for nothing"


@pytest.mark.django_db
def test_who_comes_early_waits_and_keeps_its_slot(hands):
    made = drive(registrations(6), hands, early=0.2)
    assert [later - earlier for earlier, later in pairwise(made)] >= [GAP - 1e-6] * 5


@pytest.mark.django_db
def test_a_call_that_leaves_late_moves_the_next(hands):
    """The commit of the intent happens between the claim and the call."""
    first, second = registrations(2)
    assert rate_limit.take("a2p", first).now
    hands.to(START + timedelta(seconds=0.9))
    rate_limit.depart("a2p")
    hands.to(START + timedelta(seconds=GAP))
    slot = rate_limit.take("a2p", second)
    assert not slot.now
    assert slot.at >= START + timedelta(seconds=0.9 + GAP)


@pytest.mark.django_db
@pytest.mark.parametrize(("took", "late"), [(0.04, 0.0), (0.1, 0.05), (0.4, 0.35), (20.0, 0.5)])
def test_a_slow_call_delays_the_next_one_a_little(hands, took, late):
    [registration] = registrations(1)
    assert rate_limit.take("a2p", registration).now
    departed = rate_limit.depart("a2p")
    hands.to(START + timedelta(seconds=took))
    rate_limit.arrived("a2p", departed)
    assert RateLimit.objects.get().last_call == pytest.approx(START.timestamp() + late, abs=0.001)
    # Wherever the time was spent, two arrivals are at least a second apart.
    if took <= rate_limit.LATE_SECONDS:
        assert late + GAP >= took + 1


@pytest.mark.django_db
def test_429_pauses_the_limit_for_all(hands):
    first, second, third = registrations(3)
    assert rate_limit.take("a2p", first).now
    rate_limit.pause("a2p", 10)
    for registration in (second, third):
        slot = rate_limit.take("a2p", registration)
        assert not slot.now
        assert slot.at >= START + timedelta(seconds=10)
    made = drive([second, third], hands)
    assert made[0] >= 10
    assert made[1] - made[0] >= GAP - 1e-6


@pytest.mark.django_db
def test_limits_and_accounts_do_not_wait_for_each_other(hands, settings):
    first, second = registrations(2)
    assert rate_limit.take("a2p", first).now
    assert rate_limit.take("otp", first).now
    assert not rate_limit.take("a2p", second).now
    second.refresh_from_db()
    settings.TWILIO_ACCOUNT_SID = "AC" + "1" * 32
    assert rate_limit.take("a2p", second).now


@pytest.mark.django_db
def test_texts_go_ten_a_second(hands):
    made = drive(registrations(12), hands, limit="otp")
    assert made[-1] >= 11 * 0.1
    assert made[-1] <= 11 * rate_limit.INTERVALS["otp"] + 0.2


@pytest.mark.django_db
def test_the_rate_is_not_scaled(settings, hands):
    settings.A2P_TIME_SCALE = 0.001
    assert drive(registrations(3), hands)[-1] >= 2.0


@pytest.mark.django_db
def test_a_registration_in_the_queue_waits_for_the_worker_and_wakes_in_its_turn(
    scenario: Scenario, monkeypatch
):
    scenario.reach("brand.create")
    monkeypatch.setattr(rate_limit, "INTERVALS", {"a2p": GAP, "otp": 0.105})
    now = clock.now().timestamp()
    RateLimit.objects.update_or_create(
        name=rate_limit._name("a2p"), defaults={"last_call": now, "next_slot": now + 3 * GAP}
    )
    registration = scenario.job()
    assert scenario.writes() == []
    assert registration.waiting_for == WaitingFor.WORKER
    assert "rate limit" in registration.reason
    assert registration.next_run_at.timestamp() == pytest.approx(now + 3 * GAP, abs=0.5)
    assert registration.next_run_at == registration.slot_at


@pytest.mark.slow
def test_several_workers_respect_the_limit_together(worker_database, tmp_path: Path):
    """Two clusters on one database, as on two hosts; the sandbox counts every call that comes too fast."""
    plant = Plant(tmp_path, worker_database, scale=0.01, rate_limit=True)
    try:
        plant.submit(8)
        plant.worker(2)
        plant.worker(2)
        plant.wait_live(8, 120)
        plant.assert_each_once(8)
        limited = [
            e
            for e in plant.log()
            if e["method"] == "POST" and ("BrandReg" in e["path"] or "Usa2p" in e["path"])
        ]
        assert len(limited) == 16
        times = sorted(entry["at"] for entry in limited)
        assert min(later - earlier for earlier, later in pairwise(times)) >= 0.9
    finally:
        plant.stop()
