"""The data of an import's page: its live head, and its rows with the problems at their cells."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.safestring import SafeString

from registrations.admin.changelist import display
from registrations.admin.changelist.base import detail_url
from registrations.admin.changelist.live_regions import poll_seconds
from registrations.admin.registration.form import first_price, monthly_note
from registrations.core import clock
from registrations.intake.form import CSV_COLUMNS, RegistrationForm
from registrations.models import Import, ImportRow
from registrations.models.choices import ItemState, JobState
from registrations.operations.imports import importer
from registrations.operations.imports.importer import Counts
from registrations.operations.imports.validation import PREFLIGHT, Outcome
from registrations.workflow.prices import price as price_of

PER_PAGE = 50
ADD = "registrations.add_registration"
# For submitting many at once, which costs money for each.
SUBMIT = ("registrations.change_registration", "registrations.bulk_registration")
NOTES = "notes"
REGIONS = {"status": "imports/_status", "head": "imports/_head"}
SEVERITIES = {
    Outcome.ERROR: "bad",
    Outcome.DUPLICATE: "attention",
    Outcome.CREATE: "next",
    Outcome.CREATE_ANYWAY: "next",
    Outcome.UPDATE: "next",
    Outcome.SAME: "idle",
    Outcome.EXCLUDED: "idle",
    Outcome.CREATED: "good",
    Outcome.UPDATED: "good",
    Outcome.UNCHANGED: "good",
}
# The lists of the page, most urgent first: (key, label, outcomes).
LISTS: tuple[tuple[str, str, tuple[Outcome, ...]], ...] = (
    ("error", "Needs fixing", (Outcome.ERROR,)),
    ("duplicate", "Duplicates", (Outcome.DUPLICATE,)),
    ("create", "New", (Outcome.CREATE, Outcome.CREATE_ANYWAY)),
    ("update", "Updates", (Outcome.UPDATE,)),
    ("created", "Created", (Outcome.CREATED,)),
    ("updated", "Updated", (Outcome.UPDATED, Outcome.UNCHANGED)),
    ("same", "No change", (Outcome.SAME,)),
    ("aside", "Left out", (Outcome.EXCLUDED,)),
)


@dataclass(frozen=True)
class Cell:
    """One cell of a row, with its errors and warnings."""

    name: str
    label: str
    value: str
    is_long: bool
    errors: list[str]
    warnings: list[str]


class RowView:
    """A row as the page shows it; the state of `upload` decides what can be done with it."""

    def __init__(self, row: ImportRow, upload: Import) -> None:
        self.row = row
        self._ready = upload.state == JobState.READY
        cells = row.cells
        name = " ".join(filter(None, (cells.get("first_name", ""), cells.get("last_name", ""))))
        label = row.registration.label if row.registration else f"Row {row.number}"
        self.title = cells.get("brand_name") or name or label
        self.subtitle = " · ".join(filter(None, (name if name != self.title else "", cells.get("email", ""))))
        self.url = detail_url(row.registration.pk) if row.registration else ""

    @property
    def chip(self) -> SafeString:
        if not self.row.outcome:
            return SafeString("")
        return display.chip(Outcome(self.row.outcome).label, SEVERITIES[Outcome(self.row.outcome)])

    @cached_property
    def cells(self) -> list["Cell"]:
        """Every column, in the order of the table."""
        fields = RegistrationForm.base_fields
        return [
            Cell(
                name=name,
                label=_label(name),
                value=self.row.cells.get(name, ""),
                is_long=isinstance(fields[name].widget, forms.Textarea),
                errors=self.row.errors.get(name, []),
                warnings=self.row.warnings.get(name, []),
            )
            for name in CSV_COLUMNS
        ]

    @property
    def cells_with_errors(self) -> list["Cell"]:
        return [cell for cell in self.cells if cell.errors]

    @property
    def cells_with_warnings(self) -> list["Cell"]:
        """Those without errors; a cell's warnings are also shown with its errors."""
        return [cell for cell in self.cells if cell.warnings and not cell.errors]

    @property
    def errors(self) -> list[str]:
        """About the row as a whole."""
        return list(self.row.errors.get("", []))

    @property
    def warnings(self) -> list[str]:
        return [*self.row.warnings.get("", []), *self.row.warnings.get(PREFLIGHT, [])]

    @property
    def changes(self) -> list[str]:
        """Labels of the inputs that an update would change."""
        return [_label(name) for name in self.row.changes] if self.row.outcome == Outcome.UPDATE else []

    @property
    def only_submits(self) -> bool:
        """An update that changes nothing, of a registration that has not been submitted."""
        return self.row.outcome == Outcome.UPDATE and self.row.revision is not None and not self.row.changes

    @property
    def can_fix(self) -> bool:
        return self._ready and bool(self.row.cells)

    @property
    def can_leave_out(self) -> bool:
        return self._ready and self.row.outcome not in (Outcome.EXCLUDED, Outcome.DUPLICATE, Outcome.SAME)

    @property
    def take_in_label(self) -> str:
        """The label of the button that includes the row after all; "" without one."""
        if not self._ready:
            return ""
        return {Outcome.DUPLICATE: "Import anyway", Outcome.EXCLUDED: "Include"}.get(self.row.outcome, "")  # type: ignore[call-overload]


