"""manage.py import_registrations FILE.csv: cases from a table, by the same form as the page."""

import argparse
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registrations.forms import CSV_COLUMNS, REQUIRED_COLUMNS
from registrations.importing import FileProblem, RowResult, import_file

ACTOR = "import_registrations"
_REST = [name for name in CSV_COLUMNS if name not in REQUIRED_COLUMNS]
COLUMNS_HELP = f"""
The first row names the columns, in any order.

Required: {", ".join(REQUIRED_COLUMNS)}

Optional: {", ".join(_REST)}

- external_id: your own key of the customer. Importing the same one again updates that case; its columns
  replace the inputs, an empty cell empties one, a column that the file lacks leaves it alone. Without an
  external_id each row is a new case, unless one with the same mobile, brand name and e-mail exists.
- has_embedded_links, has_embedded_phone, subscriber_opt_in, age_gated, direct_lending: true/false, yes/no
  or 1/0; empty means no.
- Phone numbers in any common typing; without a country code they are read as US or Canadian.
- region: two letters or the full name. iso_country: US or CA.
- Keywords apart by commas or spaces.
- sender_number: a number you own at Twilio (+14155550123) or its SID (PN...); or area_code to buy in.

The file is UTF-8 (or Windows-1252), apart by commas, semicolons or tabs. Row numbers are those of a
spreadsheet: the header is row 1. Exit status: 0 when every row went well, 1 when a row failed or the file
could not be read.
"""


class Command(BaseCommand):
    help = "Create or update registrations from a CSV file."

    def create_parser(self, *args: Any, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            *args, epilog=COLUMNS_HELP, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument("--dry-run", action="store_true", help="check every row, write nothing")
        parser.add_argument(
            "--submit",
            action="store_true",
            help="submit each case of the file whose present inputs are not submitted yet; this spends money",
        )
        parser.add_argument("--json", action="store_true", help="one JSON line per row instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        show = self._show_json if options["json"] else self._show
        outcomes: Counter[str] = Counter()
        try:
            with options["file"].open("rb") as file:
                for result in import_file(
                    file, actor=ACTOR, dry_run=options["dry_run"], submit=options["submit"]
                ):
                    outcomes[result.outcome] += 1
                    outcomes["submitted"] += result.submitted
                    outcomes["failed"] += result.failed
                    show(result)
        except (FileProblem, OSError) as problem:
            raise CommandError(str(problem)) from problem
        # Beside JSON lines the summary goes to stderr, so that stdout can be piped on.
        (self.stderr if options["json"] else self.stdout).write(_summary(outcomes, options["dry_run"]))
        if outcomes["failed"]:
            raise SystemExit(1)

    def _show_json(self, result: RowResult) -> None:
        self.stdout.write(json.dumps(asdict(result) | {"failed": result.failed}, ensure_ascii=False))

    def _show(self, result: RowResult) -> None:
        name = f" ({result.external_id})" if result.external_id else ""
        case = f" registration {result.registration_id}" if result.registration_id else ""
        submitted = ", submitted" if result.submitted else ""
        self.stdout.write(f"row {result.row}{name}: {result.outcome}{case}{submitted}")
        for mark, messages in (("error", result.errors), ("note", result.warnings)):
            for column, texts in messages.items():
                for text in texts:
                    self.stdout.write(f"    {mark}{f', {column}' if column else ''}: {text}")


def _summary(outcomes: Counter[str], dry_run: bool) -> str:
    order = ("created", "updated", "unchanged", "skipped", "error", "submitted")
    counts = ", ".join(f"{outcomes[name]} {name}" for name in order if outcomes[name]) or "no rows"
    return f"{'Dry run, nothing written: ' if dry_run else ''}{counts}."
