"""The page "Reconcile": where Twilio's account and our registrations do not agree, and one safe act for each.

The page reads our tables only; scans and acts are jobs. Deleting at Twilio needs the permission to take registrations
down, everything else the one to change them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST, require_safe

from registrations.admin.changelist.base import ReadOnlyAdmin, require_view
from registrations.admin.changelist.console import console_url
from registrations.admin.changelist.live_regions import live, poll_seconds, regions, within_page
from registrations.models import Finding, Scan
from registrations.operations import reconciliation
from registrations.operations.reconciliation.resource_types import RESOURCE_TYPES
from registrations.twilio.statuses import BRAND, BUNDLE, StatusLabel, status_label
from registrations.workflow.prices import price as price_of

PAGE = "admin:registrations_scan_changelist"
CHANGE, REMOVE = "registrations.change_registration", "registrations.remove_registration"
REGIONS = {"status": "reconciliation/_status", "reconcile": "reconciliation/_findings"}
SHOWN, SETTLED_SHOWN = 100, 20
FindingType, Action, State = Finding.FindingType, Finding.Action, Finding.State
# Kinds of fees: what an object costs although nobody uses it.
FEES = {"brand": ("brand", "once"), "number": ("number_monthly", "a month")}
LABELS = {Action.DELETE: "Delete at Twilio", Action.ADOPT: "Use it", Action.FORGET: "Forget it"}


@dataclass(frozen=True)
class Line:
    """One finding as the page shows it. act: the label of its button, "" without one."""

    finding: Finding
    kind: str
    word: StatusLabel | None
    act: str
    console: str
    fee: Decimal | None
    fee_per: str

    @property
    def is_paid(self) -> bool:
        return self.fee is not None and self.finding.finding_type == FindingType.ORPHAN


@dataclass
class Group:
    """Findings that mean the same; `key` names the group in the page."""

    key: str
    title: str
    hint: str
    lines: list[Line] = field(default_factory=list)

    @property
    def shown(self) -> list[Line]:
        return self.lines[:SHOWN]

    @property
    def hidden(self) -> int:
        return max(0, len(self.lines) - SHOWN)


def line(finding: Finding, may: dict[str, bool]) -> Line:
    kind = RESOURCE_TYPES.get(finding.resource_type)
    fee, per = FEES.get(finding.resource_type, ("", ""))
    lost = finding.finding_type == FindingType.LOST
    return Line(
        finding=finding,
        kind=kind.label if kind else finding.resource_type,
        word=_word(finding) if finding.status else None,
        act=LABELS.get(finding.action, "") if finding.state != State.REQUESTED and _may(finding, may) else "",  # type: ignore[call-overload]
        console=console_url(finding.sid) if finding.action == Action.CONSOLE else "",
        fee=price_of(fee) if fee and not lost else None,
        fee_per=per,
    )


def _word(finding: Finding) -> StatusLabel:
    """Documents have a bundle's words in capitals, e.g. PENDING_REVIEW (docs/twilio.md section 3)."""
    if finding.resource_type == "brand":
        return status_label(BRAND, finding.status)
    low = finding.status.lower().replace("_", "-")
    return BUNDLE.get(low) or BUNDLE.get(f"twilio-{low}") or status_label(BUNDLE, finding.status)


def _may(finding: Finding, may: dict[str, bool]) -> bool:
    return may["remove"] if finding.action == Action.DELETE else may["change"]


def groups(findings: Iterable[Finding], may: dict[str, bool]) -> list[Group]:
    found = {
        group.key: group
        for group in (
            Group(
                "lost",
                "Here, gone at Twilio",
                "The record names an object that Twilio does not have any more.",
            ),
            Group(
                "known",
                "At Twilio, not used by its registration",
                "Duplicates and leftovers: they carry the key of a registration here.",
            ),
            Group(
                "unknown",
                "At Twilio, of no registration here",
                "They are named the way this desk names things, but their key is unknown. Another desk may use "
                "this account: ask before you delete.",
            ),
            Group("retired", "Replaced, still at Twilio", "A registration has used them before."),
            Group(
                "under-way",
                "May still be under way",
                "Made a moment ago, or in the works. The next scan looks again.",
            ),
        )
    }
    for finding in findings:
        found[_group_of(finding)].lines.append(line(finding, may))
    return [group for group in found.values() if group.lines]


def _group_of(finding: Finding) -> str:
    if finding.in_progress:
        return "under-way"
    if finding.finding_type == FindingType.ORPHAN:
        return "known" if finding.registration_id else "unknown"
    return finding.finding_type


