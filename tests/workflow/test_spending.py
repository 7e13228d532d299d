"""Sums of fees: successful calls count, and count once."""

from decimal import Decimal

import pytest

from registrations.core import clock
from registrations.models import ApiCall
from registrations.models.choices import OPEN_CALL_STATES, SUCCESSFUL_CALL_STATES, CallState, Stage
from registrations.operations import actions
from registrations.workflow import spending
from tests.customers import make_draft

pytestmark = pytest.mark.django_db

FEE = Decimal("4.50")


@pytest.fixture
def attempt():
    """attempt(state): one attempt at creating the brand, in this state."""
    registration = make_draft()

    def make(state: CallState, fee: Decimal | None = FEE) -> ApiCall:
        return ApiCall.objects.create(
            registration=registration, step="brand.create", state=state, fee=fee, started_at=clock.now()
        )

    return make


@pytest.mark.parametrize("state", CallState)
def test_only_a_successful_call_was_paid(attempt, state):
    attempt(state)
    assert spending.spent(ApiCall.objects.all()) == (FEE if state in SUCCESSFUL_CALL_STATES else 0)
    assert spending.pending(ApiCall.objects.all()) == (FEE if state in OPEN_CALL_STATES else 0)


def test_sums_keep_cents_and_skip_free_calls(attempt):
    assert str(spending.spent(ApiCall.objects.all())) == "0.00"
    for fee in (FEE, Decimal("15.00"), Decimal("0.10"), Decimal("0.20"), None):
        attempt(CallState.OK, fee)
    attempt(CallState.REJECTED, Decimal("100.00"))
    assert str(spending.spent(ApiCall.objects.order_by("-id"))) == "19.80"


def test_a_lost_reply_that_is_found_later_is_paid_once_and_a_lost_call_not_at_all(harness):
    harness.fault(method="POST", path="BrandRegistrations$", action="drop_after", times=1)
    harness.fault(method="POST", path="Usa2p$", action="drop_before", times=1)
    registration = make_draft(trust_bundle={"mobile_phone_number": "+14155559999"})
    actions.submit(registration, actor="ann")
    live = harness.run(registration.pk, until=lambda registration: registration.stage == Stage.LIVE)
    assert live.stage == Stage.LIVE, live.reason
    states = ApiCall.objects.filter(step__in=["brand.create", "campaign.create"]).order_by("id")
    assert [(call.step, call.state) for call in states] == [
        ("brand.create", "found"),
        ("campaign.create", "lost"),
        ("campaign.create", "ok"),
    ]
    assert spending.spent(ApiCall.objects.all()) == Decimal("19.50")
    fees = harness.counts()["fees"]
    assert (fees["brand_fees"], fees["vetting_fees"]) == (1, 1)
