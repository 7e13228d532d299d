"""A no may come before its reason: it is looked at again, soon and then seldom."""

import pytest

from registrations import clock, pipeline, sync
from registrations.models import Registration
from registrations.states import Stage, WaitingFor
from registrations.steps import BY_SLUG, Watch
from tests.factories import make_registration

pytestmark = pytest.mark.django_db

ERROR = {"error_code": 30886, "fields": ["USE_CASE_DESCRIPTION"], "description": "Too short."}
NO = {
    "profile": ("profile.review", {"status": "twilio-rejected"}, {"errors": [{"code": 18603}]}),
    "brand": ("brand.review", {"status": "FAILED"}, {"failure_reason": "Unable to register Brand"}),
    "campaign": ("campaign.review", {"campaign_status": "FAILED"}, {"errors": [ERROR]}),
}


def look(pk: int, slug: str, payload: dict[str, object]) -> float | None:
    """Apply one look; the scaled seconds until the next one."""
    row = BY_SLUG[slug]
    assert isinstance(row, Watch)
    case: Registration = pipeline.load(pk)
    began = clock.now()
    sync.refresh(case, row, payload)
    due = row.mirror(case).next_poll_at
    return (due - began) / clock.scaled(1) if due else None


@pytest.mark.parametrize("stage", list(NO))
def test_a_no_without_a_reason_is_looked_at_again_until_it_has_one(settings, stage):
    settings.A2P_TIME_SCALE = 1.0
    slug, no, reason = NO[stage]
    case = make_registration(stage, answer={**no, "errors": None})
    assert (case.stage, case.waiting_for) == (Stage(stage), WaitingFor.US)
    first = look(case.pk, slug, {**no, "errors": []})
    assert first is not None
    assert first < 300
    explained = look(case.pk, slug, {**no, **reason})
    assert explained is None or explained > 3600 * 4
    mirror = getattr(pipeline.load(case.pk), stage)
    assert mirror.errors or mirror.failure_reason


def test_a_no_that_never_gets_a_reason_is_looked_at_seldom_in_the_end(settings):
    settings.A2P_TIME_SCALE = 1.0
    slug, no, _ = NO["campaign"]
    case = make_registration("campaign", answer={**no, "errors": None})
    waits = [look(case.pk, slug, no) for _ in range(6)]
    assert None not in waits
    assert waits[:4] == sorted(waits[:4])
    assert waits[0] < 300
    # Then as often as any settled object, which is spread a little.
    assert all(wait > 3600 * 4 for wait in waits[4:])
