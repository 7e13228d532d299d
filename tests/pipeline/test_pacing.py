"""Twilio's pace: one brand or campaign call a second, ten one-time texts, whoever calls."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from registrations import clock, pacing, pipeline
from registrations.models import Lane, Registration
from registrations.states import WaitingFor
from tests.cases import make_case
from tests.pipeline.plant import Plant
from tests.pipeline.support import Stand
from tests.worker.conftest import worker_database

__all__ = ["worker_database"]
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
GAP = pacing.INTERVALS["a2p"]


@pytest.fixture
def hands(monkeypatch):
    """A clock that moves only when told."""

    class Hands:
        now = START

        def to(self, at: datetime) -> None:
            self.now = max(self.now, at)

    hands = Hands()
    monkeypatch.setattr(clock, "now", lambda: hands.now)
    return hands


def cases(count: int) -> list[Registration]:
    return [make_case(label=f"case {number}") for number in range(count)]


def drive(waiting: list[Registration], hands, lane: str = "a2p", early: float = 0.0) -> list[float]:
    """Each case comes back when it was told to, once `early` seconds before that; the moments of the calls."""
    hasty = {case.pk for case in waiting} if early else set()
    at = {case.pk: hands.now for case in waiting}
    made = []
    for _ in range(len(waiting) * 30):
        if not at:
            break
        pk = min(at, key=lambda key: (at[key], key))
        hands.to(at[pk])
        slot = pacing.take(lane, pipeline.load(pk))
        if slot.now:
            pacing.depart(lane)
            made.append((hands.now - START).total_seconds())
            del at[pk]
        else:
            assert slot.at > hands.now, "a case that must wait may not come back at once"
            at[pk] = slot.at - timedelta(seconds=early if pk in hasty else 0)
            hasty.discard(pk)
    assert not at, "some never had their turn"
    return made


@pytest.mark.django_db
def test_ten_at_once_go_one_by_one_and_each_waits_once(hands, monkeypatch):
    taken = []
    take = pacing.take
    monkeypatch.setattr(pacing, "take", lambda *args: taken.append(1) or take(*args))
    made = drive(cases(10), hands)
    assert made == pytest.approx([number * GAP for number in range(10)], abs=0.05)
    assert len(taken) <= 20, "cases come back for nothing"


@pytest.mark.django_db
def test_who_comes_early_waits_and_keeps_the_place(hands):
    made = drive(cases(6), hands, early=0.2)
    assert [later - earlier for earlier, later in pairwise(made)] >= [GAP - 1e-6] * 5


@pytest.mark.django_db
def test_a_call_that_leaves_late_moves_the_next(hands):
    """Between the claim and the call lies the commit of the intent."""
    first, second = cases(2)
    assert pacing.take("a2p", first).now
    hands.to(START + timedelta(seconds=0.9))
    pacing.depart("a2p")
    hands.to(START + timedelta(seconds=GAP))
    slot = pacing.take("a2p", second)
    assert not slot.now
    assert slot.at >= START + timedelta(seconds=0.9 + GAP)


@pytest.mark.django_db
@pytest.mark.parametrize(("took", "late"), [(0.04, 0.0), (0.1, 0.05), (0.4, 0.35), (20.0, 0.5)])
def test_a_call_that_was_long_on_its_way_moves_the_next_a_little(hands, took, late):
    [case] = cases(1)
    assert pacing.take("a2p", case).now
    departed = pacing.depart("a2p")
    hands.to(START + timedelta(seconds=took))
    pacing.arrived("a2p", departed)
    assert Lane.objects.get().last_call == pytest.approx(START.timestamp() + late, abs=0.001)
    # Wherever on its way the time was spent, a second lies between two arrivals.
    if took <= pacing.LATE_SECONDS:
        assert late + GAP >= took + 1


@pytest.mark.django_db
def test_429_pauses_the_lane_for_all(hands):
    first, second, third = cases(3)
    assert pacing.take("a2p", first).now
    pacing.pause("a2p", 10)
    for case in (second, third):
        slot = pacing.take("a2p", case)
        assert not slot.now
        assert slot.at >= START + timedelta(seconds=10)
    made = drive([second, third], hands)
    assert made[0] >= 10
    assert made[1] - made[0] >= GAP - 1e-6


@pytest.mark.django_db
def test_lanes_and_accounts_do_not_wait_for_each_other(hands, settings):
    first, second = cases(2)
    assert pacing.take("a2p", first).now
    assert pacing.take("otp", first).now
    assert not pacing.take("a2p", second).now
    second.refresh_from_db()
    settings.TWILIO_ACCOUNT_SID = "AC" + "1" * 32
    assert pacing.take("a2p", second).now


@pytest.mark.django_db
def test_texts_go_ten_a_second(hands):
    made = drive(cases(12), hands, lane="otp")
    assert made[-1] >= 11 * 0.1
    assert made[-1] <= 11 * pacing.INTERVALS["otp"] + 0.2


@pytest.mark.django_db
def test_the_pace_is_not_scaled(settings, hands):
    settings.A2P_TIME_SCALE = 0.001
    assert drive(cases(3), hands)[-1] >= 2.0


@pytest.mark.django_db
def test_a_case_in_the_queue_waits_for_the_worker_and_wakes_in_its_turn(stand: Stand, monkeypatch):
    stand.reach("brand.create")
    monkeypatch.setattr(pacing, "INTERVALS", {"a2p": GAP, "otp": 0.105})
    now = clock.now().timestamp()
    Lane.objects.update_or_create(
        name=pacing._name("a2p"), defaults={"last_call": now, "next_slot": now + 3 * GAP}
    )
    case = stand.job()
    assert stand.writes() == []
    assert case.waiting_for == WaitingFor.WORKER
    assert "pace" in case.reason
    assert case.wake_at.timestamp() == pytest.approx(now + 3 * GAP, abs=0.5)
    assert case.wake_at == case.slot_at


@pytest.mark.slow
def test_several_workers_keep_the_pace_together(worker_database, tmp_path: Path):
    """Two clusters on one database, as on two hosts; the sandbox counts every call that comes too fast."""
    plant = Plant(tmp_path, worker_database, scale=0.01, rate_limit=True)
    try:
        plant.submit(8)
        plant.worker(2)
        plant.worker(2)
        plant.wait_live(8, 120)
        plant.assert_each_once(8)
        paced = [
            e
            for e in plant.log()
            if e["method"] == "POST" and ("BrandReg" in e["path"] or "Usa2p" in e["path"])
        ]
        assert len(paced) == 16
        times = sorted(entry["at"] for entry in paced)
        assert min(later - earlier for earlier, later in pairwise(times)) >= 0.9
    finally:
        plant.stop()
