"""State or province, and ZIP or postal code, by country, with django-localflavor's tables."""

import re

from django.core.exceptions import ValidationError
from localflavor.ca.ca_provinces import PROVINCES_NORMALIZED
from localflavor.ca.forms import CAPostalCodeField
from localflavor.us.forms import USZipCodeField
from localflavor.us.us_states import STATES_NORMALIZED

from registrations.models.profile import Country

from .text import folded

_STATES = {folded(name): code for name, code in STATES_NORMALIZED.items()}
_PROVINCES = {folded(name): code for name, code in PROVINCES_NORMALIZED.items()}
_OTHER = {Country.US: (_PROVINCES, "Canada"), Country.CA: (_STATES, "the United States")}


def clean_region(value: str, country: str) -> str:
    """The two letters of a state or province, from those letters or the full name. Raises ValidationError.

    >>> clean_region("Massachusetts", "US"), clean_region("québec", "CA")
    ('MA', 'QC')
    """
    name = folded(value)
    found = (_STATES if country == Country.US else _PROVINCES).get(name)
    if found:
        return found
    others, other_country = _OTHER[Country(country)]
    if name in others:
        raise ValidationError(f"“{value}” is in {other_country}: change the country or the region.")
    if country == Country.US:
        raise ValidationError("Enter a US state, like MA or Massachusetts.", code="invalid")
    raise ValidationError("Enter a Canadian province or territory, like ON or Ontario.", code="invalid")


def clean_postal_code(value: str, country: str) -> str:
    """A ZIP code (12345 or 12345-6789) or a Canadian postal code (K1A 0B1). Raises ValidationError.

    >>> clean_postal_code("021391234", "US"), clean_postal_code("k1a-0b1", "CA")
    ('02139-1234', 'K1A 0B1')
    """
    digits = re.sub(r"[\s-]", "", value)
    try:
        if country == Country.CA:
            return CAPostalCodeField().clean(digits)
        return USZipCodeField().clean(digits if len(digits) <= 5 else f"{digits[:5]}-{digits[5:]}")
    except ValidationError as error:
        raise ValidationError(_postal_advice(digits, country), code="invalid") from error


def _postal_advice(digits: str, country: str) -> str:
    if country == Country.CA:
        return "A Canadian postal code looks like K1A 0B1."
    if digits.isdigit() and len(digits) in (4, 8):
        fixed = digits.zfill(len(digits) + 1)
        fixed = f"{fixed[:5]}-{fixed[5:]}" if len(fixed) > 5 else fixed
        return f"A ZIP code has five digits. A spreadsheet may have dropped the leading 0: {fixed}?"
    return "A ZIP code looks like 02139 or 02139-1234."
