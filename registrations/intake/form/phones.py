"""Phone numbers as people type them: contact phones, mobiles for the OTP text, senders, area codes."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from phonenumber_field.formfields import PhoneNumberField
from phonenumber_field.phonenumber import PhoneNumber, to_python
from phonenumbers import PhoneNumberType, number_type, region_code_for_number

from registrations.models.profile import Country

from .fields import Line
from .text import one_line

_DIALABLE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
_ROUNDED = re.compile(r"\d([.,]\d+)?E\+?\d+", re.IGNORECASE)  # 4.15556E+09
_PHONE_SID = re.compile(r"PN[0-9a-f]{32}", re.IGNORECASE)


class PhoneInput(forms.TextInput):
    """Shows a stored number in its national form, and what was typed exactly as it was typed."""

    input_type = "tel"

    def format_value(self, value: Any) -> Any:
        if isinstance(value, PhoneNumber) and value.is_valid():
            return value.as_national if value.country_code == 1 else value.as_international
        return super().format_value(value)


class Phone(PhoneNumberField):
    """Any valid phone number in any common format; US or Canadian if it has no country code."""

    widget = PhoneInput

    def __init__(self, *, max_length: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.error_messages["invalid"] = (
            "This is not a valid phone number. Write it like (415) 555-0123, or with + and the country code."
        )

    def to_python(self, value: Any) -> Any:
        if _ROUNDED.fullmatch(one_line(str(value))):
            raise ValidationError(
                "A spreadsheet rounded this number. Type all its digits, and format the column as text.",
                code="invalid",
            )
        return super().to_python(one_line(str(value)) if value is not None else value)

    def clean(self, value: Any) -> Any:
        number = super().clean(value)
        if number and number.extension:
            raise ValidationError("Remove the extension: Twilio accepts only the number.", code="extension")
        return number


class Mobile(Phone):
    """A US or Canadian number that can be a mobile (docs/twilio.md section 8: the OTP text goes there)."""

    def clean(self, value: Any) -> Any:
        number = super().clean(value)
        if number and not is_us_ca(number):
            raise ValidationError(
                "The OTP text reaches only US and Canadian mobiles. Enter a mobile with +1 that can "
                "receive texts, not a toll-free or foreign number.",
                code="region",
            )
        return number


def is_us_ca(number: PhoneNumber) -> bool:
    """Whether this is a regular US or Canadian number; under +1, mobiles and landlines look the same."""
    return region_code_for_number(number) in Country.values and number_type(number) in _DIALABLE


class Sender(Line):
    """A number owned at Twilio, as E.164, or its SID (PN and 32 hexadecimal digits)."""

    def clean(self, value: Any) -> Any:
        value = super().clean(value)
        if value in self.empty_values:
            return value
        if _PHONE_SID.fullmatch(value):
            return "PN" + value[2:].lower()
        number = to_python(value, region="US") if not value.upper().startswith("PN") else None
        if not number or not number.is_valid() or number.extension or not is_us_ca(number):
            raise ValidationError(
                "Enter a US or Canadian local number you own at Twilio, like +14155550123, or its SID "
                "(PN and 32 characters). Toll-free numbers can't be registered for A2P 10DLC.",
                code="invalid",
            )
        return number.as_e164


class AreaCode(Line):
    """Three digits, with or without parentheses."""

    def clean(self, value: Any) -> Any:
        value = super().clean(value)
        if value in self.empty_values:
            return value
        digits = value.strip("() ")
        if not re.fullmatch(r"[2-9][0-9]{2}", digits):
            raise ValidationError("An area code has three digits and starts with 2 to 9, like 415.")
        return digits
