"""manage.py import_registrations FILE: registrations from a table, checked and saved as on the page."""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registrations.core.spreadsheets import Rows, csv_lines
from registrations.intake.form import CSV_COLUMNS, REQUIRED_COLUMNS
from registrations.models.choices import FeeKind
from registrations.operations.imports import FileProblem, RowResult, import_file, template
from registrations.operations.imports.tables import ERRORS_COLUMN, Row, errors_text
from registrations.workflow import prices

ACTOR = "import_registrations"
_OPTIONAL = [name for name in CSV_COLUMNS if name not in REQUIRED_COLUMNS]
COLUMNS_HELP = f"""
The first row names the columns, in any order.

Required: {", ".join(REQUIRED_COLUMNS)}

Optional: {", ".join(_OPTIONAL)}

- external_id: your own key for the customer. Importing the same ID again updates that registration: its columns
  replace the inputs, an empty cell empties one, a column the file lacks changes nothing. Without an external_id
  each row is a new registration, unless one with the same mobile, brand name, and email exists.
- has_embedded_links, has_embedded_phone, subscriber_opt_in, age_gated, direct_lending: true/false, yes/no
  or 1/0; empty means no.
- Phone numbers in any common format; without a country code they are read as US or Canadian.
- region: two letters or the full name. iso_country: US or CA.
- Keywords separated by commas or spaces.
- sender_number: a number you own at Twilio (+14155550123) or its SID (PN...); or area_code to buy one in (see
  --buy-numbers).

The file is CSV in UTF-8 (or Windows-1252), separated by commas, semicolons, or tabs; or an XLSX workbook, of
which the first visible sheet is read. A column named errors is ignored. Row numbers are those of a
spreadsheet: the header is row 1. Exit status: 0 when every row succeeded, 1 when a row failed or the file
could not be read.
"""


