"""The page "Reconcile": where Twilio's account and our registrations disagree, with one safe action for each.

The page only reads our tables; scans and actions are jobs. Deleting at Twilio needs the permission to remove
registrations from Twilio, everything else the permission to change them.
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
from registrations.admin.changelist.display import console_url
from registrations.admin.changelist.live_regions import live, poll_seconds, regions, within_page
from registrations.models import Finding, Scan
from registrations.operations import reconciliation
from registrations.operations.reconciliation.resource_types import RESOURCE_TYPES
from registrations.twilio.statuses import BRAND, BUNDLE, StatusLabel, status_label
from registrations.workflow.prices import price as price_of

PAGE = "admin:registrations_scan_changelist"
CHANGE, REMOVE = "registrations.change_registration", "registrations.remove_registration"
REGIONS = {"status": "reconciliation/_status", "reconcile": "reconciliation/_findings"}
MAX_LISTED, MAX_SETTLED = 100, 20
FindingType, Action, State = Finding.FindingType, Finding.Action, Finding.State
# {resource type: (kind of fee, interval)}: what an unused resource costs.
FEES = {"brand": ("brand", "once"), "number": ("number_monthly", "a month")}
LABELS = {Action.DELETE: "Delete at Twilio", Action.ADOPT: "Use", Action.FORGET: "Forget"}


@dataclass(frozen=True)
class FindingRow:
    """One finding as the page shows it. action: the label of its button, "" without one."""

    finding: Finding
    kind: str
    status: StatusLabel | None
    action: str
    console: str
    fee: Decimal | None
    fee_interval: str

    @property
    def is_paid(self) -> bool:
        return self.fee is not None and self.finding.finding_type == FindingType.ORPHAN


@dataclass
class Group:
    """Findings with the same meaning; `key` names the group on the page."""

    key: str
    title: str
    hint: str
    rows: list[FindingRow] = field(default_factory=list)

    @property
    def listed(self) -> list[FindingRow]:
        return self.rows[:MAX_LISTED]

    @property
    def hidden(self) -> int:
        return max(0, len(self.rows) - MAX_LISTED)


def finding_row(finding: Finding, may: dict[str, bool]) -> FindingRow:
    kind = RESOURCE_TYPES.get(finding.resource_type)
    fee, interval = FEES.get(finding.resource_type, ("", ""))
    missing = finding.finding_type == FindingType.LOST
    actionable = finding.action in LABELS and finding.state != State.REQUESTED and _may(finding, may)
    return FindingRow(
        finding=finding,
        kind=kind.label if kind else finding.resource_type,
        status=_status(finding) if finding.status else None,
        action=LABELS[Action(finding.action)] if actionable else "",
        console=console_url(finding.sid) if finding.action == Action.CONSOLE else "",
        fee=price_of(fee) if fee and not missing else None,
        fee_interval=interval,
    )


def _status(finding: Finding) -> StatusLabel:
    """Documents have a bundle's statuses in uppercase, e.g. PENDING_REVIEW (docs/twilio.md section 3)."""
    if finding.resource_type == "brand":
        return status_label(BRAND, finding.status)
    slug = finding.status.lower().replace("_", "-")
    return BUNDLE.get(slug) or BUNDLE.get(f"twilio-{slug}") or status_label(BUNDLE, finding.status)


def _may(finding: Finding, may: dict[str, bool]) -> bool:
    return may["remove"] if finding.action == Action.DELETE else may["change"]


def groups(findings: Iterable[Finding], may: dict[str, bool]) -> list[Group]:
    found = {
        group.key: group
        for group in (
            Group(
                "lost",
                "Here, missing at Twilio",
                "Our record refers to an object that Twilio no longer has.",
            ),
            Group(
                "known",
                "At Twilio, not used by its registration",
                "Duplicates and leftovers of a registration here.",
            ),
            Group(
                "unknown",
                "At Twilio, without a registration here",
                "They follow our naming, but match no registration. Another installation may use this account: "
                "ask before you delete.",
            ),
            Group("retired", "Replaced, still at Twilio", "Previously used by a registration."),
            Group(
                "under-way",
                "May still be in progress",
                "Just created, or being worked on. The next scan checks again.",
            ),
        )
    }
    for finding in findings:
        found[_group_of(finding)].rows.append(finding_row(finding, may))
    return [group for group in found.values() if group.rows]


