"""The empty table to fill in: a CSV header, or a workbook with drop-downs and a sheet that explains each column."""

from collections.abc import Iterator
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any

from django import forms
from django.db.models import CharField
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from registrations.intake.form import CSV_COLUMNS, PARTS, REQUIRED_COLUMNS, RegistrationForm
from registrations.models.profile import Country

SHEET, HELP_SHEET = "Customers", "Help"
ROWS_WITH_CHOICES = 10_001
AS_TEXT = "@"  # as a number, a ZIP code would lose its leading 0
_BOLD = Font(bold=True)
_WRAPPED = Alignment(wrap_text=True, vertical="top")
# A complete, valid customer.
EXAMPLES: dict[str, str] = {
    "first_name": "Ann",
    "last_name": "Lee",
    "email": "ann@annleenails.example",
    "phone_number": "(415) 555-0123",
    "mobile_phone_number": "415-555-0124",
    "brand_name": "Ann Lee Nails",
    "vertical": "PROFESSIONAL",
    "street": "1 Main St",
    "street_secondary": "Apt 4",
    "city": "Boston",
    "region": "MA",
    "postal_code": "02139",
    "iso_country": "US",
    "description": "Ann Lee Nails sends appointment reminders to clients who booked online.",
    "message_flow": "Clients tick an unticked box at https://annleenails.example/book to get reminders.",
    "message_sample_1": "Ann Lee Nails: see you on [date]. Reply STOP to opt out.",
    "message_sample_2": "Ann Lee Nails: your booking of [date] is confirmed. Reply STOP to opt out.",
    "has_embedded_links": "no",
    "has_embedded_phone": "no",
    "subscriber_opt_in": "yes",
    "age_gated": "no",
    "direct_lending": "no",
    "opt_in_message": "Ann Lee Nails: you are in. Reply HELP for help, STOP to opt out.",
    "opt_in_keywords": "START, JOIN",
    "privacy_policy_url": "https://annleenails.example/privacy",
    "terms_and_conditions_url": "https://annleenails.example/terms",
    "sender_number": "+14155550199",
    "area_code": "415",
    "external_id": "C-1042",
}
# Columns of one line, whose widgets have no counter.
_MAX_LENGTHS = {
    name: field.max_length
    for model, names in PARTS.values()
    for name in names
    if type(field := model._meta.get_field(name)) is CharField and not field.choices
}
# "region" also accepts full names; the others describe their length in their help.
_LENGTH_IN_HELP = ("region", "area_code", "sender_number")


@dataclass(frozen=True)
class Column:
    """What a person needs to know about one column. `allowed`: the accepted words; empty for free text."""

    name: str
    label: str
    required: bool
    about: str
    allowed: tuple[str, ...]
    length: str
    example: str


def columns() -> list[Column]:
    """Every column in the order of the table, described by the form that checks it."""
    return [_column(name, RegistrationForm.base_fields[name]) for name in CSV_COLUMNS]


def _column(name: str, field: forms.Field) -> Column:
    low, high = (field.widget.attrs.get(f"data-{end}") for end in ("min", "max"))
    high = high or (_MAX_LENGTHS.get(name) if name not in _LENGTH_IN_HELP else None)
    return Column(
        name=name,
        label=str(field.label or name.replace("_", " ")),
        required=name in REQUIRED_COLUMNS,
        about=str(field.help_text),
        allowed=_allowed(name, field),
        length=f"{low} to {high} characters" if low else f"at most {high} characters" if high else "",
        example=EXAMPLES.get(name, ""),
    )


def _allowed(name: str, field: forms.Field) -> tuple[str, ...]:
    if isinstance(field, forms.BooleanField):
        return ("yes", "no")
    if name == "iso_country":
        return tuple(Country.values)
    choices: Any = getattr(field, "choices", ())
    return tuple(str(key) for key, _ in choices if key)


def header_lines() -> Iterator[tuple[str, ...]]:
    """The CSV template: only the header, because a sample row would be imported as a customer."""
    yield CSV_COLUMNS


def workbook() -> IO[bytes]:
    """The XLSX template, open for reading: an empty sheet of text cells with drop-downs, and the Help sheet."""
    book = Workbook(write_only=True)
    _customers(book.create_sheet(SHEET))
    _help(book.create_sheet(HELP_SHEET))
    file = TemporaryFile()  # noqa: SIM115 (the response closes it)
    book.save(file)
    file.seek(0)
    return file


def _customers(sheet: Any) -> None:
    sheet.freeze_panes = "A2"
    for place, column in enumerate(columns(), start=1):
        letter = get_column_letter(place)
        dimension = sheet.column_dimensions[letter]
        dimension.width = max(14, len(column.name) + 3)
        dimension.number_format = AS_TEXT
        if column.allowed:
            words = f'"{",".join(column.allowed)}"'
            # A validation's list has at most 255 characters; a longer one is only in the Help sheet.
            if len(words) <= 255:
                choice = DataValidation(type="list", formula1=words, allow_blank=True, showErrorMessage=True)
                choice.add(f"{letter}2:{letter}{ROWS_WITH_CHOICES}")
                sheet.data_validations.append(choice)
    sheet.append([_bold(sheet, column.name) for column in columns()])


def _help(sheet: Any) -> None:
    sheet.freeze_panes = "A2"
    for letter, width in zip("ABCDEFG", (26, 26, 10, 70, 44, 24, 44), strict=True):
        sheet.column_dimensions[letter].width = width
    titles = ("Column", "What it is", "Required", "About", "Allowed", "Length", "Example")
    sheet.append([_bold(sheet, title) for title in titles])
    for column in columns():
        allowed = ", ".join(column.allowed)
        required = "yes" if column.required else "no"
        texts = (column.name, column.label, required, column.about, allowed, column.length, column.example)
        sheet.append([_wrapped(sheet, text) for text in texts])


def _bold(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, text)
    cell.font = _BOLD
    return cell


def _wrapped(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, text)
    cell.alignment = _WRAPPED
    cell.number_format = AS_TEXT
    cell.data_type = "s"  # not a formula: "+1415…"
    return cell
