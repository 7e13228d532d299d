"""Form fields that accept common ways of typing a value and say how to fix a wrong one.

They have no `max_length`: a browser silently cuts pasted text at `maxlength`. The models' validators check
lengths after cleaning (see `registration.py`).
"""

import re
from functools import lru_cache
from typing import Any

import email_validator
from django import forms
from django.core.exceptions import ValidationError

from registrations.models.profile import Country

from .text import folded, many_lines, one_line

TRUE_WORDS = frozenset({"true", "yes", "y", "1", "on", "x"})
FALSE_WORDS = frozenset({"false", "no", "n", "0", "off", ""})

# The errors a spreadsheet shows in place of a value, and what it would run as a formula.
_NO_VALUE = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#NULL!", "#DIV/0!", "#NUM!", "#SPILL!", "#CALC!"}
)
_FORMULA = re.compile(r"=\s*[-+@(\w\"]")


def _refuse_spreadsheet_marks(text: Any) -> Any:
    """Raise for a formula or the error it results in; else return the text unchanged."""
    if text and text.upper() in _NO_VALUE:
        raise ValidationError(f"{text} is a spreadsheet error, not a value. Type the value.", code="invalid")
    if text and _FORMULA.match(text):
        raise ValidationError("This is a spreadsheet formula. Type the value it should show.", code="invalid")
    return text


class Line(forms.CharField):
    """One line of text; pasted line breaks become spaces."""

    def __init__(self, *, max_length: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(one_line(str(value)) if value is not None else value)
        return _refuse_spreadsheet_marks(text)


class Text(forms.CharField):
    """Text of several lines; CRLF and repeated empty lines are cleaned up before counting."""

    widget = forms.Textarea

    def __init__(self, *, max_length: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(many_lines(str(value)) if value is not None else value)
        return _refuse_spreadsheet_marks(text)


class Mail(Line):
    """An email address. Only its syntax is checked: no DNS lookup while a page loads."""

    widget = forms.EmailInput

    def clean(self, value: Any) -> Any:
        value = super().clean(value)
        if value in self.empty_values:
            return value
        try:
            found = email_validator.validate_email(value, check_deliverability=False, allow_smtputf8=False)
        except email_validator.EmailNotValidError as error:
            raise ValidationError(f"This is not an email address. {error}", code="invalid") from error
        return found.normalized


class HttpsURL(forms.URLField):
    """A public https address; "example.com/privacy" is read as https."""

    def __init__(self, *, max_length: int | None = None, **kwargs: Any) -> None:
        super().__init__(assume_scheme="https", **{k: v for k, v in kwargs.items() if k != "assume_scheme"})
        self.error_messages["invalid"] = "This is not a web address. Write it like https://example.com/page."

    def to_python(self, value: Any) -> Any:
        # Email programs break long addresses over several lines; a space inside remains an error.
        value = re.sub(r"\s*[\r\n]\s*", "", str(value)) if value is not None else value
        return super().to_python(value)

    def clean(self, value: Any) -> Any:
        value = super().clean(value)
        if value and not value.lower().startswith("https://"):
            raise ValidationError(
                "The address must start with https://. Twilio rejects pages without it (30964).", code="https"
            )
        return value


class FlagInput(forms.CheckboxInput):
    """A checkbox that passes on the word itself: Django's own reads "no" as True."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, check_test=lambda value: str(value).strip().lower() in TRUE_WORDS)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return data.get(name, False)

    def format_value(self, value: Any) -> None:
        # No value attribute: a checkbox with value="no" would send "no" when checked.
        return None


class Flag(forms.BooleanField):
    """A checkbox, or a word in a table: true/false, yes/no, 1/0; empty means no."""

    widget = FlagInput

    def to_python(self, value: Any) -> bool:
        word = str(value).strip().lower() if value is not None else ""
        if word in TRUE_WORDS:
            return True
        if word in FALSE_WORDS:
            return False
        raise ValidationError("Write yes or no.", code="invalid")


class Choice(forms.TypedChoiceField):
    """A choice also found by its label in upper or lower case: "real estate" is REAL_ESTATE."""

    def to_python(self, value: Any) -> Any:
        value = super().to_python(one_line(str(value)) if value is not None else value)
        return _by_name(tuple(self._pairs())).get(_choice_key(value), value)

    def _pairs(self) -> list[tuple[str, str]]:
        choices: Any = self.choices
        return [(str(key), str(label)) for key, label in choices if key]

    def validate(self, value: Any) -> None:
        if value and not self.valid_value(value):
            names = ", ".join(key for key, _ in self._pairs())
            raise ValidationError(f"“{value}” is not one of: {names}.", code="invalid_choice")
        super().validate(value)


class CountryChoice(Choice):
    """US or CA, or a common name of them."""

    def to_python(self, value: Any) -> Any:
        known = {"usa": Country.US, "united states of america": Country.US, "can": Country.CA}
        return super().to_python(known.get(folded(str(value or "")), value))


@lru_cache
def _by_name(pairs: tuple[tuple[str, str], ...]) -> dict[str, str]:
    known = {_choice_key(label): key for key, label in pairs}
    return known | {_choice_key(key): key for key, _ in pairs}


def _choice_key(text: Any) -> str:
    return re.sub(r"[\s_-]+", " ", str(text)).strip().lower()


class Keywords(Line):
    """Keywords separated by commas or spaces; cleaned to "START, JOIN" (upper case, each once)."""

    def clean(self, value: Any) -> Any:
        value = super().clean(value)
        if value in self.empty_values:
            return value
        words = [word.upper() for word in re.split(r"[\s,;]+", value) if word]
        odd = [word for word in words if not re.fullmatch(r"[A-Z0-9]+", word)]
        if odd:
            raise ValidationError(
                f"Keywords can only have letters A to Z and digits. Change: {', '.join(odd)}.", code="invalid"
            )
        return ", ".join(dict.fromkeys(words))
