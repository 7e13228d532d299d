"""A table as the answer to a request: CSV, streamed whatever its length, or a workbook."""

from django.http import FileResponse, Http404, StreamingHttpResponse
from django.http.response import HttpResponseBase

from registrations.core.spreadsheets import Rows, csv_lines, workbook

CSV, XLSX = "csv", "xlsx"
KINDS = (CSV, XLSX)
# A workbook is made as a whole before it is sent. Callers refuse more rows, and say so.
MOST_XLSX = 20_000


def download(rows: Rows, name: str, kind: str, sheet: str) -> HttpResponseBase:
    """`rows` with the header first; `name` without its ending; `sheet` is the workbook's one.

    Raises Http404 for a kind that is none of KINDS.
    """
    if kind == CSV:
        answer: HttpResponseBase = StreamingHttpResponse(
            csv_lines(rows), content_type="text/csv; charset=utf-8"
        )
        answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    elif kind == XLSX:
        answer = FileResponse(workbook(rows, sheet), as_attachment=True, filename=f"{name}.xlsx")
    else:
        raise Http404("There is no such file.")
    answer["Cache-Control"] = "private, no-store"
    return answer


def too_many(count: int) -> str:
    """What is said when a workbook of that many rows is asked for; "" when it can be made."""
    return (
        f"A workbook takes {MOST_XLSX:,} rows at most. Take CSV, or choose fewer."
        if count > MOST_XLSX
        else ""
    )
