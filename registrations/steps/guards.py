"""Rules that several rows share: when a repair may be sent, and when a wait has been long enough."""

from datetime import datetime
from typing import Any

from registrations.clock import scaled
from registrations.failures import parse_error_items, parse_failure_reason
from registrations.models import Mirror, Registration
from registrations.states import (
    BRAND_APPROVED,
    BRAND_FAILED,
    BUNDLE,
    BUNDLE_SUBMITTED,
    IDENTITY_VERIFIED,
    word,
)

BUNDLE_BACKSTOP_SECONDS = 6 * 3600.0
DAY_SECONDS = 24 * 3600.0


def may_repair(registration: Registration) -> bool:
    """Whether Twilio takes changes of profile and bundle now.

    Before there is a brand, while it is FAILED, and while it is APPROVED but the customer has not answered
    YES. A brand under review is left alone: the change waits until Twilio has answered. An approved and
    verified brand is not edited under its campaign (facts section 4.4).
    """
    brand = registration.brand
    if not brand.sid or brand.status == BRAND_FAILED:
        return True
    return brand.status == BRAND_APPROVED and brand.identity_status != IDENTITY_VERIFIED


def settled(mirror: Mirror, since: datetime | None, seconds: float) -> bool:
    """Whether Twilio was looked at after its settle window (30 s, facts section 8) had passed."""
    return bool(since and mirror.synced_at and mirror.synced_at >= since + scaled(seconds))


def bundle_moved(mirror: Mirror, payload: dict[str, Any]) -> bool:
    """Whether a submission whose reply was lost has arrived: the bundle left its status, or was touched since.

    A bundle that was in review before may be submitted again (facts section 6.7), so its status alone proves
    nothing then.
    """
    status = payload.get("status")
    if status == "draft":
        return False
    if status == mirror.status or mirror.status in BUNDLE_SUBMITTED:
        return touched(mirror, payload)
    return True  # refused by now, too, tells that it arrived: the checks take seconds


def touched(mirror: Mirror, payload: dict[str, Any]) -> bool:
    """Whether Twilio changed the object after our last look at it."""
    return payload.get("date_updated") != mirror.payload.get("date_updated")


def bundle_backstop(mirror: Mirror) -> float | None:
    """A bundle that is good enough to go on with is still under review, until it is approved or rejected."""
    return None if mirror.gone_at or word(BUNDLE, mirror.status).final else BUNDLE_BACKSTOP_SECONDS


def daily(mirror: Mirror) -> float | None:
    """Brands and campaigns, whatever was decided: staff and Twilio suspend, lift and delete them any day."""
    return None if mirror.gone_at else DAY_SECONDS


def refusal(what: str, part: str, mirror: Mirror) -> str:
    """One calm sentence for a no: what was refused, and the titles of the reasons; their words stand below it.

    An unknown reason is told in Twilio's own words.
    """
    reasons = parse_failure_reason(part, mirror.failure_reason)
    told = [reason.failure.title if reason.failure else reason.text for reason in reasons]
    for item in parse_error_items(mirror.errors):
        told.append(item.failure.title if item.failure.certain or not item.description else item.description)
    titles = list(dict.fromkeys(text.rstrip(".") for text in told if text))
    if not titles:
        return f"{what}. See what is marked below."
    more = f" (and {len(titles) - 3} more)" if len(titles) > 3 else ""
    return f"{what}: {'; '.join(titles[:3])}{more}."
