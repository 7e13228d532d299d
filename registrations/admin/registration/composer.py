"""The composer's page: a few choices produce campaign texts to edit and put into the form. It saves nothing.

The page carries the form's values, so nothing typed is lost. The texts are posted beside them under names that begin
with NEW, and replace the form's values only when someone presses "Use these texts".
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from registrations.intake import composer
from registrations.intake.form import RegistrationForm
from registrations.intake.form.fields import HttpsURL, Keywords, Line
from registrations.intake.preflight.keywords import HELP_WORDS, STOP_WORDS
from registrations.models import Registration

from . import base, preflight

ADD_URL = "admin:registrations_registration_add"
NEW = "new-"
BACK = "_back"
USE = "_use_texts"
# The form's button that fills in the address suggested by Twilio.
ADDRESS = "_use_address"
# Editable on the page, in this order; the other composed values are hidden inputs.
_SHOWN = (
    "description",
    "message_flow",
    "message_sample_1",
    "message_sample_2",
    "opt_in_message",
    "opt_in_keywords",
)
# Samples from earlier texts would not match the new ones.
_CLEARED = ("message_sample_3", "message_sample_4", "message_sample_5")
_TEXT_ROWS = {"description": 3, "message_flow": 8}


def url(registration: Registration | None) -> str:
    return reverse("admin:registrations_registration_compose", args=[registration.pk] if registration else [])


class ChoicesForm(forms.Form):
    brand = Line(label="Brand name")
    business = forms.ChoiceField(
        label="Business", choices=[(row.key, row.label) for row in composer.BUSINESSES]
    )
    purpose = forms.ChoiceField(
        label="Message type",
        choices=[(row.key, row.label) for row in composer.PURPOSES],
        help_text="One type per campaign: offers need separate consent.",
    )
    opt_in = forms.ChoiceField(
        label="Opt-in method", choices=[(row.key, row.label) for row in composer.OPT_INS]
    )
    page = HttpsURL(
        label="Opt-in page",
        help_text="The form with the checkbox, or a page that shows the card, script, or keyword.",
    )
    privacy = HttpsURL(label="Privacy policy")
    terms = HttpsURL(label="Terms and conditions")
    keyword = Keywords(
        label="Keyword",
        required=False,
        help_text=f"Only for opt-in by keyword. Defaults to {composer.KEYWORD}.",
    )

    use_required_attribute = False

    def clean_keyword(self) -> str:
        words = str(self.cleaned_data["keyword"] or composer.KEYWORD).split(", ")
        if len(words) > 1 or words[0] in STOP_WORDS | HELP_WORDS:
            raise forms.ValidationError("Enter one word that is not a STOP or HELP keyword.")
        return words[0]

    def choices(self) -> composer.Choices:
        return composer.Choices(**self.cleaned_data)


class TextsForm(forms.Form):
    """The composed texts, with the names and limits of the registration form."""

    use_required_attribute = False

    def __init__(self, texts: Mapping[str, Any]) -> None:
        super().__init__(prefix=NEW.rstrip("-"), initial=dict(texts))
        for name in _SHOWN:
            if texts.get(name):
                # Copied, because the registration form's fields are shared by the whole process.
                self.fields[name] = deepcopy(RegistrationForm.base_fields[name])
                self.fields[name].widget.attrs["rows"] = _TEXT_ROWS.get(name, 3)
                self.fields[name].widget.attrs["aria-describedby"] = f"preflight-{name}"

    def add_prefix(self, field_name: str) -> str:
        return NEW + field_name


def form_values(post: Mapping[str, Any], *, new: bool = True) -> dict[str, Any]:
    """The registration form's values in a POST; with `new`, composed texts replace them."""
    values: dict[str, Any] = {}
    for name in RegistrationForm.base_fields.keys() | {"owner"}:
        key = NEW + name if new and NEW + name in post else name
        values[name] = post.get(key, "")
    return values


def is_return(request: HttpRequest) -> bool:
    """Whether the composer posted this to the form."""
    return request.method == "POST" and (USE in request.POST or BACK in request.POST)


def carried_base(request: HttpRequest) -> str:
    """What the form showed when it was first opened (merging.base_of), if this POST saves nothing; else ""."""
    return request.POST.get("base", "") if is_return(request) or ADDRESS in request.POST else ""


def returned_values(request: HttpRequest) -> dict[str, Any]:
    """What the form shows after a POST that saves nothing."""
    values = form_values(request.POST, new=USE in request.POST)
    flags = (n for n, f in RegistrationForm.base_fields.items() if isinstance(f, forms.BooleanField))
    return values | {name: preflight.is_yes(values[name]) for name in flags}


def page(request: HttpRequest, pk: str | None = None) -> HttpResponse:
    """The choices, and then the texts. By POST, because it carries the form's personal values."""
    registration = base.find(pk) if pk else None
    base.require(request, base.CHANGE if registration else base.ADD)
    form_url = base.url("change", registration) if registration else reverse(ADD_URL)
    if request.method != "POST":
        return redirect(form_url)
    post = request.POST
    has_choices = "composer-business" in post
    initial = {
        "brand": post.get("brand_name", ""),
        "privacy": post.get("privacy_policy_url", ""),
        "terms": post.get("terms_and_conditions_url", ""),
    }
    choices = ChoicesForm(post if has_choices else None, prefix="composer", initial=initial)
    texts: dict[str, Any] = {}
    if has_choices and choices.is_valid():
        texts = composer.compose(choices.choices()) | dict.fromkeys(_CLEARED, "")
        texts["brand_name"] = choices.cleaned_data["brand"]
    texts_form = TextsForm(texts)
    slots = preflight.slots(form_values(post) | texts)
    hidden = {name: value for name, value in texts.items() if name not in texts_form.fields}
    context = {
        **admin.site.each_context(request),
        "title": "Compose campaign texts",
        "registration": registration,
        "choices": choices,
        "texts": [(bound, slots[bound.name]) for bound in texts_form],
        "hidden_texts": [(NEW + name, _posted(value)) for name, value in hidden.items()],
        "form_values": [(name, post[name]) for name in post if _is_form_value(name)],
        "form_url": form_url,
        "compose_url": url(registration),
        "slot_names": ",".join(texts_form.fields),
        **preflight.form_context({name: slots[name] for name in texts_form.fields}),
    }
    status = 422 if has_choices and not texts else 200
    return TemplateResponse(request, "registrations/composer/page.html", context, status=status)


def _posted(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _is_form_value(name: str) -> bool:
    return name in RegistrationForm.base_fields or name in ("owner", "base")