def _label(name: str) -> str:
    return str(RegistrationForm.base_fields[name].label or name.replace("_", " "))


# --- the lists ------------------------------------------------------------------------------------------------------
def tabs(counts: Counts, notes: int, selected: str) -> list[dict[str, Any]]:
    lists = [(key, label, counts.of("", *outcomes)) for key, label, outcomes in LISTS]
    if notes:
        lists.insert(4, (NOTES, "With notes", notes))
    return [
        {"label": label, "count": count, "url": "?" + urlencode({"show": key}), "current": key == selected}
        for key, label, count in lists
        if count
    ]


def selected_list(request: HttpRequest, counts: Counts) -> str:
    """The key of the requested list, or of the first that has rows."""
    key = request.GET.get("show", "")
    if key == NOTES or key in {key for key, _, _ in LISTS}:
        return key
    return next((key for key, _, outcomes in LISTS if counts.of("", *outcomes)), LISTS[0][0])


def rows_of(upload: Import, selected: str) -> QuerySet[ImportRow]:
    if selected == NOTES:
        rows = with_notes(upload)
    else:
        rows = upload.rows.filter(outcome__in=next(outcomes for key, _, outcomes in LISTS if key == selected))
    return rows.select_related("registration").order_by("number")


def with_notes(upload: Import) -> QuerySet[ImportRow]:
    """Good rows with warnings."""
    return upload.rows.filter(state=ItemState.WILL).exclude(warnings={})


# --- the head -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Progress:
    """Of the part that a worker is doing, or did last. left: the remaining time, None if unknown."""

    done: int
    total: int
    left: timedelta | None = None


def progress(upload: Import, counts: Counts) -> Progress:
    if not upload.confirmed_at:
        return Progress(upload.total - counts.of(ItemState.NEW), upload.total)
    waiting, done = counts.of(ItemState.WILL), counts.of(ItemState.DONE)
    left = None
    if upload.state == JobState.RUNNING and done:
        elapsed = clock.now() - upload.confirmed_at
        left = elapsed / done * waiting
    return Progress(done, done + waiting, left)


def blocked_by_preflight(upload: Import) -> QuerySet[ImportRow]:
    """Good rows that the pre-flight does not allow to be submitted: they stay drafts."""
    return upload.rows.filter(state=ItemState.WILL, warnings__has_key=PREFLIGHT)


