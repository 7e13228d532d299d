"""Each submission of a registration with what came of it, and any two of a part side by side."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from registrations.admin.changelist import display
from registrations.models import Registration, Submission
from registrations.twilio.statuses import BRAND, BUNDLE, CAMPAIGN, StatusLabel, status_label
from registrations.workflow.recorder import submissions
from registrations.workflow.recorder.submissions import Difference

from . import detail
from .form import find, require
from .panels import PART_LABELS

_WORDS = {"profile": BUNDLE, "trust_bundle": BUNDLE, "brand": BRAND, "campaign": CAMPAIGN}


@dataclass(frozen=True)
class Try:
    """One submission, ready to be shown. errors: code and text of every item, the failure reason first."""

    submission: Submission
    step: str
    status: StatusLabel
    errors: list[tuple[str, str]]

    @property
    def title(self) -> str:
        return f"Try {self.submission.number}"

    @property
    def facts(self) -> list[tuple[str, str]]:
        return submissions.sent_values(self.submission)


@dataclass(frozen=True)
class Part:
    """All tries of one part, the newest first; from two on they can be compared."""

    slug: str
    label: str
    tries: list[Try]

    @property
    def before(self) -> Try | None:
        """What the comparison starts with: the try before the newest."""
        return self.tries[1] if len(self.tries) > 1 else None

    @property
    def after(self) -> Try:
        return self.tries[0]


@dataclass(frozen=True)
class Comparison:
    label: str
    before: Try
    after: Try
    differences: list[Difference]

    @property
    def changed(self) -> int:
        return sum(difference.changed for difference in self.differences)

    @property
    def same(self) -> list[Difference]:
        return [difference for difference in self.differences if not difference.changed]


@require_safe
def page(request: HttpRequest, admin_site: Any, pk: str) -> HttpResponse:
    """GET …/versions/?a=ID&b=ID compares two submissions of the same part, the older one first."""
    registration = find(pk)
    require(request, "registrations.view_registration")
    parts = _parts(registration)
    chosen = _chosen(parts, request.GET.get("a", ""), request.GET.get("b", ""))
    return TemplateResponse(
        request,
        "registrations/registration/submissions.html",
        {
            **admin_site.each_context(request),
            "title": "Versions",
            "registration": registration,
            "parts": parts,
            "comparison": chosen,
            "not_comparable": bool(request.GET.get("a") and request.GET.get("b") and chosen is None),
            "desk_url": detail.url("detail", registration),
        },
    )


def _parts(registration: Registration) -> list[Part]:
    tries: dict[str, list[Try]] = {}
    for submission in submissions.submissions_of(registration):
        tries.setdefault(submission.part, []).append(_try(submission))
    known = [slug for slug in PART_LABELS if slug in tries]
    slugs = [*known, *(slug for slug in tries if slug not in PART_LABELS)]
    return [
        Part(slug, PART_LABELS.get(slug, slug), sorted(tries[slug], key=lambda t: -t.submission.number))
        for slug in slugs
    ]


def _try(submission: Submission) -> Try:
    rows = [(row["code"], row["text"]) for row in display.upstream_errors(submission.errors)]
    if submission.failure_reason:
        rows.insert(0, ("", submission.failure_reason))
    known = _WORDS.get(submission.part, {})
    status = (
        status_label(known, submission.status) if submission.status else StatusLabel("No answer yet", "wait")
    )
    return Try(submission, display.step_label(submission.step), status, rows)


def _chosen(parts: list[Part], a: str, b: str) -> Comparison | None:
    for part in parts:
        known = {str(one.submission.pk): one for one in part.tries}
        if a in known and b in known and a != b:
            before, after = sorted((known[a], known[b]), key=lambda one: one.submission.number)
            differences = submissions.compare(before.submission, after.submission)
            return Comparison(part.label, before, after, differences)
    return None
