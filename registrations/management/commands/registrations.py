"""manage.py registrations: the status of every registration, as a table or as JSON lines."""

import json
import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet

from registrations.models import Registration
from registrations.models.choices import Stage, WaitingFor
from registrations.reporting.json_export import export


class Command(BaseCommand):
    help = (
        "List registrations, oldest first. With --json one JSON object per line: id, external_id, label, stage, "
        "waiting_for, reason, errors, sids, statuses, tcr_ids, sender, hold, submitted, stage_since, next_run_at, "
        "updated_at."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object per line")
        parser.add_argument(
            "--stage", action="append", choices=Stage.values, help="only this stage (repeatable)"
        )
        parser.add_argument(
            "--waiting-for",
            action="append",
            choices=WaitingFor.values,
            help="only those waiting for this (repeatable)",
        )
        parser.add_argument("--id", action="append", type=int, help="only this registration (repeatable)")

    def handle(self, *args: Any, **options: Any) -> None:
        filters = {
            "stage__in": options["stage"],
            "waiting_for__in": options["waiting_for"],
            "pk__in": options["id"],
        }
        selected = Registration.objects.filter(
            **{key: value for key, value in filters.items() if value}
        ).order_by("pk")
        try:
            (self._write_json if options["json"] else self._write_table)(selected)
        except BrokenPipeError:
            # The reader (head, grep -q) closed the pipe. Python's flush at exit must not fail either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _write_json(self, selected: QuerySet[Registration]) -> None:
        for row in export(selected):
            self.stdout.write(json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False))

    def _write_table(self, selected: QuerySet[Registration]) -> None:
        self.stdout.write(f"{'ID':>6}  {'STAGE':12}  {'WAITING FOR':11}  {'LABEL':30}  REASON")
        columns = ("pk", "stage", "waiting_for", "label", "reason", "hold")
        for pk, stage, waiting_for, label, reason, hold in selected.values_list(*columns).iterator():
            prefix = "HOLD " if hold and not reason.startswith("On hold") else ""
            self.stdout.write(
                f"{pk:>6}  {stage:12}  {waiting_for:11}  {label[:30]:30}  {prefix}{reason}".rstrip()
            )
