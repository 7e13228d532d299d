"""The owner of a registration: claim, unassign, assign; and the confirmation after a note that mentions colleagues."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpRequest

from registrations.models import Registration
from registrations.operations import actions, assignment


def context(request: HttpRequest, registration: Registration) -> dict[str, Any]:
    """For templates/registrations/assignment/_owner.html."""
    return {
        "colleagues": assignment.colleagues(),
        "is_mine": registration.owner_id == request.user.pk,
    }


def claim(request: HttpRequest, registration: Registration, actor: str) -> str:
    _refusing(assignment.claim, registration, user=request.user)
    return "You own this registration now."


def unassign(request: HttpRequest, registration: Registration, actor: str) -> str:
    _refusing(assignment.unassign, registration, user=request.user)
    return "This registration has no owner now."


def assign(request: HttpRequest, registration: Registration, actor: str) -> str:
    """POST: `owner` is the new owner's id ("" for nobody); `shown` is the id of the owner the page showed."""
    chosen = request.POST.get("owner", "")
    to = _person(chosen)
    if chosen and to is None:
        raise actions.Refused("This person cannot own registrations. Reload the page and choose again.")
    shown = request.POST.get("shown", "")
    _refusing(
        assignment.assign,
        registration,
        to=to,
        shown=int(shown[:18]) if shown.isdecimal() else None,
        actor=actor,
    )
    return f"The owner is {to.get_username()} now." if to else "This registration has no owner now."


def note_message(text: str, actor: str) -> str:
    """Who was notified of a note, and which @names match nobody."""
    found, unknown = assignment.mentioned(text)
    notified = [user.get_username() for user in found if assignment.is_notified(user, actor)]
    sentences = ["Note added."]
    if notified:
        sentences.append(f"Notified: {', '.join(notified)}.")
    if unknown:
        sentences.append(f"No user is named {', '.join('@' + name for name in unknown)}.")
    return " ".join(sentences)


def _person(pk: str) -> Any:
    if not pk.isdecimal():
        return None
    users = get_user_model()._default_manager.filter(is_active=True, is_staff=True)
    return users.filter(pk=int(pk[:18])).first()


def _refusing(change_owner: Callable[..., None], *args: Any, **kwargs: Any) -> None:
    """Call it; a change by someone else in the meantime becomes Refused."""
    try:
        change_owner(*args, **kwargs)
    except assignment.Taken as taken:
        raise actions.Refused(str(taken)) from None
