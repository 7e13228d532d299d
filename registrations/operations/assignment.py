"""Owners of registrations, and colleagues mentioned in notes."""

import re
from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from registrations.models import Event, Registration
from registrations.workflow import notices, timeline

# A name after @ that is not part of an email address or a word. Django allows these characters in user names.
_MENTION = re.compile(r"(?<![\w.@+-])@(\w[\w.@+-]*)")
MAY_SEE = "registrations.view_registration"


class Taken(Exception):
    """Somebody else was first; the message says who."""


# --- owners -----------------------------------------------------------------------------------------------------
def colleagues() -> list[Any]:
    """Everyone who can own a registration, by name."""
    return list(get_user_model()._default_manager.filter(is_active=True, is_staff=True).order_by("username"))


def claim(registration: Registration, *, user: Any) -> None:
    """Make `user` the owner of an unassigned registration; harmless if they own it already. Raises Taken."""
    _set_owner(registration, None, user, actor=user.get_username())


def unassign(registration: Registration, *, user: Any) -> None:
    """Remove `user` as the owner. Raises Taken if it has another owner now."""
    _set_owner(registration, user.pk, None, actor=user.get_username())


def assign(
    registration: Registration, *, to: Any, shown: int | None, actor: str, notify: bool = True
) -> None:
    """Assign the registration to a colleague, or to nobody (None).

    `shown`: id of the owner that the page showed; raises Taken if it is somebody else now. `notify=False`: the caller
    sends one notification for many registrations.
    """
    _set_owner(registration, shown, to, actor=actor, notify=notify)


def _set_owner(
    registration: Registration, shown: int | None, to: Any, *, actor: str, notify: bool = True
) -> None:
    with transaction.atomic():
        current = Registration.objects.select_for_update().get(pk=registration.pk)
        if current.owner_id == (to.pk if to else None):
            return
        if current.owner_id != shown:
            now = f"assigned to {current.owner.get_username()}" if current.owner else "unassigned"
            raise Taken(f"This registration is now {now}. Check it again before you change the owner.")
        Registration.objects.filter(pk=current.pk).update(owner=to)
        owner_changed(current, to, actor=actor, notify=notify)


def owner_changed(registration: Registration, to: Any, *, actor: str, notify: bool = True) -> None:
    """Write a new owner on the timeline and notify them. Call it after saving."""
    text = f"Owner: {to.get_username()}." if to else "Owner: nobody."
    event = timeline.record(registration, "owner", text, actor=actor)
    if notify and to is not None and to.get_username() != actor:
        notices.notify(
            to,
            notices.ASSIGNED,
            f"{notices.ASSIGNED}:{event.pk}",
            f"{actor} assigned {registration.label} to you.",
            registration=registration,
        )


# --- mentions ---------------------------------------------------------------------------------------------------
def mentioned(text: str) -> tuple[list[Any], list[str]]:
    """The colleagues that a text mentions with @, and the names that match nobody.

    A name is a user name, an email address, or the part before its @ if only one colleague has it. Case does not
    matter. A dot or dash at the end may belong to the sentence.
    """
    names = list(dict.fromkeys(_MENTION.findall(text)))
    if not names:
        return [], []
    known = _by_name(colleagues())
    found, unknown = {}, []
    for name in names:
        user = next((known[form] for form in _forms(name.casefold()) if form in known), None)
        if user is None:
            unknown.append(name.rstrip(".+-@"))
        else:
            found[user.pk] = user
    return list(found.values()), [name for name in unknown if name]


def _by_name(users: Iterable[Any]) -> dict[str, Any]:
    """User names win over email addresses, and these over their local parts."""
    users = list(users)
    local: dict[str, list[Any]] = {}
    for user in users:
        if user.email:
            local.setdefault(user.email.partition("@")[0].casefold(), []).append(user)
    known = {name: same[0] for name, same in local.items() if len(same) == 1}
    known |= {user.email.casefold(): user for user in users if user.email}
    return known | {user.get_username().casefold(): user for user in users}


def _forms(name: str) -> Iterable[str]:
    yield name
    while name and name[-1] in ".+-@":
        name = name[:-1]
        yield name


def is_notified(user: Any, actor: str) -> bool:
    """Whether a mentioned person is notified: not of their own notes, nor of what they may not see."""
    return user.get_username() != actor and user.has_perm(MAY_SEE)


def notify_mentioned(note: Event, *, actor: str) -> None:
    """Notify everyone a note mentions, except its author and people who may not see registrations."""
    for user in mentioned(note.text)[0]:
        if is_notified(user, actor):
            notices.notify(
                user,
                notices.MENTION,
                f"{notices.MENTION}:{note.pk}",
                f"{actor} mentioned you in a note on {note.registration.label}.",
                registration=note.registration,
            )
