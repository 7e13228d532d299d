"""Whether a saved registration may continue to a paid call, according to the pre-flight."""

from registrations.models import Registration
from registrations.twilio.rejections import FIELD_PARTS
from registrations.workflow.planner.plan import Plan, plan

from . import online_checks
from .rule import Finding, Parts
from .rules import check

_PAID = ("brand.", "campaign.")


def parts_of(registration: Registration) -> Parts:
    """The inputs of a saved registration, as `check` expects them."""
    resources = {
        "profile": registration.profile,
        "trust_bundle": registration.trust_bundle,
        "campaign": registration.campaign,
        "number": registration.phone_number,
    }
    parts: Parts = {name: {} for name in resources}
    for name, part in FIELD_PARTS.items():
        if not name.startswith("message_sample_"):
            value = getattr(resources[part], name)
            parts[part][name] = value if isinstance(value, bool | list) else str(value or "")
    return parts


def findings_of(registration: Registration) -> list[Finding]:
    """All findings, overridden or not, errors first; with those of the latest online check if that is still valid."""
    online = (online_checks.latest(registration) if online_checks.enabled() else None) or []
    return sorted([*check(parts_of(registration)), *online], key=lambda finding: not finding.is_error)


def is_paid(planned: Plan) -> bool:
    """Whether this plan pays for a brand or a campaign: only then does a rejection cost money."""
    return any(call.fee and call.slug.startswith(_PAID) for call in planned.calls)


def overridden_keys(registration: Registration) -> list[str]:
    """Keys of the errors that somebody saw and submitted anyway."""
    return registration.preflight_override.get("keys", [])


def is_overridden(registration: Registration, finding: Finding) -> bool:
    return finding.key in overridden_keys(registration)


def blocking_errors(registration: Registration, planned: Plan | None = None) -> list[Finding]:
    """Errors that stop Submit: the plan costs money, and nobody has overridden them."""
    found = [f for f in findings_of(registration) if f.is_error and not is_overridden(registration, f)]
    return found if found and is_paid(planned or plan(registration)) else []
