"""Who does what in the team: owners, and colleagues who are named in a note."""

import re
from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from registrations.models import Event, Registration
from registrations.workflow import notices, timeline

# A name after @ that is no part of an email address or a word; Django allows these letters in user names.
_MENTION = re.compile(r"(?<![\w.@+-])@(\w[\w.@+-]*)")
MAY_SEE = "registrations.view_registration"


class Taken(Exception):
    """Somebody else got there first; the message says who."""


# --- owners -----------------------------------------------------------------------------------------------------
def colleagues() -> list[Any]:
    """Everybody who may own a registration, by name."""
    return list(get_user_model()._default_manager.filter(is_active=True, is_staff=True).order_by("username"))


def claim(registration: Registration, *, user: Any) -> None:
    """Become the owner of a registration that nobody owns; harmless when it is one's own. Raises Taken."""
    _hand_over(registration, None, user, actor=user.get_username())


def let_go(registration: Registration, *, user: Any) -> None:
    """Leave one's registration to whoever claims it next. Raises Taken when it has another owner by now."""
    _hand_over(registration, user.pk, None, actor=user.get_username())


def assign(registration: Registration, *, to: Any, shown: int | None, actor: str, told: bool = True) -> None:
    """Give the registration to a colleague, or to nobody (None), who is told unless the caller tells of many at once.

    `shown` is the id of the owner whom the page showed; raises Taken when it is somebody else by now.
    """
    _hand_over(registration, shown, to, actor=actor, told=told)


def _hand_over(
    registration: Registration, shown: int | None, to: Any, *, actor: str, told: bool = True
) -> None:
    with transaction.atomic():
        current = Registration.objects.select_for_update().get(pk=registration.pk)
        wanted = to.pk if to else None
        if current.owner_id == wanted:
            return
        if current.owner_id != shown:
            now = current.owner.get_username() if current.owner else "nobody"
            raise Taken(f"Meanwhile this registration belongs to {now}. Look again before you change that.")
        Registration.objects.filter(pk=current.pk).update(owner=to)
        owner_changed(current, to, actor=actor, told=told)


def owner_changed(registration: Registration, to: Any, *, actor: str, told: bool = True) -> None:
    """Write it on the timeline and tell the new owner; for whoever has just saved one."""
    text = f"Owner: {to.get_username()}." if to else "Owner: nobody."
    event = timeline.record(registration, "owner", text, actor=actor)
    if told and to is not None and to.get_username() != actor:
        notices.notify(
            to,
            notices.ASSIGNED,
            f"{notices.ASSIGNED}:{event.pk}",
            f"{actor} gave you {registration.label}.",
            registration=registration,
        )


# --- mentions ---------------------------------------------------------------------------------------------------
def mentioned(text: str) -> tuple[list[Any], list[str]]:
    """The colleagues whom a text names with @, and the names that fit nobody.

    A user name, an email address, or its part before the @ when only one colleague has it; in any case of
    letters. A dot or a dash at the end may belong to the sentence.
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
    """Exact names win over email addresses, and these over their local parts."""
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


def is_told(user: Any, actor: str) -> bool:
    """Whether a person who is mentioned hears of it: not of one's own note, nor of what one may not see."""
    return user.get_username() != actor and user.has_perm(MAY_SEE)


def tell_mentioned(note: Event, *, actor: str) -> None:
    """Tell everybody whom a note names, except its writer and who may not see registrations."""
    for user in mentioned(note.text)[0]:
        if is_told(user, actor):
            notices.notify(
                user,
                notices.MENTION,
                f"{notices.MENTION}:{note.pk}",
                f"{actor} mentioned you in a note on {note.registration.label}.",
                registration=note.registration,
            )
