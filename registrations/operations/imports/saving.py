"""A checked row -> a registration, by the same actions as the page; one transaction or savepoint a row."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from django.db import IntegrityError, transaction

from registrations.models import ImportRow, Registration
from registrations.models.choices import ItemState
from registrations.operations import actions
from registrations.workflow.runner import runner
from registrations.workflow.steps.number import purchase_needed

from .validation import PREFLIGHT, Checker, Outcome, RowForm, external_id

Purchase = Literal["", "asked", "agreed"]
Result = Literal["created", "updated", "unchanged", "skipped", "error"]
# Another import may save the same external_id, or a person may edit the registration: check again, then update it.
ATTEMPTS = 3
_EXPECTED: dict[str, Result] = {
    Outcome.CREATE: "created",
    Outcome.CREATE_ANYWAY: "created",
    Outcome.UPDATE: "updated",
    Outcome.SAME: "unchanged",
    Outcome.DUPLICATE: "skipped",
}


@dataclass
class RowResult:
    """What happened to one row. `errors` and `warnings` are by column; "" stands for the row as a whole.

    A row that was saved but could not be submitted keeps its outcome and has the reason in `errors`.
    """

    row: int
    outcome: Result
    external_id: str = ""
    registration_id: int | None = None
    submitted: bool = False
    # Whether the number to buy for a submitted registration is "agreed" now or still "asked"; "" if there is none.
    purchase: Purchase = ""
    errors: dict[str, list[str]] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return bool(self.errors)

    @property
    def is_saved(self) -> bool:
        return self.outcome not in ("skipped", "error")


def expected(row: ImportRow, form: RowForm) -> RowResult:
    """What saving a checked row would do."""
    outcome = _EXPECTED.get(row.outcome, "error")
    return RowResult(
        row.number,
        outcome,
        external_id(row),
        registration_id=form.instance.pk if form.instance and outcome != "error" else None,
        errors=row.errors,
        warnings={column: texts for column, texts in row.warnings.items() if column != PREFLIGHT},
    )


class RowSaver:
    """Saves rows that `checker` has checked.

    hold_back: don't submit what the pre-flight expects to be rejected. buy_numbers: agree to the monthly price of
    the numbers to be bought for submitted registrations.
    """

    def __init__(
        self,
        checker: Checker,
        *,
        actor: str,
        submit: bool = False,
        hold_back: bool = True,
        buy_numbers: bool = False,
    ) -> None:
        self.checker, self.actor = checker, actor
        self.submit, self.hold_back, self.buy_numbers = submit, hold_back, buy_numbers

    def save(
        self, row: ImportRow, form: RowForm, on_result: Callable[[RowResult], None] = lambda result: None
    ) -> RowResult:
        """Save a row whose form is valid. `on_result` is called in the transaction that saves the registration.

        When someone else has changed the registration since the check, the row is checked again.
        """
        for attempt in range(1, ATTEMPTS + 1):
            result = expected(row, form)
            try:
                with transaction.atomic():
                    if result.is_saved:
                        self._save(form, result)
                    on_result(result)
                    return result
            except (IntegrityError, actions.Refused) as error:
                problem = "Saved by someone else in the meantime: import this row again."
                if isinstance(error, actions.Refused):
                    problem = str(error)
                if attempt < ATTEMPTS:
                    form = self.checker.check([row])[row.number]
        row.state, row.outcome, row.errors = ItemState.FAILED, Outcome.ERROR, {"": [problem]}
        result = RowResult(row.number, "error", external_id(row), errors=row.errors)
        on_result(result)
        return result

    def _save(self, form: RowForm, result: RowResult) -> None:
        if form.instance is None:
            registration = actions.create(form.parts(), actor=self.actor, **form.registration_fields())
            result.outcome = "created"
        else:
            registration = form.instance
            changed = actions.edit(
                registration, form.parts(), actor=self.actor, expected_revision=registration.revision
            )
            result.outcome = "updated" if changed else "unchanged"
        result.registration_id = registration.pk
        if self.submit:
            self._submit(registration.pk, result)
            self._confirm_purchase(registration.pk, result)

    def _submit(self, pk: int, result: RowResult) -> None:
        # Loaded again: saving may have written more than the instance shows.
        registration = Registration.objects.get(pk=pk)
        if registration.is_submitted:
            return
        try:
            with transaction.atomic():
                actions.submit(registration, actor=self.actor, despite=() if self.hold_back else None)
        except actions.Refused as refusal:
            result.errors = {"": [f"Saved, but not submitted: {refusal}"]}
        else:
            result.submitted = True

    def _confirm_purchase(self, pk: int, result: RowResult) -> None:
        """A number is never bought without a confirmation of its own; until then the registration waits."""
        registration = runner.load(pk)
        is_needed = purchase_needed(registration) and not registration.phone_number.purchase_confirmed_at
        if not (is_needed and registration.is_submitted):
            return
        if self.buy_numbers:
            actions.confirm_purchase(registration, actor=self.actor)
        result.purchase = "agreed" if self.buy_numbers else "asked"
