"""The page of one registration, and its live parts."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from registrations.admin.changelist import live_regions
from registrations.intake.form import RegistrationForm
from registrations.models import Registration

from . import assignment, detail, preflight
from .form import find, require

VIEW = "registrations.view_registration"


@require_safe
def registration(request: HttpRequest, admin_site: Any, pk: str) -> HttpResponse:
    """Everything about one registration."""
    registration = find(pk)
    require(request, VIEW)
    values = detail.context(request, registration)
    return TemplateResponse(
        request,
        "registrations/registration/detail.html",
        {
            **admin_site.each_context(request),
            **values,
            "title": registration.label,
            **live_regions.within_page(live_regions.regions(detail.REGIONS, values)),
            "summary": summary(registration),
            **preflight.before_paying(registration, values["plan"]),
            **assignment.context(request, registration),
            "may_remove": values["may"]["remove"]
            and values["may"]["change"]
            and detail.can_take_down(registration),
            **_polling(registration, values),
        },
    )


@require_safe
def live(request: HttpRequest, pk: str) -> HttpResponse:
    """The regions whose versions differ from those in the query; 204 when the browser has them all."""
    registration = find(pk)
    require(request, VIEW)
    values = detail.context(request, registration)
    return live_regions.live(
        request, live_regions.regions(detail.REGIONS, values), **_polling(registration, values)
    )


def _polling(registration: Registration, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "live_url": detail.url("refresh", registration),
        "poll_seconds": live_regions.poll_seconds(values["busy"]),
    }


def summary(registration: Registration) -> list[dict[str, Any]]:
    """The inputs by section, for reading: empty ones left out."""
    form = RegistrationForm(instance=registration)
    found = []
    for section in form.sections:
        if section.slug == "team":
            continue
        rows = [{"label": bound.label, "value": text} for bound in section if (text := _shown(bound))]
        found.append({"slug": section.slug, "title": section.title, "rows": rows})
    return found


def _shown(bound: Any) -> str:
    value = bound.value()
    if isinstance(value, bool):
        return "Yes" if value else "No"
    choices = dict(getattr(bound.field, "choices", None) or {})
    if value in choices:
        return str(choices[value]) if value else ""
    return str(bound.field.widget.format_value(value) or "") if value else ""
