"""Whether a saved case may go on to a paid call, by the pre-flight."""

from registrations.models import Registration
from registrations.twilio.rejections import FIELD_PARTS
from registrations.workflow.planner.plan import Plan, plan

from . import online_checks
from .rule import Finding, Parts
from .rules import check

_PAID = ("brand.", "campaign.")


def parts_of(registration: Registration) -> Parts:
    """A saved case's inputs, as `check` takes them."""
    mirrors = {
        "profile": registration.profile,
        "trust_bundle": registration.trust_bundle,
        "campaign": registration.campaign,
        "number": registration.phone_number,
    }
    parts: Parts = {name: {} for name in mirrors}
    for name, part in FIELD_PARTS.items():
        if not name.startswith("message_sample_"):
            value = getattr(mirrors[part], name)
            parts[part][name] = value if isinstance(value, bool | list) else str(value or "")
    return parts


def findings_of(registration: Registration) -> list[Finding]:
    """What the pre-flight says of a saved case, agreed to or not; with the last look at its pages and "
    "mobile."""
    outside = online_checks.last(registration) if online_checks.enabled() else None
    return sorted(
        [*check(parts_of(registration)), *(outside or [])], key=lambda finding: not finding.is_error
    )


def pays(planned: Plan) -> bool:
    """Whether this plan pays for a brand or a campaign: only then is anything lost."""
    return any(call.fee and call.slug.startswith(_PAID) for call in planned.calls)


def agreed_keys(registration: Registration) -> list[str]:
    """Keys of the errors that somebody has read and gone past."""
    return registration.preflight_override.get("keys", [])


def agreed(registration: Registration, finding: Finding) -> bool:
    return finding.key in agreed_keys(registration)


def in_the_way(registration: Registration, planned: Plan | None = None) -> list[Finding]:
    """Errors that stop Submit: something is to be paid for, and nobody has gone past them."""
    found = [f for f in findings_of(registration) if f.is_error and not agreed(registration, f)]
    return found if found and pays(planned or plan(registration)) else []
