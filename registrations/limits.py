"""Counters before the wall: how often a mobile, an e-mail or an address was used for brands of ours.

The Campaign Registry counts across all vendors, we only across our own cases, so these are lower bounds.
Source: Twilio facts, section 8 (mobile 3, e-mail 10, address 10) and codes 30747, 30749, 30750.
"""

import re
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from registrations.models import Profile, Registration, RetiredResource, TrustBundle

WARN_LEFT = 1  # say so when at most this many uses are left, ours included


@dataclass(frozen=True)
class Use:
    """field: the form field. used: brands of other cases that used the value. limit: the registry's."""

    field: str
    label: str
    used: int
    limit: int
    code: int

    @property
    def spent(self) -> bool:
        """This case would be one too many."""
        return self.used >= self.limit

    @property
    def near(self) -> bool:
        return not self.spent and self.limit - self.used - 1 <= WARN_LEFT and self.used > 0

    @property
    def text(self) -> str:
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


def uses(
    *, mobile: str = "", email: str = "", address: str = "", without: Registration | None = None
) -> list[Use]:
    """How often other cases used these values; one entry per value given. `address` is an address_key."""
    found = []
    if mobile:
        bundles = TrustBundle.objects.filter(mobile_phone_number=mobile)
        found.append(
            Use("mobile_phone_number", "mobile", _brands(bundles, without), 3, 30750),
        )
    if email:
        profiles = Profile.objects.filter(email_key=email.casefold())
        found.append(Use("email", "e-mail address", _brands(profiles, without), 10, 30749))
    if address:
        profiles = Profile.objects.filter(address_key=address)
        found.append(Use("street", "address", _brands(profiles, without), 10, 30747))
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


def _brands(mirrors: QuerySet, without: Registration | None) -> int:
    """Brands registered, or about to be, by the cases of these mirrors; retired brands were used as well."""
    pks = mirrors.filter(
        Q(registration__submitted_revision__gt=0) | ~Q(registration__brand__sid="")
    ).values_list("registration_id", flat=True)
    others = [pk for pk in pks[:200] if without is None or pk != without.pk]
    retired = RetiredResource.objects.filter(kind="brand", registration_id__in=pks).count()
    return len(others) + retired
