"""manage.py reconcile: what Twilio's account and our registrations do not agree about."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from registrations.models import Finding, Scan
from registrations.operations import reconciliation
from registrations.operations.reconciliation.resource_types import KINDS
from registrations.worker.processes import pause

ACTOR = "manage.py reconcile"


class Command(BaseCommand):
    help = (
        "Read Twilio's account once and list orphans (objects with our naming that no registration uses), retired "
        "objects that still exist, and lost records (SIDs here whose object is gone). Reads only, unless "
        "--fix-retired. Exit status: 0 all in order, 1 there are open findings, 2 the scan failed. Objects that "
        "may still be under way are shown, but do not count."
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
            help="delete at Twilio the retired objects that the API deletes; orphans are never deleted in bulk",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        scan = self._scan()
        if options["fix_retired"]:
            fix_retired()
        findings = list(Finding.objects.exclude(state=Finding.State.DONE).order_by("what", "kind", "pk"))
        for finding in findings:
            self.stdout.write(line(finding) if options["json"] else self._row(finding))
        counted = [finding for finding in findings if not finding.under_way]
        if not options["json"]:
            read = sum(scan.counts.get("read", {}).values())
            self.stdout.write(f"{read} objects read, {len(counted)} open findings.")
        if counted:
            raise SystemExit(1)

    def _scan(self) -> Scan:
        scan = reconciliation.scan.ask(actor=ACTOR, enqueue=False)
        if not reconciliation.scan.run(scan.pk, seconds=None, rest=pause):
            raise CommandError("Another scan is running. Try again in a few minutes.", returncode=2)
        scan.refresh_from_db()
        if scan.state != Scan.State.DONE:
            raise CommandError(f"The scan failed: {scan.error}", returncode=2)
        return scan

    def _row(self, finding: Finding) -> str:
        said = finding.result or finding.note
        way = "under way" if finding.under_way else finding.action
        kind, name = KINDS[finding.kind].label, finding.name or "—"
        return f"{finding.what:8} {way:10} {kind:17} {finding.sid}  {name}  {said}".rstrip()


def fix_retired() -> None:
    """Delete what registrations have replaced; what uses another goes first, so that one run gets through."""
    order = list(KINDS)
    retired = Finding.objects.filter(what=Finding.What.RETIRED, action=Finding.Action.DELETE)
    for finding in sorted(retired.exclude(state=Finding.State.DONE), key=lambda row: order.index(row.kind)):
        if reconciliation.actions.ask(finding, actor=ACTOR, enqueue=False):
            reconciliation.actions.run(finding.pk)


def line(finding: Finding) -> str:
    columns = (
        "what", "kind", "sid", "name", "status", "ref", "action", "under_way", "state", "note", "result",
        "first_seen_at",
    )  # fmt: skip
    found = {column: getattr(finding, column) for column in columns}
    return json.dumps(
        found | {"registration": finding.registration_id}, cls=DjangoJSONEncoder, ensure_ascii=False
    )
