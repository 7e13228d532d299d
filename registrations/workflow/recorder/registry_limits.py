"""Counters before the wall: how often a mobile, an email or an address was used for brands of ours.

The Campaign Registry counts for a lifetime: what a brand was registered with stays used when the registration is edited or
taken down (LimitUse). A submitted registration whose brand is still to come counts with its present values. Each brand counts
once per value, however often it is resubmitted. The registry counts across all vendors, we only across our own registrations,
so these are lower bounds. Source: docs/twilio.md section 8 (mobile 3, email 10, address 10) and codes 30747, 30749,
30750.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q

from registrations.models import LimitUse, Registration
from registrations.models.choices import Stage
from registrations.twilio.statuses import BRAND_DELETION_FAILED, BRAND_EXPIRED, BRAND_FAILED
from registrations.workflow import locks

WARN_LEFT = 1  # say so when at most this many uses are left, ours included


@dataclass(frozen=True)
class Use:
    """field: the form field. used: brands of other registrations that used the value. limit: the registry's.
    ahead: registrations that will use it up before this one, by the same bulk act.
    """

    field: str
    label: str
    used: int
    limit: int
    code: int
    ahead: int = 0

    @property
    def spent(self) -> bool:
        """This registration would be one too many."""
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
    """The same for two spellings of one address: registration, accents, punctuation, the postal services' short forms, the
    word before a unit's number, and the last four digits of a ZIP+4 make no difference.

    >>> address_key("1 North Main St.", "Apt 4", "02139-1234", "US")
    'US|02139|1 n main st 4'
    >>> address_key("1 N. main street #4", "", "02139", "US")
    'US|02139|1 n main st 4'
    """
    plain = unicodedata.normalize("NFKD", f"{street} {street_secondary}".casefold())
    plain = re.sub(r"[.'’\u0300-\u036f]", "", plain)
    words = re.sub(r"[^\w\s]", " ", plain).split()
    short = " ".join(_ABBREVIATIONS.get(word, word) for word in words if word not in _UNIT_WORDS)
    postal = re.sub(r"\W", "", postal_code).casefold()
    return f"{iso_country}|{postal[:5] if iso_country == 'US' else postal}|{short}"[:255]


# Before a unit's number one writes any of these, or only "#".
_UNIT_WORDS = frozenset({"apartment", "apt", "suite", "ste", "unit", "room", "rm", "no"})
# The postal services' own short forms of the commonest words.
_ABBREVIATIONS = {
    "street": "st",
    "str": "st",
    "avenue": "ave",
    "av": "ave",
    "boulevard": "blvd",
    "road": "rd",
    "drive": "dr",
    "lane": "ln",
    "court": "ct",
    "place": "pl",
    "plaza": "plz",
    "square": "sq",
    "highway": "hwy",
    "parkway": "pkwy",
    "expressway": "expy",
    "terrace": "ter",
    "trail": "trl",
    "circle": "cir",
    "crescent": "cres",
    "heights": "hts",
    "mount": "mt",
    "saint": "st",
    "north": "n",
    "south": "s",
    "east": "e",
    "west": "w",
    "northeast": "ne",
    "northwest": "nw",
    "southeast": "se",
    "southwest": "sw",
    "floor": "fl",
    "building": "bldg",
}


@dataclass(frozen=True)
class _Counted:
    """One counted value: the form's field, where it stands (part, column), and what a Use says of it."""

    field: str
    part: str
    column: str
    label: str
    limit: int
    code: int

    @property
    def path(self) -> str:
        """The value as a lookup from a registration."""
        return f"{self.part}__{self.column}"


_COUNTED = (
    _Counted("mobile_phone_number", "trust_bundle", "mobile_phone_number", "mobile", 3, 30750),
    _Counted("email", "profile", "email_key", "email address", 10, 30749),
    _Counted("street", "profile", "address_key", "address", 10, 30747),
)
NO_VALUES = ("",) * len(_COUNTED)


# --- what is used up -----------------------------------------------------------------------------------------------
def note_uses(registration: Registration, content: Mapping[str, Any], at: datetime) -> None:
    """Keep what the registration's brand has used up, now that Twilio took these inputs for it.

    `content` has the shape of steps.inputs.bundle_content. The same brand with the same value is noted once.
    """
    values = zip(_COUNTED, values_in(content), strict=True)
    LimitUse.objects.bulk_create(
        [
            LimitUse(
                field=one.field,
                value=value,
                brand_sid=registration.brand.sid,
                registration_id=registration.pk,
                at=at,
            )
            for one, value in values
            if value
        ],
        ignore_conflicts=True,
    )


def values_in(content: Mapping[str, Any]) -> tuple[str, ...]:
    """Mobile, email key and address key of inputs as they were sent; "" for what is not among them."""
    profile = content.get("profile", {})
    address = profile.get("address", {})
    place = [
        str(address.get(name) or "") for name in ("street", "street_secondary", "postal_code", "iso_country")
    ]
    return (
        str(content.get("sole_proprietor", {}).get("mobile_phone_number") or ""),
        str(profile.get("person", {}).get("email") or "").casefold(),
        address_key(*place) if address else "",
    )


