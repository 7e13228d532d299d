"""The registry's limits at data entry: told beside the input as soon as it is left, and again after saving."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from registrations.intake.form import RegistrationForm
from registrations.models import Registration
from registrations.workflow.recorder import registry_limits
from registrations.workflow.recorder.registry_limits import Use

from . import detail

# The inputs that are counted; an address is told at its first line.
COUNTED = ("mobile_phone_number", "email", "street")


class _Counting(RegistrationForm):
    """Tidies what was typed so far as the whole form does, and keeps the counts instead of judging by them."""

    found: list[Use]

    def judge_uses(self, found: list[Use]) -> None:
        self.found = found


# Set from outside there, and so not inherited.
_Counting.base_fields = RegistrationForm.base_fields


@require_POST
def at_inputs(request: HttpRequest, pk: str | None = None) -> HttpResponse:
    """The lines beside the counted inputs, for the values in the POST; nothing is saved.

    By POST, because the values are personal and an address ends up in logs.
    """
    try:
        registration = detail.load(pk) if pk else None
    except Registration.DoesNotExist as error:
        raise Http404("There is no such registration.") from error
    if not request.user.has_perm(f"registrations.{'change' if registration else 'add'}_registration"):
        raise PermissionDenied
    form = _Counting(request.POST, instance=registration)
    form.is_valid()  # most inputs are not sent along; the counted ones are tidied all the same
    lines = by_input(form.found)
    return render(
        request, "registrations/registration/_limit_warnings.html", {"lines": lines, "swapped": True}
    )


def of_registration(registration: Registration | None) -> dict[str, Use | None]:
    """The lines of the form as it opens."""
    return by_input(
        registry_limits.uses_of(registration)
        if registration and registry_limits.limits_apply(registration)
        else []
    )


def url(registration: Registration | None) -> str:
    return reverse("admin:registrations_registration_limits", args=[registration.pk] if registration else [])


def by_input(found: list[Use]) -> dict[str, Use | None]:
    worth = {use.field: use for use in found if use.exhausted or use.nearly_exhausted}
    return {name: worth.get(name) for name in COUNTED}


def warn(request: HttpRequest, registration: Registration) -> None:
    """After saving: what is nearly used up, on the page that comes next."""
    for use in registry_limits.uses_of(registration) if registry_limits.limits_apply(registration) else []:
        if use.nearly_exhausted:
            messages.warning(request, use.text)


def attributes() -> Mapping[str, Any]:
    """What the form's page needs to ask again: the inputs that count, and those that make up the address."""
    names = (*COUNTED, "street_secondary", "postal_code", "iso_country")
    return {
        "limit_trigger": ", ".join(f"change from:#id_{name}" for name in names),
        "limit_include": ", ".join(f"#id_{name}" for name in names),
    }
