"""The Campaign Registry's limits: how many of our brands used a mobile, an email, or an address.

The registry counts forever: a value stays used after the registration is edited or removed from Twilio (LimitUse). A
submitted registration without a brand counts with its current values. Each brand counts once per value, however often
it is resubmitted. The registry counts across all vendors, we only across our own registrations, so these are lower
bounds. Source: docs/twilio.md section 8 (mobile 3, email 10, address 10) and codes 30747, 30749, 30750.
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

WARN_LEFT = 1  # warn if at most this many uses are left after this one


@dataclass(frozen=True)
class Use:
    """How much of one limit is used.

    field: the form field. used: other registrations' brands with the same value. limit: the registry's limit.
    ahead: registrations before this one in the same bulk action that will use the value.
    """

    field: str
    label: str
    used: int
    limit: int
    code: int
    ahead: int = 0

    @property
    def exhausted(self) -> bool:
        """This registration would exceed the limit."""
        return self.used + self.ahead >= self.limit

    @property
    def nearly_exhausted(self) -> bool:
        return not self.exhausted and self.limit - self.used - 1 <= WARN_LEFT and self.used > 0

    @property
    def text(self) -> str:
        if self.exhausted and self.ahead:
            brands = f"{self.used} other brand{'' if self.used == 1 else 's'} and " if self.used else ""
            selected = "1 registration" if self.ahead == 1 else f"{self.ahead} registrations"
            return (
                f"This {self.label} is used for {brands}{selected} selected before this one. The Campaign Registry "
                f"allows {self.limit} ({self.code}). Use another one."
            )
        if self.exhausted:
            return (
                f"This {self.label} was used for {self.used} other brands. The Campaign Registry allows {self.limit} "
                f"({self.code}). Use another one."
            )
        left = self.limit - self.used - 1
        others = "1 other brand" if self.used == 1 else f"{self.used} other brands"
        return f"This {self.label} was used for {others}. After this one, {left or 'none'} of {self.limit} is left."


def address_key(street: str, street_secondary: str, postal_code: str, iso_country: str) -> str:
    """The same key for two spellings of one address.

    Case, accents, punctuation, postal abbreviations, the word before a unit number, and the last four digits of a
    ZIP+4 make no difference.

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


# Words before a unit number; some people write only "#".
_UNIT_WORDS = frozenset({"apartment", "apt", "suite", "ste", "unit", "room", "rm", "no"})
# The postal services' abbreviations of the most common words.
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
class _Limit:
    """A value that the registry limits: its form field, its part and column, and the limit."""

    field: str
    part: str
    column: str
    label: str
    limit: int
    code: int

    @property
    def path(self) -> str:
        """The column as a lookup from a registration."""
        return f"{self.part}__{self.column}"


_LIMITS = (
    _Limit("mobile_phone_number", "trust_bundle", "mobile_phone_number", "mobile", 3, 30750),
    _Limit("email", "profile", "email_key", "email address", 10, 30749),
    _Limit("street", "profile", "address_key", "address", 10, 30747),
)
NO_VALUES = ("",) * len(_LIMITS)


# --- recording uses -----------------------------------------------------------------------------------------
def record_limit_uses(registration: Registration, content: Mapping[str, Any], at: datetime) -> None:
    """Record what the registration's brand used, now that Twilio accepted these inputs for it.

    `content` has the shape of steps.payloads.bundle_content. The same brand with the same value is recorded once.
    """
    values = zip(_LIMITS, values_in(content), strict=True)
    LimitUse.objects.bulk_create(
        [
            LimitUse(
                field=limit.field,
                value=value,
                brand_sid=registration.brand.sid,
                registration_id=registration.pk,
                used_at=at,
            )
            for limit, value in values
            if value
        ],
        ignore_conflicts=True,
    )


def values_in(content: Mapping[str, Any]) -> tuple[str, ...]:
    """Mobile, email key, and address key of inputs as sent; "" for what is missing."""
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


def counts_toward_limits(registration: Registration) -> bool:
    """Whether the registration's current values count: its brand has them, or will."""
    if registration.removing or registration.stage == Stage.REMOVED:
        return False
    return registration.was_submitted or bool(registration.brand.sid)


_COUNTS_TOWARD_LIMITS = (
    (Q(submitted_revision__gt=0) | ~Q(brand__sid="")) & Q(removing=False) & ~Q(stage=Stage.REMOVED)
)


def lock_limits() -> None:
    """Call this before counting in order to submit. Until the caller's transaction ends, other submitters wait here,
    so two registrations cannot both take the last use."""
    locks.transaction_lock("limits")


