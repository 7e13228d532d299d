"""Two people edit one registration: their changes are merged, and where both changed one input, a person chooses.

The page carries what it showed when it was opened (`base_of`). On saving, each input is compared three ways:
the user's value, the value saved in the meantime, and the value first shown. Changes to different inputs are merged.
Two new values for one input are a conflict, and nothing is saved until someone has chosen.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict

from registrations.intake.form import RegistrationForm, data_of
from registrations.models import Event, Registration

# Timeline events that change what the form shows.
_TAGS = ("edited", "owner")
MINE, THEIRS = "mine", "theirs"


@dataclass(frozen=True)
class Conflict:
    """One input that both people changed.

    mine, theirs, original: as people read them. original_value: `original` as the form posts it.
    The originals are None when the page did not send what it had shown.
    """

    name: str
    label: str
    mine: str
    theirs: str
    original: str | None
    original_value: str | None


@dataclass(frozen=True)
class Merge:
    """data: for the form. kept: labels of inputs that only colleagues changed. changed_by: the colleagues' names.

    base_event: the newest timeline event when the page was first opened; later ones are "in the meantime".
    """

    data: dict[str, Any]
    conflicts: list[Conflict]
    kept: list[str]
    changed_by: str
    base_event: int = 0

    @property
    def note(self) -> str:
        """One sentence about colleagues' changes that were kept; "" when there are none."""
        if not self.kept:
            return ""
        return f"In the meantime, {self.changed_by} changed {_list(self.kept)}. These changes are kept."


def base_of(registration: Registration, merged: Merge | None = None) -> str:
    """What the form shows, for a hidden input: JSON {"values": {name: text}, "event": id}."""
    values = _saved_values(registration, RegistrationForm(instance=registration))
    newest = merged.base_event if merged else registration.events.values_list("pk", flat=True).first()
    return json.dumps({"values": values, "event": newest or 0})


def merge_edits(post: QueryDict, current: Registration) -> Merge:
    """What to save, from the posted form and the registration as it is now. The caller has locked its row."""
    form = RegistrationForm(instance=current)
    saved = _saved_values(current, form)
    base, event = _base(post, current, saved)
    data: dict[str, Any] = {**post.dict(), "revision": str(current.revision)}
    asked = set(post.getlist("conflict"))
    conflicts, kept = [], []
    for name, field in form.fields.items():
        if name == "revision":
            continue
        mine = _plain(field.widget.value_from_datadict(post, {}, name))
        theirs, original = saved[name], base.get(name) if base is not None else None
        choice = post.get(f"merge-{name}")
        undecided = name in asked and choice not in (MINE, THEIRS)
        if choice == THEIRS and name in asked and theirs == original:
            _put(data, field, name, theirs)
        elif mine == original and theirs != original:
            _put(data, field, name, theirs)
            kept.append(str(form[name].label))
        elif mine != theirs and (theirs != original or undecided):
            shown = post.get(f"was-{name}", original) if name in asked else original
            conflicts.append(
                Conflict(
                    name,
                    str(form[name].label),
                    _readable(field, mine),
                    _readable(field, theirs),
                    _readable(field, shown) if shown is not None else None,
                    shown,
                )
            )
    return Merge(data, conflicts, kept, _changed_by(current, event) if conflicts or kept else "", event)


def _saved_values(registration: Registration, form: RegistrationForm) -> dict[str, str]:
    """Every input as the form would show it, empty ones included."""
    shown = data_of(registration)
    return {name: _plain(shown.get(name)) for name in form.fields if name != "revision"}


def _base(
    post: QueryDict, current: Registration, saved: dict[str, str]
) -> tuple[Mapping[str, str] | None, int]:
    """What the page showed, and its newest event. If the page did not send it: the saved values when the revision
    is still the same, else None."""
    try:
        found = json.loads(post.get("base", ""))
        values = {str(name): str(value) for name, value in found["values"].items()}
        return {**saved, **values}, int(found["event"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return (saved if post.get("revision") == str(current.revision) else None), 0


def _changed_by(current: Registration, event: int) -> str:
    events = Event.objects.filter(registration=current, pk__gt=event, tag__in=_TAGS).order_by("pk")
    names = list(dict.fromkeys(events.values_list("actor", flat=True)[:20])) if event else []
    return _list(names) or "someone"


def _put(data: dict[str, Any], field: forms.Field, name: str, value: str) -> None:
    data[name] = value
    if isinstance(field.widget, forms.CheckboxInput) and not value:
        # Browsers do not send an unchecked box.
        del data[name]


def _plain(value: Any) -> str:
    """As text for comparison: normalized line ends, checkboxes and numbers."""
    if isinstance(value, bool):
        return "on" if value else ""
    return "" if value is None else str(value).replace("\r\n", "\n").strip()


def _readable(field: forms.Field, value: str) -> str:
    if isinstance(field.widget, forms.CheckboxInput):
        return "Yes" if value else "No"
    choices = {str(key): str(label) for key, label in getattr(field, "choices", None) or []}
    return choices.get(value, value)


def _list(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
