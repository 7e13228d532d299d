"""An import of many rows: stored, read, checked (the dry run), and made into registrations; each in rows a second."""

import io
import time
from collections.abc import Callable, Iterator, Sequence

import openpyxl
from django.contrib.auth import get_user_model
from django.db import connection

from registrations.intake.form import CSV_COLUMNS
from registrations.models import Import
from registrations.models.choices import ItemState, JobState
from registrations.operations.imports import importer
from tests.bench.installation import Installation
from tests.bench.options import Options
from tests.bench.report import Report
from tests.intake.form.rows import VALID
from tests.operations.imports.files import csv_bytes

ROWS = 10_000
IMPORTED = 1_000  # of them; the rest goes at the same rate


def measure(options: Options) -> Report:
    report = Report(
        "Import of a table",
        f"{connection.vendor}; {ROWS:,} rows of one customer each, no two alike, in this process, one job's work "
        f"after another; seconds by the clock, and of this process alone",
    )
    with Installation(scale=1.0):
        user = get_user_model().objects.create_superuser("importer")
        rows = [VALID | row for row in customers(ROWS)]
        for kind, content in (("XLSX", workbook(rows)), ("CSV", csv_bytes(*rows))):
            began = Stopwatch()
            upload = importer.store(io.BytesIO(content), "table", user=user, submit=False)
            began.add(report, f"upload stored, {kind}", ROWS, f"{len(content) / 2**20:.1f} MiB")
            job = importer._Job()
            began = Stopwatch()
            _go_on(job.run_portion, upload, lambda upload=upload: upload.total)
            began.add(report, f"rows read, {kind}", ROWS)
        began = Stopwatch()
        _go_on(job.run_portion, upload, lambda: upload.state != JobState.PREPARING)
        began.add(report, "rows checked", ROWS)
        good = importer.counts(upload).of(ItemState.WILL)
        report.add("good rows", good, note=f"{ROWS} expected")
        importer.confirm(upload, user=user)
        began = Stopwatch()
        _go_on(job.run_portion, upload, lambda: importer.counts(upload).of(ItemState.DONE) >= IMPORTED)
        began.add(report, "rows imported", importer.counts(upload).of(ItemState.DONE))
    return report


def _go_on(portion: Callable[[Import], bool], upload: Import, done: Callable[[], bool]) -> None:
    upload.refresh_from_db()
    while not done():
        portion(upload)
        upload.refresh_from_db()


class Stopwatch:
    """Seconds by the clock and of this process since it was made."""

    def __init__(self) -> None:
        self.clock, self.own = time.perf_counter(), time.process_time()

    def add(self, report: Report, name: str, rows: int, note: str = "") -> None:
        clock, own = time.perf_counter() - self.clock, time.process_time() - self.own
        said = f"{clock:.1f} s; {rows / own:.0f} rows a second of CPU"
        report.add(name, rows / clock, "rows/s", "; ".join(filter(None, (said, note))))


def customers(count: int) -> Iterator[dict[str, str]]:
    """Nothing that tells people apart is used twice."""
    for n in range(count):
        yield {
            "last_name": f"Lee{n}",
            "email": f"ann{n}@example.com",
            "mobile_phone_number": f"+1415{2_000_000 + n}",
            "street": f"{n} Main St",
            "external_id": f"C-{n}",
        }


def workbook(rows: Sequence[dict[str, str]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(list(CSV_COLUMNS))
    for row in rows:
        sheet.append([row.get(name, "") for name in CSV_COLUMNS])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
