"""Counters before the wall: how often a mobile, an e-mail or an address was used for brands of ours.

The Campaign Registry counts across all vendors, we only across our own cases, so these are lower bounds.
Source: Twilio facts, section 8 (mobile 3, e-mail 10, address 10) and codes 30747, 30749, 30750.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from registrations.models import Mirror, Profile, Registration, RetiredResource, TrustBundle
from registrations.states import BRAND_FAILED

WARN_LEFT = 1  # say so when at most this many uses are left, ours included


@dataclass(frozen=True)
class Use:
    """field: the form field. used: brands of other cases that used the value. limit: the registry's.
    ahead: cases that will use it up before this one, by the same bulk act.
    """

    field: str
    label: str
    used: int
    limit: int
    code: int
    ahead: int = 0

    @property
    def spent(self) -> bool:
        """This case would be one too many."""
        return self.used + self.ahead >= self.limit

    @property
    def near(self) -> bool:
        return not self.spent and self.limit - self.used - 1 <= WARN_LEFT and self.used > 0

    @property
    def text(self) -> str:
        if self.spent and self.ahead:
            before = f"{self.used} other brand{'' if self.used == 1 else 's'} and " if self.used else ""
            chosen = "1 registration" if self.ahead == 1 else f"{self.ahead} registrations"
            return (
                f"This {self.label} is used for {before}{chosen} before this one among the chosen; The Campaign "
                f"Registry takes {self.limit} ({self.code}). Use another one."
            )
        if self.spent:
            return (
                f"This {self.label} was used for {self.used} other brands; The Campaign Registry takes {self.limit} "
                f"({self.code}). Use another one."
            )
        left = self.limit - self.used - 1
        others = "1 other brand" if self.used == 1 else f"{self.used} other brands"
        return f"This {self.label} was used for {others}; after this one {left or 'none'} of {self.limit} is left."


def address_key(street: str, street_secondary: str, postal_code: str, iso_country: str) -> str:
    """The same for two spellings of one address.

    >>> address_key("1 Main St.", "Apt 4", "02139-1234", "US") == address_key("1  main street", "APT 4", "02139", "US")
    True
    """
    words = re.sub(r"[^\w\s]", " ", f"{street} {street_secondary}".casefold()).split()
    short = " ".join(_ABBREVIATIONS.get(word, word) for word in words)
    postal = re.sub(r"\W", "", postal_code).casefold()
    return f"{iso_country}|{postal[:5] if iso_country == 'US' else postal}|{short}"[:255]


# The postal services' own short forms of the commonest words.
_ABBREVIATIONS = {
    "street": "st",
    "avenue": "ave",
    "boulevard": "blvd",
    "road": "rd",
    "drive": "dr",
    "lane": "ln",
    "court": "ct",
    "place": "pl",
    "square": "sq",
    "highway": "hwy",
    "parkway": "pkwy",
    "terrace": "ter",
    "circle": "cir",
    "north": "n",
    "south": "s",
    "east": "e",
    "west": "w",
    "apartment": "apt",
    "suite": "ste",
    "unit": "unit",
}


# Where the counted values stand: part, column, and what a Use says of it.
_COUNTED: tuple[tuple[str, str, tuple[str, str, int, int]], ...] = (
    ("trust_bundle", "mobile_phone_number", ("mobile_phone_number", "mobile", 3, 30750)),
    ("profile", "email_key", ("email", "e-mail address", 10, 30749)),
    ("profile", "address_key", ("street", "address", 10, 30747)),
)
_MIRRORS: dict[str, type[Mirror]] = {"profile": Profile, "trust_bundle": TrustBundle}


def uses(
    *, mobile: str = "", email: str = "", address: str = "", without: Registration | None = None
) -> list[Use]:
    """How often other cases used these values; one entry per value given. `address` is an address_key."""
    found = []
    for (part, column, (field, label, limit, code)), value in zip(
        _COUNTED, (mobile, email.casefold(), address), strict=True
    ):
        if value:
            mirrors = _MIRRORS[part]._default_manager.filter(**{column: value})
            found.append(Use(field, label, _brands(mirrors, without), limit, code))
    return found


def uses_of(registration: Registration) -> list[Use]:
    """The counters of a saved case."""
    profile = registration.profile
    return uses(
        mobile=str(registration.trust_bundle.mobile_phone_number),
        email=profile.email,
        address=profile.address_key,
        without=registration,
    )


def counted(registration: Registration) -> bool:
    """Whether Submit is held to these limits: only a brand that is still to be made, or to be resubmitted,
    uses the values up, and a supervisor may have let it pass."""
    brand = registration.brand
    return not registration.limit_override and (not brand.sid or brand.status == BRAND_FAILED)


def uses_of_many(registrations: Iterable[Registration]) -> dict[int, list[Use]]:
    """The counters of many saved cases by pk, at the cost of six queries however many they are."""
    return uses_of_values({case.pk: (values_of(case), used_values_of(case)) for case in registrations})


def values_of(registration: Registration) -> tuple[str, ...]:
    """Mobile, e-mail key and address key of a saved case."""
    return tuple(str(getattr(getattr(registration, part), column)) for part, column, _ in _COUNTED)


def columns() -> tuple[str, ...]:
    """Where those three values stand, as lookups from a registration."""
    return tuple(f"{part}__{column}" for part, column, _ in _COUNTED)


NO_VALUES = ("",) * len(_COUNTED)


def used_values_of(registration: Registration) -> tuple[str, ...]:
    """The values that the case's own brand has used, or is about to; empty ones when it has none."""
    used = registration.was_submitted or bool(registration.brand.sid)
    return values_of(registration) if used else NO_VALUES


def uses_of_values(asked: Mapping[int, tuple[Sequence[str], Sequence[str]]]) -> dict[int, list[Use]]:
    """The counters for values that need not be saved yet, by any number of the caller's.

    asked: number -> (mobile, e-mail key, address key), and the same three as the asker's own brand used them;
    "" for none. Six queries however many there are.
    """
    if not asked:
        return {}
    found: dict[int, list[Use]] = {number: [] for number in asked}
    for place, (part, column, (field, label, limit, code)) in enumerate(_COUNTED):
        brands = _brands_by(part, column, {values[place] for values, _ in asked.values()} - {""})
        for number, (values, own) in asked.items():
            if value := values[place]:
                used = max(0, brands[value] - (value == own[place]))
                found[number].append(Use(field, label, used, limit, code))
    return found


def _brands_by(part: str, column: str, values: set[str]) -> Counter[str]:
    """How many brands used each of these values, those of the cases that are asked about included."""
    used = Q(submitted_revision__gt=0) | ~Q(brand__sid="")
    cases = Registration.objects.filter(used, **{f"{part}__{column}__in": values}).order_by()
    found: Counter[str] = Counter()
    for rows in (cases, cases.filter(retired__kind="brand")):
        for value, count in rows.values_list(f"{part}__{column}").annotate(n=Count("pk")):
            found[str(value)] += count
    return found


def _brands(mirrors: QuerySet, without: Registration | None) -> int:
    """Brands registered, or about to be, by the cases of these mirrors; retired brands were used as well."""
    pks = mirrors.filter(
        Q(registration__submitted_revision__gt=0) | ~Q(registration__brand__sid="")
    ).values_list("registration_id", flat=True)
    others = [pk for pk in pks[:200] if without is None or pk != without.pk]
    retired = RetiredResource.objects.filter(kind="brand", registration_id__in=pks).count()
    return len(others) + retired
