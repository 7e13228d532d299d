"""Rows that look like a customer who is here already: by mobile, by email, by name and address.

Compared with the saved registrations by a few queries for many rows, and with the earlier rows of the same table.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Min
from django.db.models.fields.json import KT

from registrations.intake.form.text import one_line
from registrations.models import Import, Profile, Registration, TrustBundle
from registrations.models.choices import REMOVAL_STAGES, ItemState
from registrations.workflow.recorder import registry_limits

# Kind of likeness -> the column at which it is shown, and what it is called.
SHOWN_AT = {
    "mobile": ("mobile_phone_number", "mobile"),
    "email": ("email", "email address"),
    "place": ("street", "name and address"),
}
_COLUMNS = (
    *("external_id", "mobile_phone_number", "email"),
    *("first_name", "last_name", "street", "street_secondary", "postal_code"),
)


@dataclass(frozen=True)
class Identity:
    """By what a customer is told from others; cleaned values. place: (address key, first name, last name)."""

    mobile: str
    email: str
    place: tuple[str, str, str]

    @classmethod
    def of(cls, parts: Mapping[str, Mapping[str, Any]]) -> "Identity":
        profile = parts["profile"]
        address = (profile[name] for name in ("street", "street_secondary", "postal_code", "iso_country"))
        names = (profile["first_name"].casefold(), profile["last_name"].casefold())
        return cls(
            mobile=parts["trust_bundle"]["mobile_phone_number"],
            email=profile["email"].casefold(),
            place=(registry_limits.address_key(*address), *names),
        )


@dataclass(frozen=True)
class Match:
    """A saved registration that is like a row; `kind` is a key of SHOWN_AT."""

    kind: str
    registration_id: int
    label: str

    @property
    def text(self) -> str:
        return f"Same {SHOWN_AT[self.kind][1]} as {self.label}, registration {self.registration_id}."


def in_registrations(rows: Mapping[int, Identity]) -> dict[int, list[Match]]:
    """The saved registrations that each row is like, by the caller's numbers: four queries however many rows.

    Of several registrations alike the oldest is named. Registrations that were taken down do not count.
    """
    bundles = TrustBundle.objects.filter(mobile_phone_number__in={row.mobile for row in rows.values()})
    emails = Profile.objects.filter(email_key__in={row.email for row in rows.values()})
    places = Profile.objects.filter(address_key__in={row.place[0] for row in rows.values()})
    found: dict[tuple[str, Any], int] = {}
    for mobile, pk in _oldest(bundles, "mobile_phone_number"):
        found["mobile", str(mobile)] = pk
    for email, pk in _oldest(emails, "email_key"):
        found["email", email] = pk
    for key, first, last, pk in _oldest(places, "address_key", "first_name", "last_name"):
        found.setdefault(("place", (key, first.casefold(), last.casefold())), pk)
    labels = dict(Registration.objects.filter(pk__in=set(found.values())).values_list("pk", "label"))
    return {
        number: [
            Match(kind, pk, labels.get(pk, ""))
            for kind in SHOWN_AT
            if (pk := found.get((kind, getattr(row, kind))))
        ]
        for number, row in rows.items()
    }


def _oldest(mirrors: Any, *columns: str) -> Any:
    standing = mirrors.exclude(registration__stage__in=REMOVAL_STAGES).order_by()
    return standing.values_list(*columns).annotate(oldest=Min("registration_id"))


class Seen:
    """The good rows of a table by what tells customers apart, as typed but for blanks and punctuation."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], int] = {}

    @classmethod
    def of(cls, upload: Import, without: int | None = None) -> "Seen":
        """The rows that are to be imported; `without` leaves one out, by its number."""
        seen = cls()
        rows = upload.rows.filter(state=ItemState.WILL).order_by("number")
        if without is not None:
            rows = rows.exclude(number=without)
        for number, *cells in rows.values_list("number", *(KT(f"cells__{name}") for name in _COLUMNS)):
            seen.add(number, dict(zip(_COLUMNS, cells, strict=True)))
        return seen

    def add(self, number: int, cells: Mapping[str, str | None]) -> None:
        for key in self._keys(cells):
            self._first.setdefault(key, number)

    def row_with_id(self, external_id: str) -> int | None:
        """The row that has this external_id."""
        return self._first.get(("id", external_id)) if external_id else None

    def like(self, cells: Mapping[str, str | None]) -> dict[str, int]:
        """Kind of likeness -> number of the row."""
        keys = (key for key in self._keys(cells) if key[0] != "id" and key in self._first)
        return {key[0]: self._first[key] for key in keys}

    @staticmethod
    def _keys(cells: Mapping[str, str | None]) -> list[tuple[str, str]]:
        text = {name: one_line(cells.get(name) or "").casefold() for name in _COLUMNS}
        # Country codes are written or left out, and ZIP codes have five digits or nine.
        address = registry_limits.address_key(
            text["street"], text["street_secondary"], text["postal_code"], "US"
        )
        keys = {
            "id": one_line(cells.get("external_id") or ""),
            "mobile": re.sub(r"\D", "", text["mobile_phone_number"])[-10:],
            "email": text["email"],
            "place": f"{address}|{text['first_name']}|{text['last_name']}" if text["street"] else "",
        }
        return [(kind, key) for kind, key in keys.items() if key]


def texts(matches: list[Match], rows: Mapping[str, int]) -> dict[str, list[str]]:
    """What is said of a row, by column."""
    said: dict[str, list[str]] = {}
    for match in matches:
        said.setdefault(SHOWN_AT[match.kind][0], []).append(match.text)
    for kind, number in rows.items():
        column, name = SHOWN_AT[kind]
        said.setdefault(column, []).append(f"Same {name} as row {number} of this file.")
    return said
