"""Each row through the form and the same verbs as the page; one transaction a row."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from django.db import IntegrityError, transaction

from registrations.intake.form import RegistrationForm, data_of
from registrations.intake.form.text import one_line
from registrations.models import Registration
from registrations.operations import actions
from registrations.workflow.runner import runner
from registrations.workflow.steps.number import purchase_needed

from . import duplicates
from .duplicates import Identity, Seen
from .reader import read_rows
from .tables import Row

logger = logging.getLogger("registrations.operations.imports")
Purchase = Literal["", "asked", "agreed"]
Outcome = Literal["created", "updated", "unchanged", "skipped", "error"]
# A row meets another import of the same external_id, or an edit on a page: look again, then it is an update.
ATTEMPTS = 3
MAY_NOT_UPDATE = "A registration with this external_id exists, and you may not change registrations."


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
    # The number to be bought for a submitted registration: "agreed" now, or still "asked", or "" when there is none.
    purchase: Purchase = ""
    errors: dict[str, list[str]] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return bool(self.errors)


def import_file(
    file: BinaryIO,
    *,
    actor: str,
    dry_run: bool = False,
    submit: bool = False,
    hold_back: bool = False,
    buy_numbers: bool = False,
    skip_duplicates: bool = False,
    left_out: Callable[[Row, RowResult], None] = lambda row, result: None,
) -> Iterator[RowResult]:
    """Import a table (see `reading.read_rows`); yields a result as each row is done.

    A row with the external_id of a saved registration updates it: its columns replace that registration's inputs, an empty
    cell empties an input, a column the file lacks leaves it alone. Rows without external_id are created,
    unless a registration with the same mobile, brand name and email exists. `submit` submits every registration of the
    file whose present inputs are not submitted yet; `hold_back`: but not those that the pre-flight expects to be
    rejected. `buy_numbers` agrees to the monthly price of the numbers to be bought for submitted registrations of the file.
    New rows like a saved registration or an earlier row (mobile, email, name and address) are told; `skip_duplicates`
    leaves them out. `left_out` is called with each row that was not imported. With `dry_run` nothing is written.
    Raises FileProblem before the first row when the file or its header is wrong.
    """
    importer = Importer(
        actor,
        dry_run=dry_run,
        submit=submit,
        hold_back=hold_back,
        buy_numbers=buy_numbers,
        seen=Seen(),
        skip_duplicates=skip_duplicates,
    )
    return _results(read_rows(file), importer, left_out)


def _results(
    rows: Iterator[Row], run: "Importer", left_out: Callable[[Row, RowResult], None]
) -> Iterator[RowResult]:
    outcomes: Counter[str] = Counter()
    for row in rows:
        result = run.take(row)
        outcomes[result.outcome] += 1
        if result.outcome in ("error", "skipped"):
            left_out(row, result)
        yield result
    logger.info("import %s: %s", "(dry run)" if run.dry_run else "done", dict(outcomes))


class _TakenMeanwhile(Exception):
    """Another import created this external_id between our look and the form's."""


