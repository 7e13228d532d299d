"""Whose registration it is: claim it, let it go, give it to a colleague; and the words after a note that names one."""

from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpRequest

from registrations.models import Registration
from registrations.operations import actions, assignment


def context(request: HttpRequest, registration: Registration) -> dict[str, Any]:
    """What templates/registrations/assignment/_owner.html shows."""
    return {
        "colleagues": assignment.colleagues(),
        "is_mine": registration.owner_id == request.user.pk,
    }


def claim(request: HttpRequest, registration: Registration, actor: str) -> str:
    _try(assignment.claim, registration, user=request.user)
    return "This registration is yours now."


def let_go(request: HttpRequest, registration: Registration, actor: str) -> str:
    _try(assignment.unassign, registration, user=request.user)
    return "Nobody owns this registration now."


def assign(request: HttpRequest, registration: Registration, actor: str) -> str:
    """`owner`: the id of the new owner, "" for nobody; `shown`: that of the owner whom the page showed."""
    chosen = request.POST.get("owner", "")
    to = _person(chosen)
    if chosen and to is None:
        raise actions.Refused("This person cannot own registrations. Look at the page again.")
    shown = request.POST.get("shown", "")
    _try(
        assignment.assign,
        registration,
        to=to,
        shown=int(shown[:18]) if shown.isdecimal() else None,
        actor=actor,
    )
    return f"The owner is {to.get_username()} now." if to else "Nobody owns this registration now."


def after_note(text: str, actor: str) -> str:
    """Who was told of a note, and which names fit nobody."""
    found, unknown = assignment.mentioned(text)
    told = [user.get_username() for user in found if assignment.is_notified(user, actor)]
    said = ["Note added."]
    if told:
        said.append(f"Told: {', '.join(told)}.")
    if unknown:
        said.append(f"Nobody here is called {', '.join('@' + name for name in unknown)}.")
    return " ".join(said)


def _person(pk: str) -> Any:
    if not pk.isdecimal():
        return None
    users = get_user_model()._default_manager.filter(is_active=True, is_staff=True)
    return users.filter(pk=int(pk[:18])).first()


def _try(act: Any, *args: Any, **kwargs: Any) -> None:
    try:
        act(*args, **kwargs)
    except assignment.Taken as taken:
        raise actions.Refused(str(taken)) from None