def holds(registration: Registration) -> bool:
    """Whether the registration's present values count: its brand has them, or is about to."""
    if registration.removing or registration.stage == Stage.REMOVED:
        return False
    return registration.was_submitted or bool(registration.brand.sid)


_HOLDS = (Q(submitted_revision__gt=0) | ~Q(brand__sid="")) & Q(removing=False) & ~Q(stage=Stage.REMOVED)


def take_turn() -> None:
    """Before counting in order to submit: until the caller's transaction ends nobody else counts to that end, so two
    registrations cannot both take the last use."""
    locks.turn("limits")


# --- counting ------------------------------------------------------------------------------------------------------
def uses(
    *, mobile: str = "", email: str = "", address: str = "", without: Registration | None = None
) -> list[Use]:
    """How often other brands used these values; one entry per value given. `address` is an address_key."""
    return uses_of_values({0: ((mobile, email.casefold(), address), without)})[0]


def uses_of(registration: Registration) -> list[Use]:
    """The counters of a saved registration."""
    return uses_of_many([registration])[registration.pk]


def uses_of_many(registrations: Iterable[Registration]) -> dict[int, list[Use]]:
    """The counters of many saved registrations by pk, at the cost of five queries however many they are."""
    return uses_of_values(
        {registration.pk: (values_of(registration), registration) for registration in registrations}
    )


def counted(registration: Registration) -> bool:
    """Whether Submit is held to these limits: only a brand that is still to be made, or to be resubmitted,
    uses the values up, and a supervisor may have let it pass."""
    return not registration.limit_override and (
        not registration.brand.sid or _makes_way(registration) or registration.brand.status == BRAND_FAILED
    )


def _makes_way(registration: Registration) -> bool:
    """The brand will be followed by another one, which is a use of its own."""
    brand = registration.brand
    return bool(brand.missing_since) or brand.status in (BRAND_EXPIRED, BRAND_DELETION_FAILED)


def values_of(registration: Registration) -> tuple[str, ...]:
    """Mobile, email key and address key of a saved registration."""
    return tuple(str(getattr(getattr(registration, one.part), one.column)) for one in _COUNTED)


def changed_fields(before: Sequence[str], after: Sequence[str]) -> set[str]:
    """The form's fields whose counted value differs; both as values_of gives them."""
    return {one.field for one, was, now in zip(_COUNTED, before, after, strict=True) if was != now}


def columns() -> tuple[str, ...]:
    """Where those three values stand, as lookups from a registration."""
    return tuple(one.path for one in _COUNTED)


def uses_of_values(asked: Mapping[int, tuple[Sequence[str], Registration | None]]) -> dict[int, list[Use]]:
    """The counters for values that need not be saved yet, by any number of the caller's.

    asked: number -> (mobile, email key, address key; "" for none), and the saved registration that asks, if there is one:
    its own present brand is left out. Five queries however many there are.
    """
    values = {value for given, _ in asked.values() for value in given} - {""}
    if not values:
        return {number: [] for number in asked}
    noted = LimitUse.objects.filter(field__in=[one.field for one in _COUNTED], value__in=values).order_by()
    used = Counter({(f, v): n for f, v, n in noted.values_list("field", "value").annotate(n=Count("pk"))})
    for place, one in enumerate(_COUNTED):
        used.update(_about_to(one, {given[place] for given, _ in asked.values()} - {""}))
    sids = {registration.brand.sid for _, registration in asked.values() if registration} - {""}
    own = set(noted.filter(brand_sid__in=sids).values_list("field", "value", "brand_sid")) if sids else set()
    return {
        number: [
            Use(
                one.field,
                one.label,
                max(0, used[one.field, value] - _own(registration, place, value, own)),
                one.limit,
                one.code,
            )
            for place, (one, value) in enumerate(zip(_COUNTED, given, strict=True))
            if value
        ]
        for number, (given, registration) in asked.items()
    }


def _about_to(one: _Counted, values: set[str]) -> Counter[tuple[str, str]]:
    """Registrations that hold one of these values and whose brand has not been noted with it."""
    if not values:
        return Counter()
    noted = LimitUse.objects.filter(
        field=one.field, value=OuterRef(one.path), brand_sid=OuterRef("brand__sid")
    ).exclude(brand_sid="")
    registrations = Registration.objects.filter(
        _HOLDS, ~Exists(noted), **{f"{one.path}__in": values}
    ).order_by()
    rows = registrations.values_list(one.path).annotate(n=Count("pk"))
    return Counter({(one.field, str(value)): n for value, n in rows})


def _own(registration: Registration | None, place: int, value: str, noted: set[tuple[str, str, str]]) -> int:
    """How much of a count is the asking registration's own present brand."""
    if registration is None:
        return 0
    if (_COUNTED[place].field, value, registration.brand.sid) in noted:
        return 0 if _makes_way(registration) else 1
    return int(holds(registration) and values_of(registration)[place] == value)