def fee(upload: Import, counts: Counts) -> Decimal:
    """The most that submitting the good rows may cost once, in US dollars; 0 if they are only saved.

    A registration that is new to Twilio costs a full registration. One with a brand is edited in place, and its
    campaign may be charged for vetting again.
    """
    if not upload.submit:
        return Decimal(0)
    updates = upload.rows.filter(state=ItemState.WILL, outcome=Outcome.UPDATE)
    known = updates.exclude(registration__brand__sid="").exclude(registration=None).count()
    drafts = blocked_by_preflight(upload).exclude(outcome=Outcome.UPDATE).count()
    first = counts.of(ItemState.WILL) - known - drafts
    return first * first_price().total + known * price_of("campaign_vetting")


def upload_chip(upload: Import, has_good: bool, has_errors: bool) -> SafeString:
    """The state of the upload; without a good row there is nothing to confirm yet."""
    if upload.state == JobState.READY and not has_good:
        return display.chip("Needs fixing", "bad") if has_errors else display.chip("Nothing new", "idle")
    return display.job_chip(upload.state)


def head(request: HttpRequest, upload: Import) -> dict[str, Any]:
    """Template variables of the live parts: six queries at most, whatever the number of rows."""
    # Known once the rows are stored.
    reading = upload.state == JobState.PREPARING and not upload.total
    found = importer.counts(upload)
    ready = upload.state == JobState.READY
    under_way = upload.in_progress
    figures = [
        (label, count)
        for _, label, outcomes in LISTS
        if (count := found.of("", *outcomes)) or outcomes == (Outcome.ERROR,)
    ]
    return {
        "upload": upload,
        "state": upload.state,
        "chip": upload_chip(upload, bool(found.of(ItemState.WILL)), bool(found.of("", Outcome.ERROR))),
        "counts": found,
        "figures": figures,
        "good": found.of(ItemState.WILL),
        "new": found.of(ItemState.WILL, Outcome.CREATE, Outcome.CREATE_ANYWAY),
        "updates": found.of(ItemState.WILL, Outcome.UPDATE),
        "bad": found.of("", Outcome.ERROR),
        "duplicates": found.of("", Outcome.DUPLICATE),
        "skipped": found.of(ItemState.SKIPPED),
        "done": found.of(ItemState.DONE),
        "rows_left": sum(found.by.values()),
        "drafts": blocked_by_preflight(upload).count() if ready else 0,
        "notes": with_notes(upload).count() if ready else 0,
        "fee": fee(upload, found) if ready else Decimal(0),
        "monthly": monthly_note(),
        "progress": progress(upload, found),
        "reading": reading,
        "ready": ready,
        "under_way": under_way,
        "restartable": upload.state in (JobState.CANCELLED, JobState.FAILED)
        and (bool(found.of(ItemState.NEW) + found.of(ItemState.WILL)) or importer.unread(upload)),
        "may_submit": may_submit(request),
        "may_delete": may_delete(request, upload),
        "poll_seconds": poll_seconds(under_way),
    }


def may_submit(request: HttpRequest) -> bool:
    return request.user.has_perms(SUBMIT)


def may_delete(request: HttpRequest, upload: Import) -> bool:
    """One's own import, or anyone's with the permission."""
    return upload.user_id == request.user.pk or request.user.has_perm("registrations.delete_import")


def rows_context(request: HttpRequest, upload: Import, values: dict[str, Any]) -> dict[str, Any]:
    """Template variables of the rows below the head; none while a worker is busy with them."""
    if upload.in_progress:
        return {"rows": [], "tabs": []}
    selected = selected_list(request, values["counts"])
    page = Paginator(rows_of(upload, selected), PER_PAGE).get_page(request.GET.get("p"))
    return {
        "tabs": tabs(values["counts"], values["notes"], selected),
        "selected_list": selected,
        "page": page,
        "rows": [RowView(row, upload) for row in page.object_list],
        "place": urlencode({"show": selected, "p": page.number}),
    }
