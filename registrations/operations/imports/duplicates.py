"""Rows that look like an existing customer: by mobile, by email, or by name and address.

Compared with the saved registrations in a few queries for many rows, and with the earlier rows of the same table.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Min
from django.db.models.fields.json import KT

from registrations.intake.form import RegistrationForm
from registrations.intake.form.text import one_line
from registrations.models import Import, Profile, Registration, TrustBundle
from registrations.models.choices import REMOVAL_STAGES, ItemState
from registrations.workflow.recorder import registry_limits

# Kind of match -> the column that shows it, and its name in texts.
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
    """The cleaned values that identify a customer. place: (address key, first name, last name)."""

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
    """A saved registration that matches a row; `kind` is a key of SHOWN_AT."""

    kind: str
    registration_id: int
    label: str

    @property
    def text(self) -> str:
        return f"Same {SHOWN_AT[self.kind][1]} as {self.label}, registration {self.registration_id}."


def find_matches(rows: Mapping[int, Identity]) -> dict[int, list[Match]]:
    """The saved registrations that match each row, by row number; four queries for any number of rows.

    Of several matching registrations the oldest is named. Removed registrations do not count.
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


def _oldest(parts: Any, *columns: str) -> Any:
    active = parts.exclude(registration__stage__in=REMOVAL_STAGES).order_by()
    return active.values_list(*columns).annotate(oldest=Min("registration_id"))


def same_person(form: RegistrationForm) -> tuple[str, str, str]:
    """Mobile, brand name, and email of a valid form: alike in all three, a row without external_id is a repetition."""
    parts = form.parts()
    bundle = parts["trust_bundle"]
    return bundle["mobile_phone_number"], bundle["brand_name"], parts["profile"]["email"]


def find_same_person(person: tuple[str, str, str]) -> int | None:
    """The registration of the same person, removed ones too."""
    mobile, brand_name, email = person
    same = Registration.objects.filter(
        trust_bundle__mobile_phone_number=mobile, trust_bundle__brand_name=brand_name, profile__email=email
    )
    return same.values_list("pk", flat=True).first()


class SeenRows:
    """The good rows of a table by what identifies customers, as typed except for spaces and punctuation."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], int] = {}

    @classmethod
    def of(cls, upload: Import, without: int | None = None) -> "SeenRows":
        """The rows that will be imported, except the row with number `without`."""
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

    def row_with_id(self, external_id: str, number: int) -> int | None:
        """The row with this external_id, other than row `number`."""
        found = self._first.get(("id", external_id)) if external_id else None
        return None if found == number else found

    def like(self, cells: Mapping[str, str | None], number: int) -> dict[str, int]:
        """{kind of match: row} of the rows other than row `number`."""
        found = {
            kind: self._first.get((kind, key), number) for kind, key in self._keys(cells) if kind != "id"
        }
        return {kind: row for kind, row in found.items() if row != number}

    @staticmethod
    def _keys(cells: Mapping[str, str | None]) -> list[tuple[str, str]]:
        text = {name: one_line(cells.get(name) or "").casefold() for name in _COLUMNS}
        address = registry_limits.address_key(
            text["street"], text["street_secondary"], text["postal_code"], "US"
        )
        keys = {
            "id": one_line(cells.get("external_id") or ""),
            "mobile": re.sub(r"\D", "", text["mobile_phone_number"])[-10:],  # with or without country code
            "email": text["email"],
            "place": f"{address}|{text['first_name']}|{text['last_name']}" if text["street"] else "",
        }
        return [(kind, key) for kind, key in keys.items() if key]


def texts(matches: list[Match], rows: Mapping[str, int]) -> dict[str, list[str]]:
    """The warnings of a row, by column."""
    found: dict[str, list[str]] = {}
    for match in matches:
        found.setdefault(SHOWN_AT[match.kind][0], []).append(match.text)
    for kind, number in rows.items():
        column, name = SHOWN_AT[kind]
        found.setdefault(column, []).append(f"Same {name} as row {number} of this file.")
    return found


def replaces(number: int) -> str:
    """The warning of a row with the external_id of row `number`."""
    return f"Row {number} has the same ID; this row replaces it."
