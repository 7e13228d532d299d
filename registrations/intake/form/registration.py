"""The form of a registration, used by the page, the fix of a rejection, and each imported row."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Model, Q
from phonenumber_field.phonenumber import PhoneNumber as Number

from registrations.intake import preflight
from registrations.models import Registration
from registrations.workflow.recorder import registry_limits
from registrations.workflow.recorder.registry_limits import Use

from .building import LENGTHS, all_fields
from .layout import ADDRESS_FIELDS, CSV_COLUMNS, PARTS, SAMPLE_FIELDS, SECTIONS, TEAM_FIELDS
from .places import clean_postal_code, clean_region


@dataclass(frozen=True)
class Section:
    """A titled group of bound fields, for templates."""

    slug: str
    title: str
    hint: str
    fields: list[forms.BoundField]

    @property
    def has_errors(self) -> bool:
        return any(field.errors for field in self.fields)

    def __iter__(self) -> Iterator[forms.BoundField]:
        return iter(self.fields)


class RegistrationForm(forms.Form):
    """The inputs of one registration, named like the CSV columns, plus label, owner, and notes.

    `instance` gives the initial values. After `is_valid()`, `parts()` and `registration_fields()` are what
    `actions.create` and `actions.edit` take; `hints` maps fields to advice that doesn't prevent saving.
    All errors are found in one pass, each at its field.
    """

    # Shows every error at once; the browser would stop at the first empty field.
    use_required_attribute = False

    revision = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any = None,
        *,
        instance: Registration | None = None,
        initial: Any = None,
        override_reason: str = "",
        **kwargs: Any,
    ) -> None:
        self.instance = instance
        # Why a supervisor allows exceeding a limit; the page checks the permission.
        self.override_reason = override_reason
        # Values that The Campaign Registry would not accept again, without an override.
        self.limits_spent: list[Use] = []
        self.hints: dict[str, list[str]] = {}
        saved = initial_of(instance) if instance else {}
        super().__init__(data, initial=saved | (initial or {}), **kwargs)
        self.offer_owners()

    def offer_owners(self) -> None:
        """Add the owner field: active staff, and the present owner."""
        owner = self.instance.owner_id if self.instance else None
        users = get_user_model()._default_manager.filter(Q(is_active=True, is_staff=True) | Q(pk=owner))
        self.fields["owner"] = forms.ModelChoiceField(users, required=False, empty_label="Nobody yet")

    @property
    def sections(self) -> list[Section]:
        return [
            Section(one.slug, one.title, one.hint, [self[name] for name in one.fields]) for one in SECTIONS
        ]

    def parts(self) -> dict[str, dict[str, Any]]:
        """Cleaned inputs by part; phone numbers as E.164 text, `message_samples` as a list."""
        parts = {
            part: {name: _plain(self.cleaned_data[name]) for name in names}
            for part, (_, names) in PARTS.items()
        }
        parts["campaign"]["message_samples"] = [
            text for name in SAMPLE_FIELDS if (text := self.cleaned_data[name])
        ]
        return parts

    @cached_property
    def findings(self) -> list[preflight.Finding]:
        """What the pre-flight finds in valid inputs; it doesn't prevent saving. Empty while there are errors."""
        return [] if self.errors else preflight.check(self.parts())

    def advice(self) -> dict[str, list[str]]:
        """Hints and pre-flight findings by field."""
        advice = {name: list(texts) for name, texts in self.hints.items()}
        for finding in self.findings:
            advice.setdefault(finding.field, []).append(finding.text)
        return advice

    def registration_fields(self) -> dict[str, Any]:
        """label, external_id (None when empty), owner, and notes."""
        return {name: self.cleaned_data[name] for name in TEAM_FIELDS}

    @property
    def expected_revision(self) -> int | None:
        """The revision that the page showed, for `actions.edit`."""
        return self.cleaned_data.get("revision")

    def changed_inputs(self) -> list[str]:
        """Names of the inputs that differ from the saved registration, after cleaning."""
        saved = initial_of(self.instance) if self.instance else {}
        data = self.cleaned_data
        return [n for n in data if n != "revision" and _plain(data[n]) != _plain(saved.get(n))]

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        self._clean_place("region", clean_region)
        self._clean_place("postal_code", clean_postal_code)
        if not data.get("label") and "label" not in self.errors:
            limit = Registration._meta.get_field("label").max_length
            data["label"] = data.get("brand_name", "")[:limit]
        self._check_models()
        for finding in preflight.saving_blockers({"campaign": data}) if "subscriber_opt_in" in data else []:
            self.add_error(finding.field, finding.text)
        if data.get("sender_number") and data.get("area_code"):
            self.add_error("area_code", "Enter either a number you own or an area code, not both.")
        self._check_limits()
        self._give_hints()
        return data

    def clean_brand_name(self) -> str:
        name: str = self.cleaned_data["brand_name"]
        for finding in preflight.saving_blockers({"trust_bundle": {"brand_name": name}}):
            raise ValidationError(finding.text, code=str(finding.codes[0]))
        return name

    def clean_external_id(self) -> str | None:
        value: str | None = self.cleaned_data["external_id"] or None
        others = Registration.objects.all()
        if self.instance:
            others = others.exclude(pk=self.instance.pk)
        if value and (other := others.filter(external_id=value).only("label").first()):
            raise ValidationError(
                f"“{other.label}” already has this ID. Edit that registration, or change the ID.",
                code="taken",
            )
        return value

    def _clean_place(self, name: str, clean: Any) -> None:
        value, country = self.cleaned_data.get(name), self.cleaned_data.get("iso_country")
        if value and country:
            try:
                self.cleaned_data[name] = clean(value, country)
            except ValidationError as error:
                self.add_error(name, error)

    def _check_models(self) -> None:
        """Run the models' validators, which have the limits."""
        for model, names in [*PARTS.values(), (Registration, TEAM_FIELDS)]:
            values = {n: self.cleaned_data[n] for n in names if n in self.cleaned_data}
            skip = _names_of(model) - set(values) | {"owner"}
            if not values.get("label"):
                skip |= {"label"}  # follows the brand name, which has its own error
            if "iso_country" not in values:
                skip |= {"region", "postal_code"}  # cannot be judged before the country is known
            try:
                model(**values).clean_fields(exclude=skip)
            except ValidationError as error:
                for one in itertools.chain.from_iterable(error.error_dict.values()):
                    if one.code and one.code in LENGTHS:
                        one.message = LENGTHS[one.code]
                self.add_error(None, error)

    def _check_limits(self) -> None:
        """Near a limit of the registry a hint, past it an error unless a supervisor overrides it."""
        data = self.cleaned_data
        address = [
            data.get(name, "") for name in ("street", "street_secondary", "postal_code", "iso_country")
        ]
        self.judge_uses(
            self.find_uses(
                mobile=_plain(data.get("mobile_phone_number")),
                email=data.get("email", ""),
                address=registry_limits.address_key(*address)
                if data.get("street") and data.get("postal_code")
                else "",
            )
        )

    def find_uses(self, *, mobile: str, email: str, address: str) -> list[Use]:
        """How often other registrations used these values; an import looks them up for many rows at once."""
        return registry_limits.uses(mobile=mobile, email=email, address=address, without=self.instance)

    def judge_uses(self, found: list[Use]) -> None:
        for use in found:
            if use.exhausted and not self._is_accepted(use):
                self.limits_spent.append(use)
            elif use.nearly_exhausted:
                self._hint(use.field, use.text)
        for use in [] if self.override_reason else self.limits_spent:
            self.add_error(use.field, ValidationError(use.text, code="limit"))

    def _is_accepted(self, use: Use) -> bool:
        """Whether the saved registration has the same value with an override, or with a brand in the registry."""
        if self.instance is None:
            return False
        saved, data = initial_of(self.instance), self.cleaned_data
        names = ADDRESS_FIELDS if use.field == "street" else (use.field,)
        same = all(_plain(data.get(name)) == _plain(saved.get(name)) for name in names)
        return same and bool(self.instance.limit_override or self.instance.brand.sid)

    def _give_hints(self) -> None:
        data = self.cleaned_data
        if not data.get("sender_number") and not data.get("area_code"):
            self._hint(
                "sender_number", "Needed for the last step: a registration can't go live without a sender."
            )

    def _hint(self, field: str, text: str) -> None:
        self.hints.setdefault(field, []).append(text)


