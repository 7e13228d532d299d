"""The dry run of rows: what importing each would do, or why it cannot be done. Many rows cost few queries."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import TextChoices

from registrations.intake import preflight
from registrations.intake.form import RegistrationForm, data_of
from registrations.intake.form.text import one_line
from registrations.models import Import, ImportRow, Registration
from registrations.models.choices import ItemState
from registrations.workflow.recorder import registry_limits
from registrations.workflow.recorder.registry_limits import Use

from . import duplicates
from .duplicates import Identity, Seen
from .rows import MAY_NOT_UPDATE

CHANGE = "registrations.change_registration"
# Among a row's warnings: what the pre-flight finds that Submit would not pay for.
PREFLIGHT = "preflight"
SAVED_MEANWHILE = (
    "Somebody saved this registration after the check, so it was left alone. Take this row back as a file and upload it "
    "again: you will see what it would change."
)


class Outcome(TextChoices):
    """What importing a row would do (the first five), why it stays out, then what it did."""

    CREATE = "create", "New"
    ANYWAY = "anyway", "New, although alike"  # a person has looked at what it is like
    UPDATE = "update", "Update"
    DUPLICATE = "duplicate", "Duplicate"
    SAME = "same", "No change"
    ASIDE = "aside", "Left out"  # by a person
    ERROR = "error", "To mend"
    CREATED = "created", "Created"
    UPDATED = "updated", "Updated"
    UNCHANGED = "unchanged", "Unchanged"


class RowForm(RegistrationForm):
    """The form of one row among many: what it would ask the database is looked up for all rows at once."""

    def __init__(self, cells: Mapping[str, str], saved: Registration | None) -> None:
        self.counted: tuple[str, ...] = registry_limits.NO_VALUES
        super().__init__((data_of(saved) if saved else {}) | dict(cells), instance=saved)

    def offer_owners(self) -> None:
        """A table names no owners."""

    def clean_owner(self) -> Any:
        return self.instance.owner if self.instance else None

    def find_uses(self, *, mobile: str, email: str, address: str) -> list[Use]:
        self.counted = (mobile, email.casefold(), address)
        return []

    def clean_external_id(self) -> str | None:
        # Whose it is was looked up before: that registration is the instance.
        return self.cleaned_data["external_id"] or None


class _Shared(dict[str, forms.Field]):
    """Fields that every row uses as they are. A form copies its fields, which takes longer than to check them."""

    def __deepcopy__(self, memo: Any) -> "_Shared":
        return self


# Django collects the fields that a class declares; the form's come from the models.
RowForm.base_fields = _Shared(
    copy.deepcopy(RegistrationForm.base_fields) | {"owner": forms.Field(required=False)}
)


class Checker:
    """Judges rows of one upload; rows judged good count as seen for those that follow.

    `seen` None: likeness within the table does not matter any more.
    """

    def __init__(self, upload: Import, seen: Seen | None) -> None:
        self.seen = seen
        self.submit = upload.submit
        self.may_update = upload.user is not None and upload.user.has_perm(CHANGE)

    def check(self, rows: Sequence[ImportRow]) -> dict[int, RowForm]:
        """Set state, outcome, errors, warnings and registration of each row; nothing is saved.

        Returns the forms by row number; those of rows that WILL be imported are valid.
        """
        registrations = _registrations(rows)
        forms = {row.number: RowForm(row.cells, registrations.get(external_id(row))) for row in rows}
        for form in forms.values():
            form.full_clean()
        asked = {number: (form.counted, form.instance) for number, form in forms.items()}
        for number, uses in registry_limits.uses_of_values(asked).items():
            forms[number].judge_uses(uses)
        new = {
            number: Identity.of(form.parts())
            for number, form in forms.items()
            if form.is_valid() and form.instance is None
        }
        alike = duplicates.in_registrations(new) if new else {}
        for row in rows:
            self._judge(row, forms[row.number], alike.get(row.number, []))
        return forms

    def _judge(self, row: ImportRow, form: RowForm, alike: list[duplicates.Match]) -> None:
        anyway = row.outcome == Outcome.ANYWAY
        saved_meanwhile = self.seen is None and _saved_meanwhile(row, form.instance)
        row.registration_id = form.instance.pk if form.instance else None
        row.errors = {name: [str(text) for text in found] for name, found in form.errors.items()}
        row.warnings = form.advice()
        if serious := preflight.errors(form.findings):
            row.warnings[PREFLIGHT] = [self._serious(serious)]
        if form.instance and not self.may_update:
            row.errors.setdefault("", []).append(MAY_NOT_UPDATE)
        if saved_meanwhile:
            row.errors.setdefault("", []).append(SAVED_MEANWHILE)
        row.changes, row.revision = [], None
        if row.errors:
            row.state, row.outcome = ItemState.FAILED, Outcome.ERROR
            return
        row.state, row.outcome = self._will(row, form, anyway)
        repeated = self.seen.row_with_id(external_id(row)) if self.seen else None
        if repeated is not None:
            row.warnings.setdefault("external_id", []).append(
                f"Row {repeated} has the same ID; this row replaces it."
            )
            row.state, row.outcome = ItemState.WILL, Outcome.UPDATE
        elif form.instance is not None:
            row.changes, row.revision = form.changed_inputs(), form.instance.revision
        else:
            inside = self.seen.like(row.cells) if self.seen else {}
            for column, texts in duplicates.texts(alike, inside).items():
                row.warnings[column] = texts + row.warnings.get(column, [])
            if (alike or inside) and not anyway:
                row.state, row.outcome = ItemState.SKIPPED, Outcome.DUPLICATE
                row.registration_id = alike[0].registration_id if alike else None
        if row.state == ItemState.WILL and self.seen:
            self.seen.add(row.number, row.cells)

    def _serious(self, found: list[preflight.Finding]) -> str:
        saved = "It is saved as a draft and not submitted." if self.submit else "Mend that before Submit."
        return f"The pre-flight found {preflight.summary(found)}: Twilio would refuse this. {saved}"

    def _will(self, row: ImportRow, form: RowForm, anyway: bool) -> tuple[ItemState, Outcome]:
        if form.instance is None:
            return ItemState.WILL, Outcome.ANYWAY if anyway else Outcome.CREATE
        if form.changed_inputs() or (self.submit and not form.instance.is_submitted):
            return ItemState.WILL, Outcome.UPDATE
        return ItemState.SKIPPED, Outcome.SAME


def duplicates_made_meanwhile(rows: Sequence[ImportRow], forms: Mapping[int, RowForm]) -> list[ImportRow]:
    """The new rows that are like a registration by now; set to stay out, nothing is saved. The forms are valid."""
    new = {
        row.number: Identity.of(forms[row.number].parts()) for row in rows if row.outcome == Outcome.CREATE
    }
    alike = duplicates.in_registrations(new) if new else {}
    late = [row for row in rows if alike.get(row.number)]
    for row in late:
        found = alike[row.number]
        row.state, row.outcome = ItemState.SKIPPED, Outcome.DUPLICATE
        row.registration_id = found[0].registration_id
        row.warnings = {**row.warnings, **duplicates.texts(found, {})}
    return late


def _saved_meanwhile(row: ImportRow, registration: Registration | None) -> bool:
    """Whether the registration is another than the one that the check, and the person who confirmed, saw."""
    if registration is None:
        return False
    made = row.outcome in (Outcome.CREATE, Outcome.ANYWAY)
    return made or row.revision not in (None, registration.revision)


def external_id(row: ImportRow) -> str:
    return one_line(row.cells.get("external_id", ""))


def _registrations(rows: Sequence[ImportRow]) -> dict[str, Registration]:
    ids = {external_id(row) for row in rows} - {""}
    if not ids:
        return {}
    found: Any = Registration.objects.select_related(*Registration.PARTS, "owner").filter(external_id__in=ids)
    return {registration.external_id: registration for registration in found}
