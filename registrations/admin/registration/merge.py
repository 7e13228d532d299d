"""Two people edit one registration: what each changed is kept, and where both changed the same, a person chooses.

The page carries what it showed when it was opened (`base_of`). On saving, each input is compared three ways:
one's own, the colleague's as saved meanwhile, and what it was. Different inputs are merged; the same input
with two new values is a conflict, and nothing is saved before somebody has chosen.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict

from registrations.intake.form import RegistrationForm, data_of
from registrations.models import Event, Registration

# What a timeline line says that changed what the form shows.
_TAGS = ("edited", "owner")
MINE, THEIRS = "mine", "theirs"


@dataclass(frozen=True)
class Conflict:
    """One input that both changed. mine, theirs, was: as people read them; before: `was` as the form has it.

    The last two are None when the page did not carry what it showed.
    """

    name: str
    label: str
    mine: str
    theirs: str
    was: str | None
    before: str | None


@dataclass(frozen=True)
class Merge:
    """data: for the form. kept: labels of inputs that only a colleague changed. who: their names.

    since: the newest timeline line that the first page knew; while one chooses, "meanwhile" begins there.
    """

    data: dict[str, Any]
    conflicts: list[Conflict]
    kept: list[str]
    who: str
    since: int = 0

    @property
    def note(self) -> str:
        """One sentence about what came from others; "" when nothing did."""
        if not self.kept:
            return ""
        return f"Meanwhile {self.who} changed {_list(self.kept)}; that is kept, too."


def base_of(registration: Registration, merged: Merge | None = None) -> str:
    """What the form shows of the saved registration, for a hidden input: JSON {"values": {name: text}, "event": id}."""
    values = _saved(registration, RegistrationForm(instance=registration))
    newest = merged.since if merged else registration.events.values_list("pk", flat=True).first()
    return json.dumps({"values": values, "event": newest or 0})


def merge(post: QueryDict, fresh: Registration) -> Merge:
    """What to save, from a sent form and the registration as it is now; the caller holds the registration's row."""
    form = RegistrationForm(instance=fresh)
    theirs = _saved(fresh, form)
    base, event = _base(post, fresh, theirs)
    data: dict[str, Any] = {**post.dict(), "revision": str(fresh.revision)}
    asked = set(post.getlist("conflict"))
    conflicts, kept = [], []
    for name, field in form.fields.items():
        if name == "revision":
            continue
        mine = _plain(field.widget.value_from_datadict(post, {}, name))
        now, was = theirs[name], base.get(name) if base is not None else None
        if post.get(f"merge-{name}") == THEIRS and name in asked and now == was:
            _put(data, field, name, now)
        elif mine == was and now != was:
            _put(data, field, name, now)
            kept.append(_label(form, name))
        elif mine != now and (now != was or _undecided(post, name, asked)):
            shown = post.get(f"was-{name}", was) if name in asked else was
            conflicts.append(
                Conflict(
                    name,
                    _label(form, name),
                    _readable(field, mine),
                    _readable(field, now),
                    _readable(field, shown) if shown is not None else None,
                    shown,
                )
            )
    return Merge(data, conflicts, kept, _who(fresh, event) if conflicts or kept else "", event)


def _saved(registration: Registration, form: RegistrationForm) -> dict[str, str]:
    """Every input as the form would show it, the empty ones too."""
    shown = data_of(registration)
    return {name: _plain(shown.get(name)) for name in form.fields if name != "revision"}


def _undecided(post: QueryDict, name: str, asked: set[str]) -> bool:
    return name in asked and post.get(f"merge-{name}") not in (MINE, THEIRS)


def _base(
    post: QueryDict, fresh: Registration, theirs: dict[str, str]
) -> tuple[Mapping[str, str] | None, int]:
    """What the page showed. Without it, an untouched revision means what is saved now; else it is not known."""
    try:
        found = json.loads(post.get("base", ""))
        values = {str(name): str(value) for name, value in found["values"].items()}
        return {**theirs, **values}, int(found["event"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return (theirs if post.get("revision") == str(fresh.revision) else None), 0


def _who(fresh: Registration, event: int) -> str:
    events = Event.objects.filter(registration=fresh, pk__gt=event, tag__in=_TAGS).order_by("pk")
    names = list(dict.fromkeys(events.values_list("actor", flat=True)[:20])) if event else []
    return _list(names) or "somebody"


def _put(data: dict[str, Any], field: forms.Field, name: str, value: str) -> None:
    data[name] = value
    if isinstance(field.widget, forms.CheckboxInput) and not value:
        # As a browser does: an empty box is not sent.
        del data[name]


def _plain(value: Any) -> str:
    """As text, whichever way it came: line ends of browsers, boxes, numbers."""
    if isinstance(value, bool):
        return "on" if value else ""
    return "" if value is None else str(value).replace("\r\n", "\n").strip()


def _readable(field: forms.Field, value: str) -> str:
    if isinstance(field.widget, forms.CheckboxInput):
        return "Yes" if value else "No"
    choices = {str(key): str(label) for key, label in getattr(field, "choices", None) or []}
    return choices.get(value, value)


def _label(form: RegistrationForm, name: str) -> str:
    return str(form[name].label)


def _list(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