class Command(BaseCommand):
    help = "Create or update registrations from a CSV or XLSX file."

    def create_parser(self, *args: Any, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            *args, epilog=COLUMNS_HELP, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="check every row, write nothing")
        parser.add_argument(
            "--submit",
            action="store_true",
            help="submit each registration in the file whose present inputs are not submitted yet; this costs money",
        )
        parser.add_argument(
            "--hold-back",
            action="store_true",
            help="with --submit: leave registrations that the pre-flight expects to be rejected as drafts; without it "
            "they are submitted with warnings",
        )
        parser.add_argument(
            "--buy-numbers",
            type=_dollars,
            metavar="PRICE",
            help="with --submit: agree to buy a number for each submitted row with an area_code; PRICE is the monthly "
            "price of one in US dollars, as configured. Without it such registrations wait until the purchase is "
            "confirmed",
        )
        parser.add_argument(
            "--skip-duplicates",
            action="store_true",
            help="skip new rows with the mobile, the email, or the name and address of a saved registration or an "
            "earlier row; without it they are imported with a warning",
        )
        parser.add_argument(
            "--left-out",
            type=Path,
            metavar="CSV",
            help="write the rows that were not imported to this file, with the reasons in a column named errors; fix "
            "them and import it again",
        )
        parser.add_argument(
            "--template",
            action="store_true",
            help="write the empty table to FILE instead: .xlsx with drop-downs and help, or .csv",
        )
        parser.add_argument("--json", action="store_true", help="one JSON line per row instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["template"]:
            return self._template(options["file"])
        if options["left_out"] and options["left_out"].resolve() == options["file"].resolve():
            raise CommandError("--left-out is the imported file itself. Use a new name.")
        show = self._show_json if options["json"] else self._show
        price = prices.price(FeeKind.NUMBER_MONTHLY)
        _check_price(options, price)
        outcomes: Counter[str] = Counter()
        left_out: list[tuple[Row, RowResult]] = []
        try:
            with options["file"].open("rb") as file:
                for row, result in import_file(
                    file,
                    actor=ACTOR,
                    dry_run=options["dry_run"],
                    submit=options["submit"],
                    hold_back=options["hold_back"],
                    buy_numbers=options["buy_numbers"] is not None,
                    skip_duplicates=options["skip_duplicates"],
                ):
                    outcomes[result.outcome] += 1
                    outcomes["submitted"] += result.submitted
                    outcomes["failed"] += result.failed
                    outcomes[f"purchase {result.purchase}"] += 1
                    if not result.is_saved:
                        left_out.append((row, result))
                    show(result)
        except (FileProblem, OSError) as problem:
            raise CommandError(str(problem)) from problem
        if options["left_out"]:
            _write_csv(options["left_out"], _table(left_out))
        # With --json the summary goes to stderr, so that stdout has only JSON lines.
        summary = self.stderr if options["json"] else self.stdout
        summary.write(_summary(outcomes, options["dry_run"]))
        for text in _purchases(outcomes, price):
            summary.write(text)
        if outcomes["failed"]:
            raise SystemExit(1)

    def _template(self, file: Path) -> None:
        if file.suffix.lower() not in (".csv", ".xlsx"):
            raise CommandError(f"{file.name}: the template's name must end in .csv or .xlsx.")
        if file.exists():
            raise CommandError(f"{file} already exists. Use a new name.")
        if file.suffix.lower() == ".csv":
            _write_csv(file, template.header_lines())
        else:
            with template.workbook() as book:
                file.write_bytes(book.read())
        self.stdout.write(f"The empty table is in {file}.")

    def _show_json(self, result: RowResult) -> None:
        self.stdout.write(json.dumps(asdict(result) | {"failed": result.failed}, ensure_ascii=False))

    def _show(self, result: RowResult) -> None:
        name = f" ({result.external_id})" if result.external_id else ""
        registration = f" registration {result.registration_id}" if result.registration_id else ""
        submitted = ", submitted" if result.submitted else ""
        purchase = _PURCHASE[result.purchase]
        self.stdout.write(f"row {result.row}{name}: {result.outcome}{registration}{submitted}{purchase}")
        for mark, messages in (("error", result.errors), ("note", result.warnings)):
            for column, texts in messages.items():
                for text in texts:
                    self.stdout.write(f"    {mark}{f', {column}' if column else ''}: {text}")


def _table(left_out: list[tuple[Row, RowResult]]) -> Iterator[list[str]]:
    """Header and lines of the rows that were not imported, to be fixed and imported again."""
    names = {name for row, _ in left_out for name in row.cells}
    columns = [name for name in CSV_COLUMNS if name in names] or list(CSV_COLUMNS)
    yield [*columns, ERRORS_COLUMN]
    for row, result in left_out:
        yield [*(row.cells.get(name, "") for name in columns), errors_text(result.errors or result.warnings)]


def _write_csv(file: Path, rows: Rows) -> None:
    try:
        with file.open("w", encoding="utf-8", newline="") as out:
            out.writelines(csv_lines(rows))
    except OSError as problem:
        raise CommandError(str(problem)) from problem


_PURCHASE = {"": "", "agreed": ", a number will be bought", "asked": ", waiting to buy a number"}


def _dollars(text: str) -> Decimal:
    try:
        price = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        price = Decimal("NaN")
    if not price.is_finite():
        raise argparse.ArgumentTypeError(f"{text!r} is not a price; write it like 1.15.")
    return price


def _check_price(options: dict[str, Any], price: Decimal) -> None:
    """--buy-numbers must be the configured price, and only makes sense with --submit."""
    agreed = options["buy_numbers"]
    if agreed is None:
        return
    if not options["submit"]:
        raise CommandError(
            "--buy-numbers needs --submit: numbers are bought only for submitted registrations."
        )
    if agreed != price:
        raise CommandError(
            f"--buy-numbers: a number costs ${price:.2f} a month, not ${agreed:.2f}. To agree, use "
            f"--buy-numbers {price:.2f}."
        )


def _purchases(outcomes: Counter[str], price: Decimal) -> Iterator[str]:
    each = f"${price:.2f} a month each"
    if agreed := outcomes["purchase agreed"]:
        yield f"Numbers that will be bought: {agreed}, {each}."
    if asked := outcomes["purchase asked"]:
        yield (
            f"Numbers to buy: {asked}, {each}. Nothing is bought until someone agrees: confirm it on each "
            f"registration's page, or import rows with an external_id again with --submit --buy-numbers {price:.2f}."
        )


def _summary(outcomes: Counter[str], dry_run: bool) -> str:
    order = ("created", "updated", "unchanged", "skipped", "error", "submitted")
    counts = ", ".join(f"{outcomes[name]} {name}" for name in order if outcomes[name]) or "no rows"
    return f"{'Dry run, nothing written: ' if dry_run else ''}{counts}."
