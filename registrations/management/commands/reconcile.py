"""manage.py reconcile: differences between Twilio's account and our registrations."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from registrations.models import Finding, Scan
from registrations.operations import reconciliation
from registrations.operations.reconciliation.resource_types import RESOURCE_TYPES
from registrations.worker.processes import pause

ACTOR = "manage.py reconcile"


class Command(BaseCommand):
    help = (
        "Read Twilio's account once and list orphans (objects with our naming that no registration uses), retired "
        "objects that still exist, and lost records (SIDs here whose object is gone). Changes nothing without "
        "--fix-retired. Exit status: 0 all in order, 1 open findings, 2 the scan failed. Objects that may still be "
        "in progress are shown but do not count."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--json",
            action="store_true",
            help="one JSON object per line: what, kind, sid, name, status, registration, ref, action, under_way, "
            "state, note, result, first_seen_at",
        )
        parser.add_argument(
            "--fix-retired",
            action="store_true",
            help="delete retired objects at Twilio where the API allows it; orphans are never deleted in bulk",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        scan = self._scan()
        if options["fix_retired"]:
            fix_retired()
        findings = list(
            Finding.objects.exclude(state=Finding.State.DONE).order_by("finding_type", "resource_type", "pk")
        )
        for finding in findings:
            self.stdout.write(line(finding) if options["json"] else self._row(finding))
        counted = [finding for finding in findings if not finding.in_progress]
        if not options["json"]:
            read = sum(scan.counts.get("read", {}).values())
            self.stdout.write(f"{read} objects read, {len(counted)} open findings.")
        if counted:
            raise SystemExit(1)

    def _scan(self) -> Scan:
        scan = reconciliation.scan.request(actor=ACTOR, enqueue=False)
        if not reconciliation.scan.run(scan.pk, seconds=None, wait=pause):
            raise CommandError("Another scan is running. Try again in a few minutes.", returncode=2)
        scan.refresh_from_db()
        if scan.state != Scan.State.DONE:
            raise CommandError(f"The scan failed: {scan.error}", returncode=2)
        return scan

    def _row(self, finding: Finding) -> str:
        text = finding.result or finding.note
        action = "in progress" if finding.in_progress else finding.action
        label, name = RESOURCE_TYPES[finding.resource_type].label, finding.name or "—"
        return f"{finding.finding_type:8} {action:11} {label:17} {finding.sid}  {name}  {text}".rstrip()


def fix_retired() -> None:
    """Delete objects that registrations have replaced, in the order that Twilio allows, so one run is enough."""
    order = list(RESOURCE_TYPES)
    retired = Finding.objects.filter(
        finding_type=Finding.FindingType.RETIRED, action=Finding.Action.DELETE
    ).exclude(state=Finding.State.DONE)
    for finding in sorted(retired, key=lambda row: order.index(row.resource_type)):
        if reconciliation.actions.request(finding, actor=ACTOR, enqueue=False):
            reconciliation.actions.run(finding.pk)


def line(finding: Finding) -> str:
    """The keys are an interface of the command; some differ from the names of the columns."""
    columns = ("sid", "name", "status", "ref", "action", "state", "note", "result", "first_seen_at")
    values = {
        "what": finding.finding_type,
        "kind": finding.resource_type,
        **{column: getattr(finding, column) for column in columns},
        "under_way": finding.in_progress,
        "registration": finding.registration_id,
    }
    return json.dumps(values, cls=DjangoJSONEncoder, ensure_ascii=False)