# Made from the models once; instances get copies as with any Django form.
RegistrationForm.base_fields = all_fields() | RegistrationForm.base_fields
REQUIRED_COLUMNS = tuple(name for name in CSV_COLUMNS if RegistrationForm.base_fields[name].required)


def initial_of(registration: Registration) -> dict[str, Any]:
    """What the form shows for a saved registration, by field name."""
    values: dict[str, Any] = {
        name: getattr(getattr(registration, part), name)
        for part, (_, names) in PARTS.items()
        for name in names
    }
    values |= dict(zip(SAMPLE_FIELDS, registration.campaign.message_samples, strict=False))
    values |= {name: getattr(registration, name) for name in TEAM_FIELDS}
    return values | {"revision": registration.revision}


def data_of(registration: Registration) -> dict[str, Any]:
    """Form data of a saved registration, as if its page were submitted unchanged; an import puts its cells on top."""
    fields = RegistrationForm.base_fields
    initial = initial_of(registration) | {"owner": registration.owner_id}
    shown = {
        name: fields[name].prepare_value(value) if name in fields else value
        for name, value in initial.items()
    }
    return {name: "" if value is None else value for name, value in shown.items()}


@lru_cache
def _names_of(model: type[Model]) -> frozenset[str]:
    return frozenset(field.name for field in model._meta.get_fields())


def _plain(value: Any) -> Any:
    if isinstance(value, Number):
        return value.as_e164
    return "" if value is None else value