def _group_of(finding: Finding) -> str:
    if finding.in_progress:
        return "under-way"
    if finding.finding_type == FindingType.ORPHAN:
        return "known" if finding.registration_id else "unknown"
    return finding.finding_type


def context(request: HttpRequest) -> dict[str, Any]:
    """Template variables of the page: four queries, whatever the number of findings."""
    may = {"change": request.user.has_perm(CHANGE), "remove": request.user.has_perm(REMOVE)}
    unsettled = list(
        Finding.objects.exclude(state=State.DONE)
        .select_related("registration")
        .order_by("resource_type", "pk")
    )
    settled = Finding.objects.filter(state=State.DONE).select_related("registration")
    scans = list(Scan.objects.order_by("-pk")[:2])
    scan = scans[0] if scans else None
    busy = bool(scan and scan.state == Scan.State.OPEN) or any(
        row.state == State.REQUESTED for row in unsettled
    )
    shown = groups(unsettled, may)
    return {
        "may": may,
        "scan": scan,
        "last_done": next((row for row in scans if row.state == Scan.State.DONE), None),
        "read": sum((scan.counts.get("read") or {}).values()) if scan else 0,
        "groups": shown,
        "open_count": sum(not row.in_progress for row in unsettled),
        "paid": [row for group in shown for row in group.rows if row.is_paid],
        "settled": [finding_row(row, may) for row in settled.order_by("-settled_at", "-pk")[:MAX_SETTLED]],
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
                "finding/<int:pk>/action/",
                view(require_POST(self.action)),
                name="registrations_finding_action",
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
        """The parts that have changed since the versions in the query; 204 if none has."""
        require_view(self, request)
        values = context(request)
        live_url = reverse("admin:registrations_scan_refresh")
        return live(request, regions(REGIONS, values), live_url, values["poll_seconds"])

    def now(self, request: HttpRequest) -> HttpResponse:
        require_view(self, request)
        if not request.user.has_perm(CHANGE):
            raise PermissionDenied
        reconciliation.scan.request(actor=request.user.get_username())
        messages.success(request, "Scan started. Findings appear on this page.")
        return redirect(PAGE)

    def confirm(self, request: HttpRequest, pk: int) -> HttpResponse:
        """FindingType an action will do, with the button that does it."""
        finding = self._finding(request, pk)
        row = finding_row(finding, {"change": True, "remove": True})
        if not row.action:
            messages.info(request, "There is nothing left to do here.")
            return redirect(PAGE)
        return TemplateResponse(
            request,
            "registrations/reconciliation/confirm.html",
            {
                **self.admin_site.each_context(request),
                "title": f"{row.action}: {row.kind}",
                "row": row,
                "finding": finding,
                "needs_promise": finding.action == Action.DELETE and finding.registration_id is None,
            },
        )

    def action(self, request: HttpRequest, pk: int) -> HttpResponse:
        finding = self._finding(request, pk)
        if request.POST.get("action") != finding.action:
            messages.error(request, "This has changed since you opened it. Review it and try again.")
        elif finding.action == Action.DELETE and not finding.registration_id and "sure" not in request.POST:
            messages.error(request, "Confirm that nothing else uses it.")
            return redirect("admin:registrations_finding_confirm", pk)
        elif reconciliation.actions.request(finding, actor=request.user.get_username()):
            messages.success(request, "Started. The result appears on this page.")
        else:
            messages.info(request, "This is already in progress or settled.")
        return redirect(PAGE)

    def _finding(self, request: HttpRequest, pk: int) -> Finding:
        require_view(self, request)
        finding = Finding.objects.select_related("registration").filter(pk=pk).first()
        if finding is None:
            raise Http404("There is no such finding.")
        if not request.user.has_perm(REMOVE if finding.action == Action.DELETE else CHANGE):
            raise PermissionDenied
        return finding

    def detail(self, request: HttpRequest, row: Scan) -> HttpResponse:
        return redirect(PAGE)