# --- counting -----------------------------------------------------------------------------------------------
def uses(
    *, mobile: str = "", email: str = "", address: str = "", without: Registration | None = None
) -> list[Use]:
    """How often other brands used these values; one entry per given value. `address` is an address_key."""
    return uses_of_values({0: ((mobile, email.casefold(), address), without)})[0]


def uses_of(registration: Registration) -> list[Use]:
    """The counts for a saved registration."""
    return uses_of_many([registration])[registration.pk]


def uses_of_many(registrations: Iterable[Registration]) -> dict[int, list[Use]]:
    """The counts for saved registrations, by pk. Always five queries."""
    return uses_of_values(
        {registration.pk: (values_of(registration), registration) for registration in registrations}
    )


def limits_apply(registration: Registration) -> bool:
    """Whether Submit must respect the limits: only creating or resubmitting a brand uses the values, and a
    supervisor may have overridden the limit."""
    return not registration.limit_override and (
        not registration.brand.sid
        or _will_be_replaced(registration)
        or registration.brand.status == BRAND_FAILED
    )


def _will_be_replaced(registration: Registration) -> bool:
    """The brand will be replaced by another one, which is a use of its own."""
    brand = registration.brand
    return bool(brand.missing_since) or brand.status in (BRAND_EXPIRED, BRAND_DELETION_FAILED)


def values_of(registration: Registration) -> tuple[str, ...]:
    """Mobile, email key, and address key of a saved registration."""
    return tuple(str(getattr(getattr(registration, limit.part), limit.column)) for limit in _LIMITS)


def changed_fields(before: Sequence[str], after: Sequence[str]) -> set[str]:
    """The form fields whose limited value differs; both arguments as from values_of."""
    return {limit.field for limit, old, new in zip(_LIMITS, before, after, strict=True) if old != new}


def columns() -> tuple[str, ...]:
    """The columns of those three values, as lookups from a registration."""
    return tuple(limit.path for limit in _LIMITS)


def uses_of_values(asked: Mapping[int, tuple[Sequence[str], Registration | None]]) -> dict[int, list[Use]]:
    """The counts for values that need not be saved yet, under the caller's keys. Always five queries.

    asked: {key: ((mobile, email key, address key; "" for none), the saved registration with these values or None)}.
    That registration's own current brand is not counted.
    """
    values = {value for given, _ in asked.values() for value in given} - {""}
    if not values:
        return {key: [] for key in asked}
    recorded = LimitUse.objects.filter(
        field__in=[limit.field for limit in _LIMITS], value__in=values
    ).order_by()
    used = Counter({(f, v): n for f, v, n in recorded.values_list("field", "value").annotate(n=Count("pk"))})
    for place, limit in enumerate(_LIMITS):
        used.update(_upcoming(limit, {given[place] for given, _ in asked.values()} - {""}))
    sids = {registration.brand.sid for _, registration in asked.values() if registration} - {""}
    own = (
        set(recorded.filter(brand_sid__in=sids).values_list("field", "value", "brand_sid")) if sids else set()
    )
    return {
        key: [
            Use(
                limit.field,
                limit.label,
                max(0, used[limit.field, value] - _own_uses(registration, place, value, own)),
                limit.limit,
                limit.code,
            )
            for place, (limit, value) in enumerate(zip(_LIMITS, given, strict=True))
            if value
        ]
        for key, (given, registration) in asked.items()
    }


def _upcoming(limit: _Limit, values: set[str]) -> Counter[tuple[str, str]]:
    """Registrations with one of these values whose brand has no recorded use of it yet."""
    if not values:
        return Counter()
    recorded = LimitUse.objects.filter(
        field=limit.field, value=OuterRef(limit.path), brand_sid=OuterRef("brand__sid")
    ).exclude(brand_sid="")
    registrations = Registration.objects.filter(
        _COUNTS_TOWARD_LIMITS, ~Exists(recorded), **{f"{limit.path}__in": values}
    ).order_by()
    rows = registrations.values_list(limit.path).annotate(n=Count("pk"))
    return Counter({(limit.field, str(value)): n for value, n in rows})


def _own_uses(
    registration: Registration | None, place: int, value: str, recorded: set[tuple[str, str, str]]
) -> int:
    """How much of a count is the registration's own current brand."""
    if registration is None:
        return 0
    if (_LIMITS[place].field, value, registration.brand.sid) in recorded:
        return 0 if _will_be_replaced(registration) else 1
    return int(counts_toward_limits(registration) and values_of(registration)[place] == value)
