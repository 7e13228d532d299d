"""A rejection may come before its reason: it is polled again, soon and then rarely."""

import pytest

from registrations.core import clock
from registrations.models import Registration
from registrations.models.choices import Stage, WaitingFor
from registrations.workflow.recorder import recorder
from registrations.workflow.runner import runner
from registrations.workflow.steps import BY_SLUG, Watch
from tests.factories import make_registration

pytestmark = pytest.mark.django_db

ERROR = {"error_code": 30886, "fields": ["USE_CASE_DESCRIPTION"], "description": "Too short."}
REJECTIONS = {
    "profile": ("profile.review", {"status": "twilio-rejected"}, {"errors": [{"code": 18603}]}),
    "brand": ("brand.review", {"status": "FAILED"}, {"failure_reason": "Unable to register Brand"}),
    "campaign": ("campaign.review", {"campaign_status": "FAILED"}, {"errors": [ERROR]}),
}


def poll(pk: int, slug: str, payload: dict[str, object]) -> float | None:
    """Apply one poll; returns the scaled seconds until the next one."""
    step = BY_SLUG[slug]
    assert isinstance(step, Watch)
    registration: Registration = runner.load(pk)
    began = clock.now()
    recorder.refresh(registration, step, payload)
    due = step.resource(registration).next_poll_at
    return (due - began) / clock.scaled(1) if due else None


@pytest.mark.parametrize("stage", list(REJECTIONS))
def test_a_rejection_without_a_reason_is_polled_until_it_has_one(settings, stage):
    settings.A2P_TIME_SCALE = 1.0
    slug, no, reason = REJECTIONS[stage]
    registration = make_registration(stage, answer={**no, "errors": None})
    assert (registration.stage, registration.waiting_for) == (Stage(stage), WaitingFor.US)
    first = poll(registration.pk, slug, {**no, "errors": []})
    assert first is not None
    assert first < 300
    explained = poll(registration.pk, slug, {**no, **reason})
    assert explained is None or explained > 3600 * 4
    resource = getattr(runner.load(registration.pk), stage)
    assert resource.errors or resource.failure_reason


def test_a_rejection_that_never_gets_a_reason_is_polled_rarely_in_the_end(settings):
    settings.A2P_TIME_SCALE = 1.0
    slug, no, _ = REJECTIONS["campaign"]
    registration = make_registration("campaign", answer={**no, "errors": None})
    waits = [poll(registration.pk, slug, no) for _ in range(6)]
    assert None not in waits
    assert waits[:4] == sorted(waits[:4])
    assert waits[0] < 300
    # Then as rarely as any settled object, with jitter.
    assert all(wait > 3600 * 4 for wait in waits[4:])
