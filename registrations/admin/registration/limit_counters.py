"""How near a registration is to the limits of Twilio and The Campaign Registry, for the quiet panel of its page."""

from dataclasses import dataclass

from registrations.models import Registration
from registrations.models.brand import MAX_BRAND_UPDATES
from registrations.workflow.recorder import registry_limits
from registrations.workflow.recorder.registry_limits import Use

_LABELS = {"mobile_phone_number": "Mobile", "email": "Email address", "street": "Address"}


@dataclass(frozen=True)
class Counter:
    """One line of the panel. limit: None where none is known. word: for the chip, "" when all is well."""

    label: str
    count: int
    limit: int | None = None
    severity: str = "idle"
    word: str = ""


def counters(registration: Registration, uses: list[Use]) -> list[Counter]:
    """Uses of what the customer gave, this registration's own included; then the brand's tries and the texts sent."""
    brand = registration.brand
    # A registration that is taken down uses nothing up any more; what its brands used is among the others' uses.
    found = [_of_use(use, own=int(not registration.is_removed)) for use in uses]
    left = brand.resubmissions_left
    severity, word = ("bad", "Spent") if not left else ("wait", "Last one") if left == 1 else ("idle", "")
    found.append(Counter("Brand resubmitted", brand.resubmissions, MAX_BRAND_UPDATES, severity, word))
    found.append(Counter("OTP texts sent", brand.otp_sends))
    return found


def _of_use(use: Use, own: int) -> Counter:
    label = _LABELS.get(use.field, use.label.capitalize())
    if not own:
        return Counter(label, use.used, use.limit)
    if use.exhausted:
        return Counter(label, use.used, use.limit, "bad", "Spent")
    if use.nearly_exhausted:
        word = "Last one" if use.used + 1 == use.limit else "Near the limit"
        return Counter(label, use.used + 1, use.limit, "wait", word)
    return Counter(label, use.used + 1, use.limit)


def spent(registration: Registration, uses: list[Use]) -> list[Use]:
    """What stands in the way of a brand and has not been agreed to; the same rule as verbs.submit."""
    return [use for use in uses if use.exhausted] if registry_limits.limits_apply(registration) else []
