"""What the page of an import shows, gathered once: its live head, its rows with what is wrong at their cells."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
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

from .batch_detail import state_chip

PER_PAGE = 50
ADD = "registrations.add_registration"
# To submit many at once, which spends money on each.
SUBMIT = ("registrations.change_registration", "registrations.bulk_registration")
NOTES = "notes"
REGIONS = {"status": "imports/_status", "head": "imports/_head"}
MOODS = {
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
# The lists of the page in the order in which they want attention.
LISTS: tuple[tuple[str, str, tuple[Outcome, ...]], ...] = (
    ("error", "To mend", (Outcome.ERROR,)),
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
    """One cell of a row, with what is said about it."""

    name: str
    label: str
    value: str
    is_long: bool
    errors: list[str]
    warnings: list[str]


@dataclass(frozen=True)
class Line:
    """One row of the table. `told`: the cells about which something is said, errors first.
    changes: labels of the inputs that it would change; only_submits: none, but the registration is still to be submitted."""

    row: ImportRow
    chip: SafeString
    title: str
    sub: str
    told: list[Cell]
    errors: list[str]
    warnings: list[str]
    changes: list[str]
    only_submits: bool
    url: str
    can_mend: bool
    can_leave: bool
    can_take: str

    @property
    def wrong(self) -> list[Cell]:
        return [cell for cell in self.told if cell.errors]

    @property
    def noted(self) -> list[Cell]:
        return [cell for cell in self.told if not cell.errors]


def line(row: ImportRow, upload: Import) -> Line:
    """A row as the page shows it; `upload` decides what can be done to it."""
    ready = upload.state == JobState.READY
    cells = row.cells
    name = " ".join(filter(None, (cells.get("first_name", ""), cells.get("last_name", ""))))
    told = [cell for cell in all_cells(row) if cell.errors or cell.warnings]
    registration = row.registration
    title = (
        cells.get("brand_name") or name or (registration.label if registration else "") or f"Row {row.number}"
    )
    return Line(
        row=row,
        chip=display.chip(Outcome(row.outcome).label, MOODS[Outcome(row.outcome)])
        if row.outcome
        else SafeString(""),
        title=title,
        sub=" · ".join(filter(None, (name if name != title else "", cells.get("email", "")))),
        told=sorted(told, key=lambda cell: not cell.errors),
        errors=row.errors.get("", []),
        warnings=[*row.warnings.get("", []), *row.warnings.get(PREFLIGHT, [])],
        changes=[_label(name) for name in row.changes] if row.outcome == Outcome.UPDATE else [],
        only_submits=row.outcome == Outcome.UPDATE and row.revision is not None and not row.changes,
        url=detail_url(registration.pk) if registration else "",
        can_mend=ready and bool(row.cells),
        can_leave=ready and row.outcome not in (Outcome.EXCLUDED, Outcome.DUPLICATE, Outcome.SAME),
        can_take=_taking(row) if ready else "",
    )


def _taking(row: ImportRow) -> str:
    if row.outcome == Outcome.DUPLICATE:
        return "Import all the same"
    return "Take back" if row.outcome == Outcome.EXCLUDED else ""


def _label(name: str) -> str:
    return str(RegistrationForm.base_fields[name].label or name.replace("_", " "))


def all_cells(row: ImportRow) -> list[Cell]:
    """Every column in the order of the table."""
    fields = RegistrationForm.base_fields
    return [
        Cell(
            name=name,
            label=_label(name),
            value=row.cells.get(name, ""),
            is_long=isinstance(fields[name].widget, forms.Textarea),
            errors=row.errors.get(name, []),
            warnings=row.warnings.get(name, []),
        )
        for name in CSV_COLUMNS
    ]


# --- the lists ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Tab:
    key: str
    label: str
    count: int
    url: str
    current: bool


def tabs(counts: Counts, notes: int, shown: str) -> list[Tab]:
    found = [(key, label, counts.of("", *outcomes)) for key, label, outcomes in LISTS]
    if notes:
        found.insert(4, (NOTES, "With notes", notes))
    return [
        Tab(key, label, count, "?" + urlencode({"show": key}), key == shown)
        for key, label, count in found
        if count
    ]


def shown_list(request: HttpRequest, counts: Counts) -> str:
    """The list that was asked for, or the first that has rows: bad ones come first."""
    asked = request.GET.get("show", "")
    if asked == NOTES or asked in {key for key, _, _ in LISTS}:
        return asked
    return next((key for key, _, outcomes in LISTS if counts.of("", *outcomes)), LISTS[0][0])


def steps_of(upload: Import, shown: str) -> QuerySet[ImportRow]:
    rows = upload.rows.select_related("registration").order_by("number")
    if shown == NOTES:
        return noted(upload).select_related("registration").order_by("number")
    return rows.filter(outcome__in=next(outcomes for key, _, outcomes in LISTS if key == shown))


def noted(upload: Import) -> QuerySet[ImportRow]:
    """Good rows of which something is to be said."""
    return upload.rows.filter(state=ItemState.WILL).exclude(warnings={})


# --- the head -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Progress:
    """Of the part that a worker does now, or did last. left: at this pace, None when unknown."""

    done: int
    total: int
    left: timedelta | None = None


def progress(upload: Import, counts: Counts) -> Progress:
    if not upload.confirmed_at:
        return Progress(upload.total - counts.of(ItemState.NEW), upload.total)
    waiting, done = counts.of(ItemState.WILL), counts.of(ItemState.DONE)
    left = None
    if upload.state == JobState.RUNNING and done:
        spent = clock.now() - upload.confirmed_at
        left = spent / done * waiting
    return Progress(done, done + waiting, left)


def refusable(upload: Import) -> QuerySet[ImportRow]:
    """Good rows that the pre-flight would not let Submit pay for: they stay drafts."""
    return upload.rows.filter(state=ItemState.WILL, warnings__has_key=PREFLIGHT)


def fee(upload: Import, counts: Counts) -> Decimal:
    """What submitting the good rows may cost once, in US dollars, at most; 0 when they are only saved.

    A registration that is new to Twilio costs a first registration. One with a brand is edited in place, and may cost the
    vetting of its campaign again.
    """
    if not upload.submit:
        return Decimal(0)
    updates = upload.rows.filter(state=ItemState.WILL, outcome=Outcome.UPDATE)
    known = updates.exclude(registration__brand__sid="").exclude(registration=None).count()
    drafts = refusable(upload).exclude(outcome=Outcome.UPDATE).count()
    first = counts.of(ItemState.WILL) - known - drafts
    return first * first_price().total + known * price_of("campaign_vetting")


def stand_chip(upload: Import, good: bool, bad: bool) -> SafeString:
    """Where the upload stands; without a good row there is nothing to confirm yet. bad: some rows are to mend."""
    if upload.state == JobState.READY and not good:
        return display.chip("To mend", "bad") if bad else display.chip("Nothing new", "idle")
    return state_chip(upload.state)


def head(request: HttpRequest, upload: Import) -> dict[str, Any]:
    """Template variables of the live parts: six queries at most, however many rows."""
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
        "chip": stand_chip(upload, bool(found.of(ItemState.WILL)), bool(found.of("", Outcome.ERROR))),
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
        "drafts": refusable(upload).count() if ready else 0,
        "notes": noted(upload).count() if ready else 0,
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
    """One's own table, or with the right to delete everybody's."""
    return upload.user_id == request.user.pk or request.user.has_perm("registrations.delete_import")


def page_of(request: HttpRequest, upload: Import, values: dict[str, Any]) -> dict[str, Any]:
    """Template variables of the rows below the head; none while a worker is at them."""
    if upload.in_progress:
        return {"lines": [], "tabs": []}
    shown = shown_list(request, values["counts"])
    rows = steps_of(upload, shown)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("p"))
    return {
        "tabs": tabs(values["counts"], values["notes"], shown),
        "shown": shown,
        "page": page,
        "lines": lines(page.object_list, upload),
        "place": urlencode({"show": shown, "p": page.number}),
    }


def lines(rows: Iterable[ImportRow], upload: Import) -> list[Line]:
    return [line(row, upload) for row in rows]
