"""Each row through the form and the same verbs as the page; one transaction a row."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from django.db import IntegrityError, transaction

from registrations import verbs
from registrations.forms import RegistrationForm, data_of
from registrations.forms.text import one_line
from registrations.models import Registration

from .reading import Row, read_rows

logger = logging.getLogger("registrations.importing")
Outcome = Literal["created", "updated", "unchanged", "skipped", "error"]
# A row meets another import of the same external_id, or an edit on a page: look again, then it is an update.
ATTEMPTS = 3


@dataclass
class RowResult:
    """What became of one row. `errors` and `warnings` are by column; "" stands for the row as a whole.

    A row that was saved but could not be submitted keeps its outcome and carries the reason in `errors`.
    """

    row: int
    outcome: Outcome
    external_id: str = ""
    registration_id: int | None = None
    submitted: bool = False
    errors: dict[str, list[str]] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return bool(self.errors)


def import_file(
    file: BinaryIO, *, actor: str, dry_run: bool = False, submit: bool = False
) -> Iterator[RowResult]:
    """Import a CSV file (see `reading.read_rows`); yields a result as each row is done.

    A row with the external_id of a saved case updates it: its columns replace that case's inputs, an empty
    cell empties an input, a column the file lacks leaves it alone. Rows without external_id are created,
    unless a case with the same mobile, brand name and e-mail exists. `submit` submits every case of the
    file whose present inputs are not submitted yet. With `dry_run` nothing is written.
    Raises FileProblem before the first row when the file or its header is wrong.
    """
    return _results(read_rows(file), _Import(actor, dry_run, submit))


def _results(rows: Iterator[Row], run: "_Import") -> Iterator[RowResult]:
    outcomes: Counter[str] = Counter()
    for row in rows:
        result = run.take(row)
        outcomes[result.outcome] += 1
        yield result
    logger.info("import %s: %s", "(dry run)" if run.dry_run else "done", dict(outcomes))


class _TakenMeanwhile(Exception):
    """Another import created this external_id between our look and the form's."""


class _Import:
    """One pass over one file; remembers the file's own rows, to tell repetitions."""

    def __init__(self, actor: str, dry_run: bool, submit: bool) -> None:
        self.actor, self.dry_run, self.submit = actor, dry_run, submit
        self._ids: dict[str, tuple[int, int]] = {}
        self._people: dict[tuple[str, str, str], int] = {}

    def take(self, row: Row) -> RowResult:
        result = RowResult(row.number, "error", one_line(row.cells.get("external_id", "")))
        if row.problem:
            result.errors[""] = [row.problem]
            return result
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with transaction.atomic():
                    return self._take(row, result)
            except (IntegrityError, _TakenMeanwhile, verbs.Refused) as error:
                if attempt < ATTEMPTS:
                    continue
                refused = isinstance(error, verbs.Refused)
                said = str(error) if refused else "Saved by someone else meanwhile: import this row again."
                return RowResult(row.number, "error", result.external_id, errors={"": [said]})
        raise AssertionError("unreachable")

    def _take(self, row: Row, result: RowResult) -> RowResult:
        saved = _case(result.external_id)
        form = RegistrationForm((data_of(saved) if saved else {}) | row.cells, instance=saved)
        if not form.is_valid():
            if saved is None and form.has_error("external_id", "taken"):
                raise _TakenMeanwhile
            result.errors = {name: [str(m) for m in found] for name, found in form.errors.items()}
            return result
        result.warnings = dict(form.hints)
        if saved is None and not result.external_id and (same := self._same_person(form, row.number)):
            result.outcome, result.warnings = "skipped", {"": [same]}
            return result
        earlier = self._remember(form, row.number, result)
        if self.dry_run:
            return self._foretell(form, saved, earlier, result)
        if saved is None:
            saved = verbs.create(form.parts(), actor=self.actor, **form.registration_fields())
            result.outcome = "created"
        else:
            changed = verbs.edit(saved, form.parts(), actor=self.actor, expected_revision=saved.revision)
            result.outcome = "updated" if changed else "unchanged"
        result.registration_id = saved.pk
        if self.submit:
            self._submit(saved.pk, result)
        return result

    def _foretell(
        self, form: RegistrationForm, saved: Registration | None, earlier: bool | None, result: RowResult
    ) -> RowResult:
        if saved is not None:
            result.registration_id = saved.pk
        if earlier is not None:
            result.outcome = "updated" if earlier else "unchanged"
        elif saved is None:
            result.outcome = "created"
        else:
            result.outcome = "updated" if form.changed_inputs() else "unchanged"
        return result

    def _submit(self, pk: int, result: RowResult) -> None:
        # Fetched anew: the verb before may have written more than the object in hand shows.
        registration = Registration.objects.get(pk=pk)
        if registration.is_submitted:
            return
        try:
            with transaction.atomic():
                verbs.submit(registration, actor=self.actor)
        except verbs.Refused as refusal:
            result.errors[""] = [f"Saved, but not submitted: {refusal}"]
        else:
            result.submitted = True

    def _remember(self, form: RegistrationForm, number: int, result: RowResult) -> bool | None:
        """Whether an earlier row of this file with the same external_id differs; None when there is none."""
        if not result.external_id:
            return None
        content = hash(repr(form.parts()))
        before = self._ids.get(result.external_id)
        self._ids[result.external_id] = (number, content)
        if before is None or before[0] == number:
            return None
        result.warnings["external_id"] = [f"Row {before[0]} has the same ID; this row replaces it."]
        return before[1] != content

    def _same_person(self, form: RegistrationForm, number: int) -> str:
        parts = form.parts()
        bundle, email = parts["trust_bundle"], parts["profile"]["email"]
        key = (bundle["mobile_phone_number"], bundle["brand_name"], email)
        same = Registration.objects.filter(
            trust_bundle__mobile_phone_number=key[0], trust_bundle__brand_name=key[1], profile__email=key[2]
        )
        if found := same.values_list("pk", flat=True).first():
            where = f"registration {found}"
        elif self._people.setdefault(key, number) != number:
            where = f"row {self._people[key]}"
        else:
            return ""
        return f"Same mobile, brand name and e-mail as {where}: skipped. Give it an external_id to import it."


def _case(external_id: str) -> Registration | None:
    parts = ("profile", "trust_bundle", "brand", "campaign", "phone_number")
    cases = Registration.objects.select_related(*parts)
    return cases.filter(external_id=external_id).first() if external_id else None
