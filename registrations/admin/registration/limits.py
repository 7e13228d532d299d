"""The Campaign Registry's limits: warnings beside the form's inputs, and the counters on the registration's page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from registrations.intake.form import RegistrationForm
from registrations.models import Registration
from registrations.models.brand import MAX_BRAND_UPDATES
from registrations.workflow.recorder import registry_limits
from registrations.workflow.recorder.registry_limits import Use

from . import base

# The inputs that count toward a limit; an address counts at its first line.
COUNTED = ("mobile_phone_number", "email", "street")
_LABELS = {"mobile_phone_number": "Mobile", "email": "Email address", "street": "Address"}


# --- beside the form's inputs ---------------------------------------------------------------------------
class _CountingForm(RegistrationForm):
    """Cleans what was typed like the whole form does, and keeps the counts instead of validating against them."""

    found: list[Use]

    def judge_uses(self, found: list[Use]) -> None:
        self.found = found


# Assigned after the class is created there, so not inherited.
_CountingForm.base_fields = RegistrationForm.base_fields


@require_POST
def check(request: HttpRequest, pk: str | None = None) -> HttpResponse:
    """The warnings beside the counted inputs, for the values in the POST; nothing is saved.

    By POST, because the values are personal and URLs end up in logs.
    """
    registration = base.find(pk) if pk else None
    base.require(request, base.CHANGE if registration else base.ADD)
    form = _CountingForm(request.POST, instance=registration)
    form.is_valid()  # most inputs are missing; the counted ones are still cleaned
    return render(
        request,
        "registrations/registration/_limit_warnings.html",
        {"warnings": by_input(form.found), "swapped": True},
    )


def for_form(registration: Registration | None) -> dict[str, Use | None]:
    """The warnings when the form opens."""
    return by_input(uses(registration) if registration else [])


def url(registration: Registration | None) -> str:
    return reverse("admin:registrations_registration_limits", args=[registration.pk] if registration else [])


def by_input(found: list[Use]) -> dict[str, Use | None]:
    """{counted input: the use to warn about, or None}."""
    warnings = {use.field: use for use in found if use.exhausted or use.nearly_exhausted}
    return {name: warnings.get(name) for name in COUNTED}


def warn(request: HttpRequest, registration: Registration) -> None:
    """After saving: a message for each limit that is nearly used up."""
    for use in uses(registration):
        if use.nearly_exhausted:
            messages.warning(request, use.text)


def form_context() -> Mapping[str, Any]:
    """Which inputs trigger a check, and which are sent with it (all of the address counts as one)."""
    names = (*COUNTED, "street_secondary", "postal_code", "iso_country")
    return {
        "limit_trigger": ", ".join(f"change from:#id_{name}" for name in names),
        "limit_include": ", ".join(f"#id_{name}" for name in names),
    }


# --- on the registration's page -------------------------------------------------------------------------
@dataclass(frozen=True)
class Counter:
    """One line of the limits card. limit: None when there is none. note: the chip's text, "" when all is well."""

    label: str
    count: int
    limit: int | None = None
    severity: str = "idle"
    note: str = ""


def counters(registration: Registration, found: list[Use]) -> list[Counter]:
    """Uses of the customer's values, including this registration; then brand resubmissions and OTP texts sent."""
    brand = registration.brand
    # A removed registration uses nothing itself; what its brands used is already in `found`.
    rows = [_counter(use, own=int(not registration.is_removed)) for use in found]
    left = brand.resubmissions_left
    severity, note = ("bad", "Used up") if not left else ("wait", "Last one") if left == 1 else ("idle", "")
    return [
        *rows,
        Counter("Brand resubmissions", brand.resubmissions, MAX_BRAND_UPDATES, severity, note),
        Counter("OTP texts sent", brand.otp_sends),
    ]


def _counter(use: Use, own: int) -> Counter:
    label = _LABELS.get(use.field, use.label.capitalize())
    if not own:
        return Counter(label, use.used, use.limit)
    if use.exhausted:
        return Counter(label, use.used, use.limit, "bad", "Used up")
    if use.nearly_exhausted:
        note = "Last one" if use.used + 1 == use.limit else "Near limit"
        return Counter(label, use.used + 1, use.limit, "wait", note)
    return Counter(label, use.used + 1, use.limit)


def uses(registration: Registration) -> list[Use]:
    """How often the registration's values are used; [] when it does not count toward the limits (yet)."""
    return registry_limits.uses_of(registration) if registry_limits.limits_apply(registration) else []


def used_up(registration: Registration, found: list[Use] | None = None) -> list[Use]:
    """The limits that block a brand and that nobody has overridden; the same rule as operations.actions.submit."""
    if not registry_limits.limits_apply(registration):
        return []
    return [
        use for use in (registry_limits.uses_of(registration) if found is None else found) if use.exhausted
    ]
