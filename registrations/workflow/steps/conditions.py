"""Rules that several steps share: when a change may be sent, when a wait is over, what a rejection means."""

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


def accepts_bundle_changes(registration: Registration) -> bool:
    """Whether changes of the profile and the trust bundle may be sent now.

    Before there is a brand, while it is FAILED or gone, and while it is APPROVED but the customer has not replied
    YES. A change waits while the brand is under review. A verified brand is not edited under its campaign
    (docs/twilio.md section 4.4), except to fix a bundle that Twilio rejected meanwhile.
    """
    brand = registration.brand
    if not brand.sid or brand.missing_since or brand.status in (BRAND_FAILED, BRAND_EXPIRED):
        return True
    if brand.status != BRAND_APPROVED:
        return False
    rejected = BUNDLE_REJECTED in (registration.profile.status, registration.trust_bundle.status)
    return rejected or brand.identity_status != IDENTITY_VERIFIED


def settled(resource: TwilioResource, since: datetime | None, seconds: float) -> bool:
    """Whether the resource was fetched after its settle time (30 s, docs/twilio.md section 8) had passed."""
    return bool(since and resource.synced_at and resource.synced_at >= since + scaled(seconds))


# How many evaluations one Submit may use, and the pause before each repeat (seconds; the last one repeats).
EVALUATIONS = 3
EVALUATE_AGAIN_SECONDS = (10.0, 30.0)
EVALUATE_AGAIN_LEAST = 1.0  # Twilio's lag does not scale with A2P_TIME_SCALE
# Object missing: person, document, address (docs/twilio.md section 2). All are attached before the first evaluation.
_MISSING = frozenset({"22214", "22216", "22219"})
_POINTERS = frozenset({"bundle_sid", "bundle_status", "address_sids"})
# Codes for the fields of a missing object: they are missing with it.
_MISSING_WITHIN = _MISSING | {"22215", "22217"}


def evaluation_lags(registration: Registration, resource: Any, slug: str) -> bool:
    """Whether the evaluation only misses objects that we already attached, so it may find them in a moment.

    A person could not fix anything. After three evaluations since Submit, the result is final.
    """
    if resource.evaluation_status != "noncompliant":
        return False
    failed = [
        result
        for result in resource.evaluation_results
        if isinstance(result, dict) and result.get("passed") is not True
    ]
    if not failed or not all(_only_misses_attached(result) for result in failed):
        return False
    return _evaluations(registration, slug).count() < EVALUATIONS


def evaluate_not_before(registration: Registration, resource: Any, slug: str) -> datetime | None:
    """The earliest time for an automatic repeat of the evaluation; None for now."""
    if resource.resubmit_requested or not evaluation_lags(registration, resource, slug):
        return None
    times = [at for at in _evaluations(registration, slug).values_list("finished_at", flat=True) if at]
    if not times:
        return None
    seconds = EVALUATE_AGAIN_SECONDS[min(len(times), len(EVALUATE_AGAIN_SECONDS)) - 1]
    return max(times) + max(scaled(seconds), timedelta(seconds=EVALUATE_AGAIN_LEAST))


def _evaluations(registration: Registration, slug: str) -> QuerySet[ApiCall]:
    attempts = ApiCall.objects.filter(registration=registration, step=slug, state__in=SUCCESSFUL_CALL_STATES)
    return (
        attempts.filter(started_at__gte=registration.submitted_at) if registration.submitted_at else attempts
    )


def _only_misses_attached(result: dict[str, Any]) -> bool:
    fields = [item for item in result.get("invalid") or [] if isinstance(item, dict)]
    if str(result.get("error_code") or "") in _MISSING and not result.get("valid"):
        return all(str(item.get("error_code") or 22215) in _MISSING_WITHIN for item in fields)
    known = {str(item.get("error_code") or "") for item in (result, *fields)} - {""}
    if not known <= _MISSING:
        return False
    return all(item.get("error_code") or item.get("object_field") in _POINTERS for item in fields)


def submission_arrived(resource: TwilioResource, payload: dict[str, Any]) -> bool:
    """Whether a submission whose reply was lost has arrived: the bundle's status or its update time changed.

    A bundle that was already in review can be submitted again (docs/twilio.md section 6.7); then its status alone
    proves nothing.
    """
    status = canonical(BUNDLE, payload.get("status"))
    if status == "draft":
        return False
    if not status or status == resource.status or resource.status in BUNDLE_SUBMITTED:
        return changed_since_sync(resource, payload)
    return True  # a rejection proves it as well: the checks take seconds


def changed_since_sync(resource: TwilioResource, payload: dict[str, Any]) -> bool:
    """Whether Twilio changed the object since we last fetched it."""
    return payload.get("date_updated") != resource.payload.get("date_updated")


def bundle_backstop(resource: TwilioResource) -> float | None:
    """A submitted bundle is good enough to continue, but stays under review until it is approved or rejected."""
    return (
        None
        if resource.missing_since or status_label(BUNDLE, resource.status).final
        else BUNDLE_BACKSTOP_SECONDS
    )


def daily(resource: TwilioResource) -> float | None:
    """For brands and campaigns, whatever was decided: Twilio may suspend, restore, or delete them any day."""
    return None if resource.missing_since else DAY_SECONDS


# Remedies outside this product, after which resubmitting the same object helps no more than before.
_ELSEWHERE = frozenset({"support", "standard_brand", "console_delete", "operator", "none"})


def is_unfixable(part: str, resource: TwilioResource) -> bool:
    """Whether none of Twilio's reasons can be fixed by resubmitting.

    A reason that the catalogue does not know may be fixable.
    """
    reasons = [reason.failure for reason in merge_reasons(part, resource.errors, resource.failure_reason)]
    if not reasons and (state := of_state(part, resource.status)):
        reasons = [state]
    return bool(reasons) and all(beyond_editing(failure) for failure in reasons)


def beyond_editing(failure: Failure) -> bool:
    """Whether only somebody elsewhere can help: support, the operator, or another kind of brand."""
    return not failure.is_unknown and set(failure.redo) <= _ELSEWHERE


def unchanged_again(part: str, resource: TwilioResource) -> str:
    """A sentence to append if resubmitting unchanged would be rejected again, else ""."""
    if not is_unfixable(part, resource):
        return ""
    return " It is not resubmitted unchanged. See below who can help."


def refusal(summary: str, part: str, resource: TwilioResource) -> str:
    """One sentence for a rejection: the summary and the titles of the reasons.

    An unknown reason is quoted in Twilio's own words.
    """
    named = [
        reason.failure.title if reason.failure.certain or not reason.message else reason.message
        for reason in merge_reasons(part, resource.errors, resource.failure_reason)
    ]
    titles = list(dict.fromkeys(text.rstrip(".") for text in named if text))
    if not titles:
        return f"{summary}. See the marked fields below."
    more = f" (and {len(titles) - 3} more)" if len(titles) > 3 else ""
    return f"{summary}: {'; '.join(titles[:3])}{more}."
