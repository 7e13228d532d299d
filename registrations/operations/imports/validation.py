"""The check of rows: what importing each would do, or why it can't be imported. Many rows take few queries."""

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
from .duplicates import Identity, SeenRows

CHANGE = "registrations.change_registration"
MAY_NOT_UPDATE = (
    "A registration with this external_id exists, and you don't have permission to change registrations."
)
# The key in a row's warnings for pre-flight findings that keep Submit from sending it.
PREFLIGHT = "preflight"
SAVED_MEANWHILE = (
    "Someone saved this registration after the check, so it was not changed. Download this row and upload it again "
    "to see what it would change."
)


class Outcome(TextChoices):
    """What importing a row would do, why it is not imported, or what importing it did."""

    CREATE = "create", "New"
    CREATE_ANYWAY = "anyway", "New (possible duplicate)"  # confirmed by a person
    UPDATE = "update", "Update"
    DUPLICATE = "duplicate", "Duplicate"
    SAME = "same", "No change"
    EXCLUDED = "excluded", "Excluded"  # by a person
    ERROR = "error", "Needs fixing"
    CREATED = "created", "Created"
    UPDATED = "updated", "Updated"
    UNCHANGED = "unchanged", "Unchanged"


class RowForm(RegistrationForm):
    """The form of one row of many: the Checker looks up what it needs from the database for all rows at once."""

    def __init__(self, cells: Mapping[str, str], saved: Registration | None) -> None:
        self.limited_values: tuple[str, ...] = registry_limits.NO_VALUES
        super().__init__((data_of(saved) if saved else {}) | dict(cells), instance=saved)

    def offer_owners(self) -> None:
        """A table has no owners."""

    def clean_owner(self) -> Any:
        return self.instance.owner if self.instance else None

    def find_uses(self, *, mobile: str, email: str, address: str) -> list[Use]:
        self.limited_values = (mobile, email.casefold(), address)
        return []

    def clean_external_id(self) -> str | None:
        # The instance is the registration with this ID.
        return self.cleaned_data["external_id"] or None


class _SharedFields(dict[str, forms.Field]):
    """Not copied for each form: copying takes longer than checking a row."""

    def __deepcopy__(self, memo: Any) -> "_SharedFields":
        return self


# Django collects declared fields only; RegistrationForm's are made from the models.
RowForm.base_fields = _SharedFields(
    copy.deepcopy(RegistrationForm.base_fields) | {"owner": forms.Field(required=False)}
)


