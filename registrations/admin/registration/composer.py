"""The composer's page: a few choices, texts to read and change, and back into the form. Nothing is saved by it.

The form's values travel along in the page, so that nothing typed is lost; the texts travel beside them under
names that begin with NEW, and take their places only when a person presses "Use these texts".
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from registrations.intake import composer
from registrations.intake.form import RegistrationForm
from registrations.intake.form.fields import HttpsURL, Keywords, Line
from registrations.intake.preflight.keywords import HELP_WORDS, STOP_WORDS
from registrations.models import Registration

from . import preflight

NEW = "new-"
BACK = "_back"
USE = "_use_texts"
# The form's own button that fills in the address which Twilio suggests.
ADDRESS = "_use_address"
# Read and changed on the page, in this order; the rest of what is composed goes along unseen.
_SHOWN = (
    "description",
    "message_flow",
    "message_sample_1",
    "message_sample_2",
    "opt_in_message",
    "opt_in_keywords",
)
# Samples of earlier texts would speak of something else.
_EMPTIED = ("message_sample_3", "message_sample_4", "message_sample_5")
_TEXT_ROWS = {"description": 3, "message_flow": 8}


def url(registration: Registration | None) -> str:
    return reverse("admin:registrations_registration_compose", args=[registration.pk] if registration else [])


class ChoicesForm(forms.Form):
    brand = Line(label="Brand name")
    business = forms.ChoiceField(
        label="Business", choices=[(row.key, row.label) for row in composer.BUSINESSES]
    )
    purpose = forms.ChoiceField(
        label="What is sent",
        choices=[(row.key, row.label) for row in composer.PURPOSES],
        help_text="One kind of message a campaign: offers need a consent of their own.",
    )
    opt_in = forms.ChoiceField(
        label="How people agree", choices=[(row.key, row.label) for row in composer.OPT_INS]
    )
    page = HttpsURL(
        label="Page where this can be seen",
        help_text="The form with the box, or a page that shows the card, the script or the keyword.",
    )
    privacy = HttpsURL(label="Privacy policy")
    terms = HttpsURL(label="Terms and conditions")
    keyword = Keywords(
        label="Keyword",
        required=False,
        help_text=f"Only if people agree by texting it. Empty: {composer.KEYWORD}.",
    )

    use_required_attribute = False

    def clean_keyword(self) -> str:
        words = str(self.cleaned_data["keyword"] or composer.KEYWORD).split(", ")
        if len(words) > 1 or words[0] in STOP_WORDS | HELP_WORDS:
            raise forms.ValidationError("Give one word that does not mean stopping or help.")
        return words[0]

    def choices(self) -> composer.Choices:
        return composer.Choices(**self.cleaned_data)


class TextsForm(forms.Form):
    """The composed texts, under the names and with the limits of the registration form."""

    use_required_attribute = False

    def __init__(self, texts: Mapping[str, Any]) -> None:
        super().__init__(prefix=NEW.rstrip("-"), initial=dict(texts))
        for name in _SHOWN:
            if texts.get(name):
                # A field of its own: the registration form's are shared by the whole process.
                self.fields[name] = deepcopy(RegistrationForm.base_fields[name])
                self.fields[name].widget.attrs["rows"] = _TEXT_ROWS.get(name, 3)
                self.fields[name].widget.attrs["aria-describedby"] = f"preflight-{name}"

    def add_prefix(self, field_name: str) -> str:
        return NEW + field_name


def overlaid(post: Mapping[str, Any], *, new: bool = True) -> dict[str, Any]:
    """The registration form's values in a POST; with `new`, composed texts take their places."""
    values: dict[str, Any] = {}
    for name in RegistrationForm.base_fields.keys() | {"owner"}:
        chosen = NEW + name if new and NEW + name in post else name
        values[name] = post.get(chosen, "")
    return values


def returns(request: HttpRequest) -> bool:
    return request.method == "POST" and (USE in request.POST or BACK in request.POST)


def base(request: HttpRequest) -> str:
    """What the form showed when it was first opened, carried on where nothing is saved; else ""."""
    return request.POST.get("base", "") if returns(request) or ADDRESS in request.POST else ""


def returned(request: HttpRequest) -> dict[str, Any]:
    """What the form shows when a person comes back from the composer, or stays; nothing is saved."""
    values = overlaid(request.POST, new=USE in request.POST)
    flags = (n for n, f in RegistrationForm.base_fields.items() if isinstance(f, forms.BooleanField))
    return values | {name: preflight.is_yes(values[name]) for name in flags}


def page(request: HttpRequest, admin_site: Any, registration: Registration | None) -> HttpResponse:
    """The choices, and the texts once they are made. By POST, because it carries the form's personal values."""
    permission = "change" if registration else "add"
    if not request.user.has_perm(f"registrations.{permission}_registration"):
        raise PermissionDenied
    pk = [registration.pk] if registration else []
    form_url = reverse(f"admin:registrations_registration_{permission}", args=pk)
    if request.method != "POST":
        return redirect(form_url)
    asked = "composer-business" in request.POST
    post = request.POST
    begin = {
        "brand": post.get("brand_name", ""),
        "privacy": post.get("privacy_policy_url", ""),
        "terms": post.get("terms_and_conditions_url", ""),
    }
    chosen = ChoicesForm(post if asked else None, prefix="composer", initial=begin)
    texts: dict[str, Any] = {}
    if asked and chosen.is_valid():
        # The brand may have been given here for the first time; the pages surely go together with the texts.
        texts = composer.compose(chosen.choices()) | dict.fromkeys(_EMPTIED, "")
        texts["brand_name"] = chosen.cleaned_data["brand"]
    shown = TextsForm(texts)
    slots = preflight.slots(overlaid(post) | texts)
    unseen = {name: value for name, value in texts.items() if name not in shown.fields}
    context = {
        **admin_site.each_context(request),
        "title": "Write the campaign texts",
        "registration": registration,
        "chosen": chosen,
        "texts": [(bound, slots[bound.name]) for bound in shown],
        "unseen": [(NEW + name, _sent(value)) for name, value in unseen.items()],
        "kept": [(name, post[name]) for name in post if _is_kept(name)],
        "form_url": form_url,
        "here": url(registration),
        "slot_names": ",".join(shown.fields),
        **preflight.attributes({name: slots[name] for name in shown.fields}),
    }
    status = 422 if asked and not texts else 200
    return TemplateResponse(request, "registrations/composer/page.html", context, status=status)


def _sent(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _is_kept(name: str) -> bool:
    return name in RegistrationForm.base_fields or name in ("owner", "base")
