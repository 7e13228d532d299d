"""The form's fields, made from the models, which define label, help, choices, and limits."""

from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator, MinLengthValidator
from django.db import models
from django.forms.models import fields_for_model
from phonenumber_field.modelfields import PhoneNumberField

from registrations.models import Registration
from registrations.models.campaign import SAMPLE_COUNT, SAMPLE_LENGTH

from . import fields, phones
from .layout import PARTS, SAMPLE_FIELDS, SHORT_TEXT_ROWS, TEAM_FIELDS, WIDGET_ATTRS

_SPECIAL: dict[str, type[forms.Field]] = {
    "mobile_phone_number": phones.Mobile,
    "sender_number": phones.Sender,
    "area_code": phones.AreaCode,
    "opt_in_keywords": fields.Keywords,
    "opt_out_keywords": fields.Keywords,
    "help_keywords": fields.Keywords,
}
_BY_TYPE: tuple[tuple[type[models.Field], type[forms.Field]], ...] = (
    (PhoneNumberField, phones.Phone),
    (models.EmailField, fields.Mail),
    (models.URLField, fields.HttpsURL),
    (models.TextField, fields.Text),
    (models.BooleanField, fields.Flag),
    (models.CharField, fields.Line),
)

LENGTHS = {
    "min_length": "Write at least %(limit_value)d characters (it has %(show_value)d).",
    "max_length": "Write at most %(limit_value)d characters (it has %(show_value)d).",
}


def _form_field(field: models.Field, **kwargs: Any) -> forms.Field | None:
    """The form field of a model field, for fields_for_model."""
    if field.choices:
        choice = fields.CountryChoice if field.name == "iso_country" else fields.Choice
        return field.formfield(choices_form_class=choice, **kwargs)
    kind = _SPECIAL.get(field.name) or next((f for m, f in _BY_TYPE if isinstance(field, m)), None)
    if kind is None:
        return field.formfield(**kwargs)
    if isinstance(field, models.TextField):
        kwargs["widget"] = forms.Textarea(attrs={"rows": SHORT_TEXT_ROWS})
    made = field.formfield(form_class=kind, **kwargs)
    low, high = _limits(field)
    if made is not None and (isinstance(field, models.TextField) or kind is fields.Keywords):
        made.widget.attrs |= _counter(low, high)
    return made


def _limits(field: models.Field) -> tuple[int | None, int | None]:
    lows = [v.limit_value for v in field.validators if isinstance(v, MinLengthValidator)]
    highs = [v.limit_value for v in field.validators if isinstance(v, MaxLengthValidator)]
    return max(lows, default=None), min(highs, default=None)


def _counter(low: int | None, high: int | None) -> dict[str, int]:
    """For the page's script: a live count that turns red but never cuts the text."""
    return {name: value for name, value in (("data-min", low), ("data-max", high)) if value is not None}


def _samples() -> dict[str, forms.Field]:
    made: dict[str, forms.Field] = {}
    for n, name in enumerate(SAMPLE_FIELDS, start=1):
        made[name] = fields.Text(
            label=f"Sample message {n}",
            required=n <= SAMPLE_COUNT[0],
            validators=[MinLengthValidator(SAMPLE_LENGTH[0]), MaxLengthValidator(SAMPLE_LENGTH[1])],
            widget=forms.Textarea(attrs={"rows": SHORT_TEXT_ROWS, **_counter(*SAMPLE_LENGTH)}),
            help_text="A real message: name the business, put the variable parts in [brackets]. At least one must say "
            "Reply STOP to opt out."
            if n == 1
            else "",
        )
    return made


def all_fields() -> dict[str, forms.Field]:
    made: dict[str, forms.Field] = {}
    for model, names in [*PARTS.values(), (Registration, tuple(n for n in TEAM_FIELDS if n != "owner"))]:
        made |= fields_for_model(model, fields=names, formfield_callback=_form_field)
    made |= _samples()
    made["label"].required = False
    made["label"].help_text = "Internal name (defaults to the brand name)."
    for name, field in made.items():
        field.widget.attrs |= {"autocomplete": "off", **WIDGET_ATTRS.get(name, {})}
        field.error_messages |= LENGTHS
    return made
