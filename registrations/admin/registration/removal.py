"""Taking a registration down at Twilio: what goes, what stays, and the label typed by hand before it begins."""

from typing import Any

from django.http import HttpRequest

from registrations.models import Registration
from registrations.operations import actions
from registrations.twilio.statuses import CAMPAIGN_SUSPENDED
from registrations.workflow.planner import decisions

from . import detail
from .form import require

REMOVE = "registrations.remove_registration"


def confirm(request: HttpRequest, registration: Registration) -> dict[str, Any]:
    """The confirm page's values; whoever may not do it does not see it."""
    require(request, REMOVE)
    trial = detail.load(registration.pk)
    trial.removing = True  # in memory alone: what the plan would be
    return {
        "title": "Take down at Twilio",
        "lead": f"Everything that was made for {registration.label} is removed, one call after the other. "
        "Messages stop. This cannot be undone.",
        "calls": decisions.plan(trial).calls,
        "blockers": [],
        "fee": 0,
        "remains": remains(registration),
        "typed": registration.label,
        "button": "Take down",
        "danger": True,
        "forbidden": "" if detail.can_take_down(registration) else "There is nothing to take down here.",
    }


def remains(registration: Registration) -> list[str]:
    """What no call removes."""
    number = registration.phone_number
    found = []
    if registration.campaign.status == CAMPAIGN_SUSPENDED:
        found.append(
            "The campaign is suspended: until Twilio's support lifts that, Twilio deletes neither it nor its service "
            "(21729), and its monthly fee goes on. The worker stops there and says so."
        )
    if registration.brand.sid:
        found.append(
            "The brand stays at Twilio: only a person can delete it, in the Console. A task for that appears here."
        )
    if number.sid or number.phone_number:
        name = number.phone_number or "The number"
        found.append(f"{name} stays in your account, and so does its monthly price, until you release it.")
    return [
        *found,
        "This registration stays here as “Removed”, with its history. Fees that were paid are not returned.",
    ]


def remove(request: HttpRequest, registration: Registration, actor: str) -> str:
    require(request, REMOVE)
    if not detail.can_take_down(registration):
        raise actions.Refused("There is nothing to take down here.")
    if request.POST.get("label", "").strip() != registration.label.strip():
        raise actions.Refused("The name does not match. Type it exactly as it is shown, then try again.")
    actions.remove(registration, actor=actor)
    return "The worker takes everything down now. This page shows each step."