class Checker:
    """Checks the rows of one table. Rows that will be imported count as seen for the rows after them.

    submit: registrations are submitted too, so that an unchanged one may still have something to do.
    seen: None when the rows were checked before and a person has confirmed; then changes since are errors.
    skip_duplicates: else they only get a warning. skip_same_person: see `duplicates.same_person`.
    """

    def __init__(
        self,
        *,
        submit: bool,
        seen: SeenRows | None,
        may_update: bool = True,
        skip_duplicates: bool = True,
        skip_same_person: bool = False,
    ) -> None:
        self.submit, self.seen, self.may_update = submit, seen, may_update
        self.skip_duplicates, self.skip_same_person = skip_duplicates, skip_same_person
        self._people: dict[tuple[str, str, str], int] = {}

    @classmethod
    def for_upload(cls, upload: Import, seen: SeenRows | None) -> "Checker":
        """What the user who uploaded, or confirmed, is allowed to do."""
        may_update = upload.user is not None and upload.user.has_perm(CHANGE)
        return cls(submit=upload.submit, seen=seen, may_update=may_update)

    def check(self, rows: Sequence[ImportRow]) -> dict[int, RowForm]:
        """Set state, outcome, errors, warnings, and registration of each row; nothing is saved.

        Returns the forms by row number; those of rows without errors are valid.
        """
        registrations = _registrations(rows)
        forms = {row.number: RowForm(row.cells, registrations.get(external_id(row))) for row in rows}
        for form in forms.values():
            form.full_clean()
        values = {number: (form.limited_values, form.instance) for number, form in forms.items()}
        for number, uses in registry_limits.uses_of_values(values).items():
            forms[number].judge_uses(uses)
        matches = _matches(
            {n: form for n, form in forms.items() if form.is_valid() and form.instance is None}
        )
        for row in rows:
            self._check_row(row, forms[row.number], matches.get(row.number, []))
        return forms

    def _check_row(self, row: ImportRow, form: RowForm, matches: list[duplicates.Match]) -> None:
        before = row.outcome, row.changes, row.revision
        anyway = row.outcome == Outcome.CREATE_ANYWAY
        saved_meanwhile = self.seen is None and _saved_meanwhile(row, form.instance)
        row.registration_id = form.instance.pk if form.instance else None
        row.errors = {name: [str(text) for text in found] for name, found in form.errors.items()}
        row.warnings = form.advice()
        if serious := preflight.errors(form.findings):
            row.warnings[PREFLIGHT] = [self._preflight_text(serious)]
        if form.instance and not self.may_update:
            row.errors.setdefault("", []).append(MAY_NOT_UPDATE)
        if saved_meanwhile:
            row.errors.setdefault("", []).append(SAVED_MEANWHILE)
        row.changes, row.revision = [], None
        if row.errors:
            row.state, row.outcome = ItemState.FAILED, Outcome.ERROR
            return
        if form.instance is None and (repeated := self._same_person(row, form)):
            row.state, row.outcome, row.warnings = ItemState.SKIPPED, Outcome.DUPLICATE, {"": [repeated]}
            return
        row.state, row.outcome = self._planned(form, anyway)
        same_id = self.seen.row_with_id(external_id(row), row.number) if self.seen else None
        if same_id is not None:
            row.warnings.setdefault("external_id", []).append(duplicates.replaces(same_id))
            row.state, row.outcome = ItemState.WILL, Outcome.UPDATE
        elif form.instance is not None:
            row.changes, row.revision = form.changed_inputs(), form.instance.revision
        else:
            in_file = self.seen.like(row.cells, row.number) if self.seen else {}
            found = duplicates.texts(matches, in_file)
            row.warnings = {
                name: [*found.get(name, []), *row.warnings.get(name, [])] for name in [*found, *row.warnings]
            }
            if found and self.skip_duplicates and not anyway:
                row.state, row.outcome = ItemState.SKIPPED, Outcome.DUPLICATE
                row.registration_id = matches[0].registration_id if matches else None
        if row.state != ItemState.WILL:
            return
        if self.seen:
            self.seen.add(row.number, row.cells)
        else:
            # What the person confirmed stays the measure, however often the row is checked again.
            row.outcome, row.changes, row.revision = before

    def _same_person(self, row: ImportRow, form: RowForm) -> str:
        """Why a row without external_id is a repetition, or nothing."""
        if not self.skip_same_person or external_id(row):
            return ""
        person = duplicates.same_person(form)
        if pk := duplicates.find_same_person(person):
            where = f"registration {pk}"
        elif (number := self._people.setdefault(person, row.number)) != row.number:
            where = f"row {number}"
        else:
            return ""
        return f"Same mobile, brand name, and email as {where}: skipped. Give it an external_id to import it."

    def _preflight_text(self, found: list[preflight.Finding]) -> str:
        saved = (
            "It is saved as a draft and not submitted." if self.submit else "Fix this before you submit it."
        )
        return f"The pre-flight found {preflight.summary(found)}: Twilio would reject this. {saved}"

    def _planned(self, form: RowForm, anyway: bool) -> tuple[ItemState, Outcome]:
        if form.instance is None:
            return ItemState.WILL, Outcome.CREATE_ANYWAY if anyway else Outcome.CREATE
        if form.changed_inputs() or (self.submit and not form.instance.is_submitted):
            return ItemState.WILL, Outcome.UPDATE
        return ItemState.SKIPPED, Outcome.SAME


def skip_new_duplicates(rows: Sequence[ImportRow], forms: Mapping[int, RowForm]) -> list[ImportRow]:
    """The new rows that have become duplicates of a registration since the check; nothing is saved.

    The forms are valid.
    """
    new = [row for row in rows if row.outcome != Outcome.CREATE_ANYWAY and forms[row.number].instance is None]
    matches = _matches({row.number: forms[row.number] for row in new})
    late = [row for row in rows if matches.get(row.number)]
    for row in late:
        found = matches[row.number]
        row.state, row.outcome = ItemState.SKIPPED, Outcome.DUPLICATE
        row.registration_id = found[0].registration_id
        row.warnings = {**row.warnings, **duplicates.texts(found, {})}
    return late


def _matches(new: Mapping[int, RowForm]) -> dict[int, list[duplicates.Match]]:
    """The saved registrations like these new rows; their forms are valid."""
    rows = {number: Identity.of(form.parts()) for number, form in new.items()}
    return duplicates.find_matches(rows) if rows else {}


def _saved_meanwhile(row: ImportRow, registration: Registration | None) -> bool:
    """Whether the registration has changed, or was created, since the check that the person confirmed."""
    if registration is None:
        return False
    created = row.outcome in (Outcome.CREATE, Outcome.CREATE_ANYWAY)
    return created or row.revision not in (None, registration.revision)


def external_id(row: ImportRow) -> str:
    return one_line(row.cells.get("external_id", ""))


def _registrations(rows: Sequence[ImportRow]) -> dict[str, Registration]:
    ids = {external_id(row) for row in rows} - {""}
    if not ids:
        return {}
    found: Any = Registration.objects.select_related(*Registration.PARTS, "owner").filter(external_id__in=ids)
    return {registration.external_id: registration for registration in found}