def context(request: HttpRequest) -> dict[str, Any]:
    """Everything the page shows: four queries, whatever there is."""
    may = {"change": request.user.has_perm(CHANGE), "remove": request.user.has_perm(REMOVE)}
    unsettled = list(
        Finding.objects.exclude(state=State.DONE).select_related("registration").order_by("resource_type", "pk")
    )
    settled = Finding.objects.filter(state=State.DONE).select_related("registration")
    scans = list(Scan.objects.order_by("-pk")[:2])
    scan = scans[0] if scans else None
    busy = bool(scan and scan.state == Scan.State.OPEN) or any(row.state == State.REQUESTED for row in unsettled)
    shown = groups(unsettled, may)
    return {
        "may": may,
        "scan": scan,
        "last_done": next((row for row in scans if row.state == Scan.State.DONE), None),
        "read": sum((scan.counts.get("read") or {}).values()) if scan else 0,
        "groups": shown,
        "open_count": sum(not row.in_progress for row in unsettled),
        "paid": [one for group in shown for one in group.lines if one.is_paid],
        "settled": [line(row, may) for row in settled.order_by("-settled_at", "-pk")[:SETTLED_SHOWN]],
        "poll_seconds": poll_seconds(busy),
    }


@admin.register(Scan)
class ScanAdmin(ReadOnlyAdmin):
    title = "Reconcile"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("now/", view(require_POST(self.now)), name="registrations_scan_now"),
            path("refresh/", view(require_safe(self.live)), name="registrations_scan_refresh"),
            path(
                "finding/<int:pk>/confirm/",
                view(require_safe(self.confirm)),
                name="registrations_finding_confirm",
            ),
            path(
                "finding/<int:pk>/action/", view(require_POST(self.act)), name="registrations_finding_action"
            ),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        require_view(self, request)
        values = context(request)
        return TemplateResponse(
            request,
            "registrations/reconciliation/page.html",
            {
                **self.admin_site.each_context(request),
                **values,
                "title": self.title,
                **within_page(regions(REGIONS, values)),
                "live_url": reverse("admin:registrations_scan_refresh"),
            },
        )

    def live(self, request: HttpRequest) -> HttpResponse:
        """The parts that changed since the versions in the query; 204 when none did."""
        require_view(self, request)
        values = context(request)
        live_url = reverse("admin:registrations_scan_refresh")
        return live(request, regions(REGIONS, values), live_url, values["poll_seconds"])

    def now(self, request: HttpRequest) -> HttpResponse:
        require_view(self, request)
        if not request.user.has_perm(CHANGE):
            raise PermissionDenied
        reconciliation.scan.request(actor=request.user.get_username())
        messages.success(request, "Reading Twilio's account. This page shows what is found.")
        return redirect(PAGE)

    def confirm(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What an act would do, before it is done."""
        finding = self._finding(request, pk)
        shown = line(finding, {"change": True, "remove": True})
        if not shown.act:
            messages.info(request, "There is nothing to do about this any more.")
            return redirect(PAGE)
        return TemplateResponse(
            request,
            "registrations/reconciliation/confirm.html",
            {
                **self.admin_site.each_context(request),
                "title": f"{shown.act}: {shown.kind}",
                "line": shown,
                "finding": finding,
                "is_strange": finding.action == Action.DELETE and finding.registration_id is None,
            },
        )

    def act(self, request: HttpRequest, pk: int) -> HttpResponse:
        finding = self._finding(request, pk)
        if request.POST.get("action") != finding.action:
            messages.error(request, "This has changed since you looked at it. Please look again.")
        elif finding.action == Action.DELETE and not finding.registration_id and "sure" not in request.POST:
            messages.error(request, "Please confirm that nobody else uses it.")
            return redirect("admin:registrations_finding_confirm", pk)
        elif reconciliation.actions.request(finding, actor=request.user.get_username()):
            messages.success(request, "The worker is on it. This page shows what comes of it.")
        else:
            messages.info(request, "This is under way or settled already.")
        return redirect(PAGE)

    def _finding(self, request: HttpRequest, pk: int) -> Finding:
        require_view(self, request)
        finding = Finding.objects.select_related("registration").filter(pk=pk).first()
        if finding is None:
            raise Http404("There is no such finding.")
        if not request.user.has_perm(REMOVE if finding.action == Action.DELETE else CHANGE):
            raise PermissionDenied
        return finding

    def show(self, request: HttpRequest, row: Scan) -> HttpResponse:
        return redirect(PAGE)
