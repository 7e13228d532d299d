"""Sums of fees: what came to something counts, and counts once."""

from decimal import Decimal

import pytest

from registrations import clock, money, verbs
from registrations.models import StepRun
from registrations.states import GOOD_RUN_STATES, OPEN_RUN_STATES, RunState, Stage
from tests.cases import make_case

pytestmark = pytest.mark.django_db

FEE = Decimal("4.50")


@pytest.fixture
def attempt():
    """attempt(state): one attempt at the brand, in this state."""
    case = make_case()

    def make(state: RunState, fee: Decimal | None = FEE) -> StepRun:
        return StepRun.objects.create(
            registration=case, step="brand.create", state=state, fee=fee, started_at=clock.now()
        )

    return make


@pytest.mark.parametrize("state", RunState)
def test_only_an_attempt_that_came_to_something_was_paid(attempt, state):
    attempt(state)
    assert money.spent(StepRun.objects.all()) == (FEE if state in GOOD_RUN_STATES else 0)
    assert money.uncertain(StepRun.objects.all()) == (FEE if state in OPEN_RUN_STATES else 0)


def test_sums_keep_cents_and_pass_over_free_calls(attempt):
    assert str(money.spent(StepRun.objects.all())) == "0.00"
    for fee in (FEE, Decimal("15.00"), Decimal("0.10"), Decimal("0.20"), None):
        attempt(RunState.OK, fee)
    attempt(RunState.REJECTED, Decimal("100.00"))
    assert str(money.spent(StepRun.objects.order_by("-id"))) == "19.80"


def test_a_lost_reply_that_is_found_later_is_paid_once_and_a_lost_call_not_at_all(desk):
    desk.fault(method="POST", path="BrandRegistrations$", action="drop_after", times=1)
    desk.fault(method="POST", path="Usa2p$", action="drop_before", times=1)
    case = make_case(trust_bundle={"mobile_phone_number": "+14155559999"})
    verbs.submit(case, actor="ann")
    live = desk.run(case.pk, until=lambda case: case.stage == Stage.LIVE)
    assert live.stage == Stage.LIVE, live.reason
    states = StepRun.objects.filter(step__in=["brand.create", "campaign.create"]).order_by("id")
    assert [(run.step, run.state) for run in states] == [
        ("brand.create", "found"),
        ("campaign.create", "lost"),
        ("campaign.create", "ok"),
    ]
    assert money.spent(StepRun.objects.all()) == Decimal("19.50")
    fees = desk.counts()["fees"]
    assert (fees["brand_fees"], fees["vetting_fees"]) == (1, 1)
