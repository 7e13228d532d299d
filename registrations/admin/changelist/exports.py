"""Tables as downloads, CSV or XLSX, and the registrations of a list as such a table: one row per registration, with
links to its page and to Twilio's Console."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.http import FileResponse, Http404, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from registrations.core.clock import now
from registrations.core.spreadsheets import Link, Rows, csv_lines, workbook
from registrations.models import OpenProblem, Registration
from registrations.models.choices import Stage, WaitingFor

from .base import detail_url
from .display import console_url

CSV, XLSX = "csv", "xlsx"
KINDS = (CSV, XLSX)
# A workbook is built as a whole before it is sent. Callers check `too_many` first.
MAX_XLSX_ROWS = 20_000
CHUNK = 500
# Twilio's answers are long, and no column shows them.
_LONG = (
    *(
        f"{part}__{column}"
        for part in Registration.PARTS
        for column in ("payload", "accepted_params", "errors")
    ),
    *("profile__evaluation_results", "trust_bundle__evaluation_results", "search_text"),
)
# (column, part, attribute); a column with the Console link follows each.
_OBJECTS = (
    ("profile_sid", "profile", "sid"),
    ("trust_bundle_sid", "trust_bundle", "sid"),
    ("brand_sid", "brand", "sid"),
    ("service_sid", "campaign", "service_sid"),
    ("number_sid", "phone_number", "sid"),
)
_HEADER = (
    *("id", "external_id", "label", "owner", "stage", "waiting_for", "reason", "codes", "problems"),
    *("on_hold", "created", "in_stage_since", "submitted", "first_name", "last_name", "email", "mobile"),
    *("brand_name", "profile_status", "trust_bundle_status", "brand_status", "identity_status"),
    *("campaign_status", "number_status", "tcr_brand_id", "tcr_campaign_id", "sender", "account", "page"),
)


def download(rows: Rows, name: str, kind: str, sheet: str) -> HttpResponseBase:
    """`rows` starts with the header; `name` has no extension; `sheet` is the name of the workbook's sheet.

    CSV is streamed. Raises Http404 for a kind that is not in KINDS.
    """
    if kind == CSV:
        response: HttpResponseBase = StreamingHttpResponse(
            csv_lines(rows), content_type="text/csv; charset=utf-8"
        )
        response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    elif kind == XLSX:
        response = FileResponse(workbook(rows, sheet), as_attachment=True, filename=f"{name}.xlsx")
    else:
        raise Http404("There is no such file.")
    response["Cache-Control"] = "private, no-store"
    return response


def too_many(count: int) -> str:
    """Why a workbook with that many rows cannot be built; "" if it can."""
    if count <= MAX_XLSX_ROWS:
        return ""
    return f"A workbook can have up to {MAX_XLSX_ROWS:,} rows. Use CSV, or select fewer."


# --- registrations -----------------------------------------------------------------------------------------------
def header() -> list[str]:
    links = (name for column, _, _ in _OBJECTS for name in (column, column.replace("_sid", "_console")))
    return [*_HEADER, *links]


def table(registrations: QuerySet[Registration]) -> Iterator[list[Any]]:
    """The header, then the cells of each registration: text, numbers, datetimes, None. Two queries per chunk."""
    yield header()
    problems = Prefetch("open_problems", OpenProblem.objects.order_by("id"))
    complete = registrations.select_related("owner", *Registration.PARTS).prefetch_related(problems)
    base = settings.PUBLIC_BASE_URL
    for registration in complete.defer(*_LONG).iterator(chunk_size=CHUNK):
        yield _cells(registration, base)


def _cells(registration: Registration, base: str) -> list[Any]:
    open_problems = list(registration.open_problems.all())
    profile, bundle, brand = registration.profile, registration.trust_bundle, registration.brand
    cells: list[Any] = [
        registration.pk,
        registration.external_id,
        registration.label,
        registration.owner.get_username() if registration.owner else None,
        Stage(registration.stage).label if registration.stage in Stage.values else registration.stage,
        WaitingFor(registration.waiting_for).label
        if registration.waiting_for in WaitingFor.values
        else registration.waiting_for,
        registration.reason,
        " ".join(dict.fromkeys(str(problem.code) for problem in open_problems if problem.code)),
        "; ".join(dict.fromkeys(problem.title for problem in open_problems)),
        "yes" if registration.hold else "",
        registration.created_at,
        registration.stage_since,
        registration.submitted_at,
        profile.first_name,
        profile.last_name,
        profile.email,
        str(bundle.mobile_phone_number),
        bundle.brand_name,
        profile.status,
        bundle.status,
        brand.status,
        brand.identity_status,
        registration.campaign.status,
        registration.phone_number.a2p_status,
        brand.tcr_id,
        registration.campaign.campaign_id,
        registration.phone_number.phone_number,
        registration.account_sid,
        Link(base + detail_url(registration.pk)),
    ]
    for _, part, attribute in _OBJECTS:
        sid = getattr(getattr(registration, part), attribute)
        cells += [sid, Link(console_url(sid))]
    return cells


def response(
    registrations: QuerySet[Registration], kind: str, name: str = "registrations"
) -> HttpResponseBase:
    """The table as a download. For XLSX, the caller has checked `too_many`."""
    return download(
        table(registrations), f"{name}-{timezone.localtime(now()):%Y-%m-%d-%H%M}", kind, "Registrations"
    )