class Importer:
    """One pass over one table; remembers its own rows, to tell repetitions.

    skip_same_person: what has no external_id and looks like a saved registration is left out.
    may_update: whether the person may change saved registrations at all.
    seen: the rows so far; None when the caller has looked for duplicates. skip_duplicates: they are left out.
    """

    def __init__(
        self,
        actor: str,
        *,
        dry_run: bool = False,
        submit: bool = False,
        hold_back: bool = True,
        buy_numbers: bool = False,
        skip_same_person: bool = True,
        may_update: bool = True,
        seen: Seen | None = None,
        skip_duplicates: bool = False,
    ) -> None:
        self.actor, self.dry_run, self.submit, self.hold_back = actor, dry_run, submit, hold_back
        self.buy_numbers = buy_numbers
        self.skip_same_person, self.may_update = skip_same_person, may_update
        self.seen, self.skip_duplicates = seen, skip_duplicates
        self._ids: dict[str, tuple[int, int]] = {}
        self._people: dict[tuple[str, str, str], int] = {}

    def take(
        self,
        row: Row,
        *,
        form: RegistrationForm | None = None,
        settle: Callable[[RowResult], None] = lambda result: None,
    ) -> RowResult:
        """Import one row. `settle` is called with the outcome in the transaction that saves the registration.

        `form`: the row's, valid, checked a moment ago; when the registration has changed since, it is looked at anew.
        """
        result = RowResult(row.number, "error", one_line(row.cells.get("external_id", "")))
        if row.problem:
            result.errors[""] = [row.problem]
            return result
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with transaction.atomic():
                    taken = self._take(row, result, form if attempt == 1 else None)
                    settle(taken)
                    return taken
            except (IntegrityError, _TakenMeanwhile, actions.Refused) as error:
                if attempt < ATTEMPTS:
                    # What was noted of the try that was rolled back did not happen.
                    result = RowResult(row.number, "error", result.external_id)
                    continue
                refused = isinstance(error, actions.Refused)
                said = str(error) if refused else "Saved by someone else meanwhile: import this row again."
                result = RowResult(row.number, "error", result.external_id, errors={"": [said]})
                settle(result)
                return result
        raise AssertionError("unreachable")

    def _take(self, row: Row, result: RowResult, form: RegistrationForm | None) -> RowResult:
        saved = form.instance if form else _registration(result.external_id)
        if saved and not self.may_update:
            result.errors[""] = [MAY_NOT_UPDATE]
            return result
        form = form or RegistrationForm((data_of(saved) if saved else {}) | row.cells, instance=saved)
        if not form.is_valid():
            if saved is None and form.has_error("external_id", "taken"):
                raise _TakenMeanwhile
            result.errors = {name: [str(m) for m in found] for name, found in form.errors.items()}
            return result
        result.warnings = form.advice()
        by_person = self.skip_same_person and saved is None and not result.external_id
        if by_person and (same := self._same_person(form, row.number)):
            result.outcome, result.warnings = "skipped", {"": [same]}
            return result
        earlier = self._remember(form, row.number, result)
        if self.seen is not None:
            alike = self._alike(self.seen, form, row) if saved is None and earlier is None else {}
            if alike and self.skip_duplicates:
                result.outcome, result.warnings = "skipped", alike
                return result
            self.seen.add(row.number, row.cells)
            for column, texts in alike.items():
                result.warnings[column] = texts + result.warnings.get(column, [])
        if self.dry_run:
            return self._foretell(form, saved, earlier, result)
        if saved is None:
            saved = actions.create(form.parts(), actor=self.actor, **form.registration_fields())
            result.outcome = "created"
        else:
            changed = actions.edit(saved, form.parts(), actor=self.actor, expected_revision=saved.revision)
            result.outcome = "updated" if changed else "unchanged"
        result.registration_id = saved.pk
        if self.submit:
            self._submit(saved.pk, result)
            self._purchase(saved.pk, result)
        return result

    def _alike(self, seen: Seen, form: RegistrationForm, row: Row) -> dict[str, list[str]]:
        """By column, which saved registrations and earlier rows this row is like."""
        found = duplicates.in_registrations({row.number: Identity.of(form.parts())})[row.number]
        inside = {kind: number for kind, number in seen.like(row.cells).items() if number != row.number}
        return duplicates.texts(found, inside)

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
                actions.submit(registration, actor=self.actor, despite=() if self.hold_back else None)
        except actions.Refused as refusal:
            result.errors[""] = [f"Saved, but not submitted: {refusal}"]
        else:
            result.submitted = True

    def _purchase(self, pk: int, result: RowResult) -> None:
        """Without its own yes a number is never bought, and the registration waits at that step."""
        registration = runner.load(pk)
        wanted = purchase_needed(registration) and not registration.phone_number.purchase_confirmed_at
        if not (wanted and registration.is_submitted):
            return
        if self.buy_numbers:
            actions.confirm_purchase(registration, actor=self.actor)
        result.purchase = "agreed" if self.buy_numbers else "asked"

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
        return f"Same mobile, brand name and email as {where}: skipped. Give it an external_id to import it."


def _registration(external_id: str) -> Registration | None:
    parts = Registration.PARTS
    registrations = Registration.objects.select_related(*parts)
    return registrations.filter(external_id=external_id).first() if external_id else None
