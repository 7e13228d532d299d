"""The pre-flight check on the pages: beside the form's inputs while typing, and again before anything is paid for."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from registrations.intake import preflight
from registrations.intake.form import RegistrationForm
from registrations.intake.form.fields import TRUE_WORDS
from registrations.intake.preflight import Finding, gate, online_checks
from registrations.models import Registration
from registrations.twilio.rejections import FIELD_PARTS
from registrations.workflow.planner.decisions import Plan

# Hidden inputs: the findings that the form has shown, and the errors listed above the confirm page's button.
SEEN = "preflight_seen"
ACKNOWLEDGED = "preflight_acknowledged"
_FLAGS = frozenset(
    ("has_embedded_links", "has_embedded_phone", "subscriber_opt_in", "age_gated", "direct_lending")
)


@dataclass(frozen=True)
class Slot:
    """The place beside one input for its findings; `version` changes when they do."""

    name: str
    findings: tuple[Finding, ...]

    @property
    def version(self) -> str:
        shown = "|".join(f"{f.key}{f.severity}{f.text}{f.excerpt}" for f in self.findings)
        return hashlib.blake2b(shown.encode(), digest_size=6).hexdigest()


@dataclass(frozen=True)
class FindingLink:
    """A finding with the label of its input and the URL to edit it."""

    finding: Finding
    label: str
    url: str


def is_yes(value: Any) -> bool:
    return str(value).strip().lower() in TRUE_WORDS


def to_parts(values: Mapping[str, Any]) -> preflight.Parts:
    """The form's values, cleaned or not, in the shape that the pre-flight reads."""
    parts: preflight.Parts = {}
    for name, part in FIELD_PARTS.items():
        value = values.get(name)
        shown = "" if value is None else str(value)
        parts.setdefault(part, {})[name] = is_yes(shown) if name in _FLAGS else shown
    parts["campaign"].pop("message_samples", None)
    return parts


def slots(values: Mapping[str, Any]) -> dict[str, Slot]:
    """One slot for each input of the form, with the findings for these values."""
    found: dict[str, list[Finding]] = {name: [] for name in FIELD_PARTS if name != "message_samples"}
    for finding in preflight.check(to_parts(values), typing=True):
        found[finding.field].append(finding)
    return {name: Slot(name, tuple(listed)) for name, listed in found.items()}


def slots_of_form(form: RegistrationForm) -> dict[str, Slot]:
    return slots(form.data if form.is_bound else form.initial)


def form_context(found: dict[str, Slot]) -> dict[str, Any]:
    """What a page with slots needs besides them."""
    findings = [finding for slot in found.values() for finding in slot.findings]
    ordered = sorted(findings, key=lambda finding: not finding.is_error)
    return {
        "preflight_url": reverse("admin:registrations_registration_preflight"),
        "preflight_summary": preflight.summary(findings),
        "preflight_first": ordered[0].field if ordered else "",
        "preflight_seen": ",".join(sorted(finding.key for finding in findings)),
    }


@require_POST
def check_typed(request: HttpRequest) -> HttpResponse:
    """The slots for the values in the POST; nothing is saved.

    The composer posts its texts under names that begin with "new-", and has only the slots listed in `slots`.
    """
    if not may_write(request):
        raise PermissionDenied
    post = request.POST
    values = {**post.dict(), **{key[4:]: value for key, value in post.items() if key.startswith("new-")}}
    found = slots(values)
    if named := post.get("slots"):
        found = {name: slot for name, slot in found.items() if name in named.split(",")}
    context = {"slots": found.values(), **form_context(found)}
    return render(request, "registrations/preflight/_slots.html", context)


def may_write(request: HttpRequest) -> bool:
    user = request.user
    return user.has_perm("registrations.add_registration") or user.has_perm(
        "registrations.change_registration"
    )


def with_links(findings: Iterable[Finding], form_url: str) -> list[FindingLink]:
    return [
        FindingLink(
            finding,
            str(RegistrationForm.base_fields[finding.field].label),
            f"{form_url}#field-{finding.field}",
        )
        for finding in findings
    ]


def confirm_context(registration: Registration, plan: Plan) -> dict[str, Any]:
    """For the confirm page and the registration's page: empty unless the plan pays for a brand or a campaign.

    passed: errors that someone has submitted before, despite the pre-flight.
    """
    if not gate.is_paid(plan):
        return {"preflight_errors": [], "preflight_warnings": [], "preflight_passed": []}
    form_url = reverse("admin:registrations_registration_change", args=[registration.pk])
    found = gate.findings_of(registration)
    errors = [f for f in found if f.is_error and not gate.is_overridden(registration, f)]
    passed = [f for f in found if f.is_error and gate.is_overridden(registration, f)]
    return {
        "preflight_errors": with_links(errors, form_url),
        "preflight_warnings": with_links((f for f in found if not f.is_error), form_url),
        "preflight_passed": with_links(passed, form_url),
        "preflight_acknowledged": ",".join(sorted({f.key for f in errors})),
        "preflight_online": online_checks.enabled(),
        "preflight_price": online_checks.price(),
    }


def acknowledged(request: HttpRequest) -> set[str]:
    """Keys of the errors listed on the confirm page above the button that was pressed."""
    return set(request.POST.get(ACKNOWLEDGED, "").split(",")) - {""}


def has_unseen(request: HttpRequest, registration: Registration, plan: Plan) -> bool:
    """Whether there are findings that the form did not show, or errors that block Submit."""
    if not gate.is_paid(plan):
        return False
    seen = set(request.POST.get(SEEN, "").split(","))
    found = [f for f in gate.findings_of(registration) if not gate.is_overridden(registration, f)]
    return any(finding.is_error or finding.key not in seen for finding in found)
