"""The page "Submissions": what was sent to Twilio and the result, part by part, and any two of a part compared."""

from dataclasses import dataclass

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from registrations.admin.changelist import display
from registrations.models import Registration, Submission
from registrations.twilio.statuses import BRAND, BUNDLE, CAMPAIGN, StatusLabel, status_label
from registrations.workflow.recorder import submissions
from registrations.workflow.recorder.submissions import Difference

from .base import VIEW, find, require
from .panels import PART_LABELS

_STATUS_LABELS = {"profile": BUNDLE, "trust_bundle": BUNDLE, "brand": BRAND, "campaign": CAMPAIGN}


@dataclass(frozen=True)
class SubmissionView:
    """One submission as the page shows it."""

    submission: Submission

    @property
    def title(self) -> str:
        return f"Submission {self.submission.number}"

    @property
    def step(self) -> str:
        return display.step_label(self.submission.step)

    @property
    def status(self) -> StatusLabel:
        if not self.submission.status:
            return StatusLabel("No answer yet", "wait")
        return status_label(_STATUS_LABELS.get(self.submission.part, {}), self.submission.status)

    @property
    def errors(self) -> list[tuple[str, str]]:
        """(code, text) of every error, the failure reason first."""
        rows = [(row["code"], row["text"]) for row in display.upstream_errors(self.submission.errors)]
        reason = self.submission.failure_reason
        return [("", reason), *rows] if reason else rows

    @property
    def facts(self) -> list[tuple[str, str]]:
        return submissions.sent_values(self.submission)


@dataclass(frozen=True)
class PartSubmissions:
    """All submissions of one part, the newest first; two or more can be compared."""

    slug: str
    label: str
    submissions: list[SubmissionView]

    @property
    def before(self) -> SubmissionView | None:
        """The default for the comparison: the submission before the newest."""
        return self.submissions[1] if len(self.submissions) > 1 else None

    @property
    def after(self) -> SubmissionView:
        return self.submissions[0]


@dataclass(frozen=True)
class Comparison:
    label: str
    before: SubmissionView
    after: SubmissionView
    differences: list[Difference]

    @property
    def changed(self) -> int:
        return sum(difference.changed for difference in self.differences)

    @property
    def same(self) -> list[Difference]:
        return [difference for difference in self.differences if not difference.changed]


@require_safe
def page(request: HttpRequest, pk: str) -> HttpResponse:
    """GET …/submissions/?a=ID&b=ID compares two submissions of one part, in either order."""
    registration = find(pk)
    require(request, VIEW)
    parts = _parts(registration)
    a, b = request.GET.get("a", ""), request.GET.get("b", "")
    comparison = _compare(parts, a, b)
    return TemplateResponse(
        request,
        "registrations/registration/submissions.html",
        {
            **admin.site.each_context(request),
            "title": "Submissions",
            "registration": registration,
            "parts": parts,
            "comparison": comparison,
            "not_comparable": bool(a and b and comparison is None),
        },
    )


def _parts(registration: Registration) -> list[PartSubmissions]:
    by_part: dict[str, list[SubmissionView]] = {}
    for submission in sorted(
        submissions.submissions_of(registration), key=lambda submission: -submission.number
    ):
        by_part.setdefault(submission.part, []).append(SubmissionView(submission))
    slugs = [*PART_LABELS, *(slug for slug in by_part if slug not in PART_LABELS)]
    return [
        PartSubmissions(slug, PART_LABELS.get(slug, slug), by_part[slug]) for slug in slugs if slug in by_part
    ]


def _compare(parts: list[PartSubmissions], a: str, b: str) -> Comparison | None:
    for part in parts:
        known = {str(view.submission.pk): view for view in part.submissions}
        if a in known and b in known and a != b:
            before, after = sorted((known[a], known[b]), key=lambda view: view.submission.number)
            differences = submissions.compare(before.submission, after.submission)
            return Comparison(part.label, before, after, differences)
    return None
