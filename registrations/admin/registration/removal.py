"""Removing a registration from Twilio: what is deleted, what stays, and the name typed to confirm it."""

from typing import Any

from django.http import HttpRequest

from registrations.models import Registration
from registrations.operations import actions
from registrations.twilio.statuses import CAMPAIGN_SUSPENDED
from registrations.workflow.planner import decisions

from .base import REMOVE, load, require
from .detail import can_remove

NOTHING_TO_REMOVE = "There is nothing to remove from Twilio."


def confirm(request: HttpRequest, registration: Registration) -> dict[str, Any]:
    """The confirm page's values. Raises PermissionDenied."""
    require(request, REMOVE)
    trial = load(registration.pk)
    trial.removing = True  # in memory only: for the plan that this would make
    return {
        "title": "Remove from Twilio",
        "lead": f"Deletes everything that was created at Twilio for {registration.label}. Messages stop. "
        "This cannot be undone.",
        "calls": decisions.plan(trial).calls,
        "blockers": [],
        "fee": 0,
        "remains": remains(registration),
        "typed": registration.label,
        "button": "Remove from Twilio",
        "danger": True,
        "forbidden": "" if can_remove(registration) else NOTHING_TO_REMOVE,
    }


def remains(registration: Registration) -> list[str]:
    """What no call removes."""
    number = registration.phone_number
    found = []
    if registration.campaign.status == CAMPAIGN_SUSPENDED:
        found.append(
            "The campaign is suspended: until Twilio Support lifts the suspension, neither it nor its service can be "
            "deleted (21729), and its monthly fee continues. Removal stops there and tells you."
        )
    if registration.brand.sid:
        found.append(
            "The brand stays at Twilio: it can only be deleted by hand, in the Console. A task for that appears here."
        )
    if number.sid or number.phone_number:
        name = number.phone_number or "The number"
        found.append(f"{name} stays in your account at its monthly price until you release it.")
    return [
        *found,
        "This registration stays here as “Removed”, with its history. Fees are not refunded.",
    ]


def remove(request: HttpRequest, registration: Registration, actor: str) -> str:
    require(request, REMOVE)
    if not can_remove(registration):
        raise actions.Refused(NOTHING_TO_REMOVE)
    if request.POST.get("label", "").strip() != registration.label.strip():
        raise actions.Refused("The name does not match. Type it exactly as shown, then try again.")
    actions.remove(registration, actor=actor)
    return "Removing from Twilio… This page shows each step."
