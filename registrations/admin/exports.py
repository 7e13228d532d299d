"""The columns of lists as files: one line a case, with links to its page and to Twilio's Console."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.http.response import HttpResponseBase
from django.utils import timezone

from registrations.clock import now
from registrations.models import OpenProblem, Registration
from registrations.spreadsheets import Link
from registrations.states import Stage, WaitingFor

from .base import desk_url
from .console import console_url
from .downloads import download

CHUNK = 500
_PARTS = ("profile", "trust_bundle", "brand", "campaign", "phone_number")
# What Twilio sent is long, and no column shows it.
_LONG = (
    *(f"{part}__{column}" for part in _PARTS for column in ("payload", "sent", "errors")),
    *("profile__evaluation_results", "trust_bundle__evaluation_results", "search_text"),
)
# (column, part, attribute); the Console link of each stands beside it.
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


def header() -> list[str]:
    links = (name for column, _, _ in _OBJECTS for name in (column, column.replace("_sid", "_console")))
    return [*_HEADER, *links]


def table(cases: QuerySet[Registration]) -> Iterator[list[Any]]:
    """The header, then the cells of each case: text, numbers, datetimes, None. Two queries a chunk."""
    yield header()
    problems = Prefetch("open_problems", OpenProblem.objects.order_by("id"))
    whole = cases.select_related("owner", *_PARTS).prefetch_related(problems)
    base = settings.PUBLIC_BASE_URL
    for case in whole.defer(*_LONG).iterator(chunk_size=CHUNK):
        yield _cells(case, base)


def _cells(case: Registration, base: str) -> list[Any]:
    held = list(case.open_problems.all())
    profile, bundle, brand = case.profile, case.trust_bundle, case.brand
    cells: list[Any] = [
        case.pk,
        case.external_id,
        case.label,
        case.owner.get_username() if case.owner else None,
        Stage(case.stage).label if case.stage in Stage.values else case.stage,
        WaitingFor(case.waiting_for).label if case.waiting_for in WaitingFor.values else case.waiting_for,
        case.reason,
        " ".join(dict.fromkeys(str(problem.code) for problem in held if problem.code)),
        "; ".join(dict.fromkeys(problem.title for problem in held)),
        "yes" if case.hold else "",
        case.created_at,
        case.stage_since,
        case.submitted_at,
        profile.first_name,
        profile.last_name,
        profile.email,
        str(bundle.mobile_phone_number),
        bundle.brand_name,
        profile.status,
        bundle.status,
        brand.status,
        brand.identity_status,
        case.campaign.status,
        case.phone_number.a2p_status,
        brand.tcr_id,
        case.campaign.campaign_id,
        case.phone_number.phone_number,
        case.account_sid,
        Link(base + desk_url(case.pk)),
    ]
    for _, part, attribute in _OBJECTS:
        sid = getattr(getattr(case, part), attribute)
        cells += [sid, Link(console_url(sid))]
    return cells


def response(cases: QuerySet[Registration], kind: str, name: str = "registrations") -> HttpResponseBase:
    """The file as an answer. XLSX: the caller has asked `downloads.too_many`."""
    return download(table(cases), f"{name}-{timezone.localtime(now()):%Y-%m-%d-%H%M}", kind, "Registrations")
