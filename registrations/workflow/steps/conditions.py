"""Rules that several rows share: when a repair may be sent, and when a wait has been long enough."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from registrations.core.clock import scaled
from registrations.models import ApiCall, Registration, TwilioResource
from registrations.models.choices import SUCCESSFUL_CALL_STATES
from registrations.twilio.rejections import Failure, merge_reasons, of_state
from registrations.twilio.statuses import (
    BRAND_APPROVED,
    BRAND_EXPIRED,
    BRAND_FAILED,
    BUNDLE,
    BUNDLE_REJECTED,
    BUNDLE_SUBMITTED,
    IDENTITY_VERIFIED,
    canonical,
    status_label,
)

BUNDLE_BACKSTOP_SECONDS = 6 * 3600.0
DAY_SECONDS = 24 * 3600.0


def may_repair(registration: Registration) -> bool:
    """Whether Twilio takes changes of profile and bundle now.

    Before there is a brand, while it is FAILED or lost, and while it is APPROVED but the customer has not
    answered YES. A brand under review is left alone: the change waits until Twilio has answered. An approved and
    verified brand is not edited under its campaign (docs/twilio.md section 4.4); only a bundle that Twilio itself has
    rejected meanwhile is mended.
    """
    brand = registration.brand
    if not brand.sid or brand.missing_since or brand.status in (BRAND_FAILED, BRAND_EXPIRED):
        return True
    if brand.status != BRAND_APPROVED:
        return False
    rejected = BUNDLE_REJECTED in (registration.profile.status, registration.trust_bundle.status)
    return rejected or brand.identity_status != IDENTITY_VERIFIED


def settled(resource: TwilioResource, since: datetime | None, seconds: float) -> bool:
    """Whether Twilio was looked at after its settle window (30 s, docs/twilio.md section 8) had passed."""
    return bool(since and resource.synced_at and resource.synced_at >= since + scaled(seconds))


# Evaluations of one Submit that may be repeated, and the pause before each (seconds; the last one repeats).
EVALUATIONS = 3
EVALUATE_AGAIN_SECONDS = (10.0, 30.0)
EVALUATE_AGAIN_LEAST = 1.0  # what lags at Twilio does not scale
# Object missing: person, document, address (docs/twilio.md section 2). All are attached before the first evaluation.
_MISSING = frozenset({"22214", "22216", "22219"})
_POINTERS = frozenset({"bundle_sid", "bundle_status", "address_sids"})
# What Twilio says of the fields of an object that it does not see: they are missing with it.
_MISSING_WITHIN = _MISSING | {"22215", "22217"}


def evaluation_lags(registration: Registration, resource: Any, slug: str) -> bool:
    """Whether Twilio's evaluation misses only what we have attached already, so that it may find it in a moment.

    A person could mend nothing then. After three evaluations since Submit it is believed.
    """
    if resource.evaluation_status != "noncompliant":
        return False
    rows = [
        step
        for step in resource.evaluation_results
        if isinstance(step, dict) and step.get("passed") is not True
    ]
    if not rows or not all(_lags(step) for step in rows):
        return False
    return _evaluations(registration, slug).count() < EVALUATIONS


def evaluate_not_before(registration: Registration, resource: Any, slug: str) -> datetime | None:
    """When the evaluation may be repeated by itself; None when nothing holds it back."""
    if resource.resubmit_requested or not evaluation_lags(registration, resource, slug):
        return None
    made = [at for at in _evaluations(registration, slug).values_list("finished_at", flat=True) if at]
    if not made:
        return None
    seconds = EVALUATE_AGAIN_SECONDS[min(len(made), len(EVALUATE_AGAIN_SECONDS)) - 1]
    return max(made) + max(scaled(seconds), timedelta(seconds=EVALUATE_AGAIN_LEAST))


def _evaluations(registration: Registration, slug: str) -> QuerySet[ApiCall]:
    attempts = ApiCall.objects.filter(registration=registration, step=slug, state__in=SUCCESSFUL_CALL_STATES)
    return (
        attempts.filter(started_at__gte=registration.submitted_at) if registration.submitted_at else attempts
    )


def _lags(step: dict[str, Any]) -> bool:
    fields = [item for item in step.get("invalid") or [] if isinstance(item, dict)]
    if str(step.get("error_code") or "") in _MISSING and not step.get("valid"):
        return all(str(item.get("error_code") or 22215) in _MISSING_WITHIN for item in fields)
    known = {str(item.get("error_code") or "") for item in (step, *fields)} - {""}
    if not known <= _MISSING:
        return False
    return all(item.get("error_code") or item.get("object_field") in _POINTERS for item in fields)


def bundle_moved(resource: TwilioResource, payload: dict[str, Any]) -> bool:
    """Whether a submission whose reply was lost has arrived: the bundle left its status, or was touched since.

    A bundle that was in review before may be submitted again (docs/twilio.md section 6.7), so its status alone proves
    nothing then.
    """
    status = canonical(BUNDLE, payload.get("status"))
    if status == "draft":
        return False
    if not status or status == resource.status or resource.status in BUNDLE_SUBMITTED:
        return touched(resource, payload)
    return True  # refused by now, too, tells that it arrived: the checks take seconds


def touched(resource: TwilioResource, payload: dict[str, Any]) -> bool:
    """Whether Twilio changed the object after our last look at it."""
    return payload.get("date_updated") != resource.payload.get("date_updated")


def bundle_backstop(resource: TwilioResource) -> float | None:
    """A bundle that is good enough to go on with is still under review, until it is approved or rejected."""
    return (
        None
        if resource.missing_since or status_label(BUNDLE, resource.status).final
        else BUNDLE_BACKSTOP_SECONDS
    )


def daily(resource: TwilioResource) -> float | None:
    """Brands and campaigns, whatever was decided: staff and Twilio suspend, lift and delete them any day."""
    return None if resource.missing_since else DAY_SECONDS


# Acts that a person carries out elsewhere, after which the same object is of no more use than before.
_ELSEWHERE = frozenset({"support", "standard_brand", "console_delete", "operator", "none"})


def is_unfixable(part: str, resource: TwilioResource) -> bool:
    """Whether Twilio's every reason is one that sending the same again does not answer.

    A reason that the catalogue does not know leaves hope.
    """
    reasons = [one.failure for one in merge_reasons(part, resource.errors, resource.failure_reason)]
    if not reasons and (state := of_state(part, resource.status)):
        reasons = [state]
    return bool(reasons) and all(beyond_editing(one) for one in reasons)


def beyond_editing(failure: Failure) -> bool:
    """Whether only somebody elsewhere can help: support, the operator, or another kind of brand."""
    return not failure.is_unknown and set(failure.redo) <= _ELSEWHERE


def unchanged_again(part: str, resource: TwilioResource) -> str:
    """What to say behind a refusal that the same object would only meet again, or ""."""
    if not is_unfixable(part, resource):
        return ""
    return " It is not sent again as it is: see below who can help."


def refusal(what: str, part: str, resource: TwilioResource) -> str:
    """One calm sentence for a no: what was refused, and the titles of the reasons; their words stand below it.

    An unknown reason is told in Twilio's own words.
    """
    named = [
        one.failure.title if one.failure.certain or not one.message else one.message
        for one in merge_reasons(part, resource.errors, resource.failure_reason)
    ]
    titles = list(dict.fromkeys(text.rstrip(".") for text in named if text))
    if not titles:
        return f"{what}. See what is marked below."
    more = f" (and {len(titles) - 3} more)" if len(titles) > 3 else ""
    return f"{what}: {'; '.join(titles[:3])}{more}."
