"""Adding and editing a registration: one page, one form, each of Twilio's complaints beside its input."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from registrations.intake.form import RegistrationForm
from registrations.models import Registration
from registrations.operations import actions
from registrations.twilio.rejections import AddressSuggestion
from registrations.workflow.planner import decisions
from registrations.workflow.planner.decisions import Problem
from registrations.workflow.prices import price as price_of
from registrations.workflow.prices import prices as all_prices
from registrations.workflow.recorder.registry_limits import Use

from . import advice, composer, detail, limits, merge, preflight, prices

OVERRIDE = "registrations.override_limits"


@dataclass
class Row:
    """One input with everything that is said about it."""

    bound: forms.BoundField
    problems: list[Problem] = field(default_factory=list)
    # Problems told in full beside another input: (title, name of that input).
    also: list[tuple[str, str]] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    # Counted by the registry: the line beside it follows what is typed.
    counted: bool = False
    near: Use | None = None
    # What the pre-flight says of it; None for an input that it does not read.
    slot: preflight.Slot | None = None

    @property
    def name(self) -> str:
        return self.bound.name

    @property
    def found(self) -> bool:
        """Whether the pre-flight has something to say of it."""
        return bool(self.slot and self.slot.findings)

    @property
    def is_checkbox(self) -> bool:
        return isinstance(self.bound.field.widget, forms.CheckboxInput)

    @property
    def size(self) -> str:
        """How wide the input stands on the page's grid: half, or the whole line for long texts."""
        wide = isinstance(self.bound.field.widget, forms.Textarea) or isinstance(
            self.bound.field, forms.URLField
        )
        return "wide" if wide else "half"

    @property
    def described_by(self) -> str:
        ids = [f"help-{self.name}"] if self.bound.help_text else []
        ids += [f"errors-{self.name}"] if self.bound.errors else []
        ids += [f"problems-{self.name}"] if self.problems else []
        ids += [f"also-{self.name}"] if self.also else []
        ids += [f"hints-{self.name}"] if self.hints else []
        ids += [f"limit-{self.name}"] if self.counted else []
        ids += [f"preflight-{self.name}"] if self.slot else []
        return " ".join(ids)

    def input(self) -> str:
        attrs: dict[str, Any] = {"aria-describedby": self.described_by} if self.described_by else {}
        if self.bound.errors:
            attrs["aria-invalid"] = "true"
        if self.bound.field.required:
            attrs["aria-required"] = "true"
        return self.bound.as_widget(attrs=attrs)


# Inputs that most customers leave empty stand folded, unless something is in them or said about them.
FOLDS = (
    ("Three more samples", ("message_sample_3", "message_sample_4", "message_sample_5")),
    (
        "Own answers to STOP and HELP",
        ("opt_out_message", "opt_out_keywords", "help_message", "help_keywords"),
    ),
)


@dataclass(frozen=True)
class Group:
    """Inputs that stand together; with a title they are folded away until wanted."""

    title: str
    rows: list[Row]

    @property
    def is_open(self) -> bool:
        return any(
            r.bound.value() or r.bound.errors or r.problems or r.also or r.hints or r.found for r in self.rows
        )


@dataclass(frozen=True)
class SectionView:
    slug: str
    title: str
    hint: str
    rows: list[Row]

    @property
    def groups(self) -> list[Group]:
        titles = {name: title for title, names in FOLDS for name in names}
        folds = itertools.groupby(self.rows, key=lambda row: titles.get(row.name, ""))
        return [Group(title, list(rows)) for title, rows in folds]

    @property
    def trouble(self) -> int:
        return sum(bool(row.bound.errors or row.problems) for row in self.rows)


def page(request: HttpRequest, admin_site: Any, registration: Registration | None) -> HttpResponse:
    """The form, for a new registration or an old one. On success a POST leads to the registration's page."""
    if request.method != "POST":
        form = RegistrationForm(
            instance=registration, initial=_new(request) if registration is None else None
        )
        return _render(request, admin_site, registration, form)
    if composer.returns(request):
        form = RegistrationForm(instance=registration, initial=composer.returned(request))
        return _render(request, admin_site, registration, form)
    if registration is not None and composer.ADDRESS in request.POST:
        return _with_suggested_address(request, admin_site, registration)
    actor = request.user.get_username()
    with transaction.atomic():
        merged = None
        if registration is not None:
            # Ours from here to the save: what it is compared with is what is overwritten.
            registration = locked(registration.pk)
            merged = merge.merge(request.POST, registration)
        form = RegistrationForm(
            merged.data if merged else request.POST,
            instance=registration,
            override_reason=override_reason(request),
        )
        status = 422 if not form.is_valid() else 409 if merged and merged.conflicts else 0
        if not status:
            try:
                saved, changed = _save(form, registration, actor)
                revision = Registration.objects.values_list("revision", flat=True).get(pk=saved.pk)
            except actions.Refused as refusal:
                form.add_error(None, str(refusal))
                status = 409
    if status:
        return _render(request, admin_site, registration, form, status, merged)
    if merged and merged.note:
        messages.warning(request, merged.note)
    limits.warn(request, detail.load(saved.pk))
    if "_submit" in request.POST:
        return _submit(request, saved, revision, look_first=bool(merged and merged.kept))
    messages.success(request, "Saved." if changed else "Saved. Nothing that Twilio sees has changed.")
    return redirect("admin:registrations_registration_detail", saved.pk)


def _with_suggested_address(
    request: HttpRequest, admin_site: Any, registration: Registration
) -> HttpResponse:
    """The form as it was typed, with Twilio's address in its inputs; nothing is saved."""
    values = composer.returned(request)
    if suggestion := _suggestion(decisions.problems(registration)):
        values |= suggestion.as_inputs()
        messages.info(request, "The suggested address is filled in. Nothing is saved before you press Save.")
    else:
        messages.warning(request, "Twilio suggests no address for this registration any more.")
    return _render(request, admin_site, registration, RegistrationForm(instance=registration, initial=values))


def _suggestion(problems: Iterable[Problem]) -> AddressSuggestion | None:
    """The first one, as on the registration's page."""
    return next((problem.suggestion for problem in problems if problem.suggestion), None)


@transaction.atomic
def _save(form: RegistrationForm, registration: Registration | None, actor: str) -> tuple[Registration, bool]:
    if registration is None:
        saved, changed = actions.create(form.parts(), actor=actor, **form.registration_fields()), True
    else:
        saved = registration
        changed = actions.edit(
            registration,
            form.parts(),
            actor=actor,
            # A page without the hidden field is not trusted to know the newest revision.
            expected_revision=form.expected_revision or 0,
            **form.registration_fields(),
        )
    if form.limits_spent:
        actions.override_limits(saved, reason=form.override_reason, actor=actor)
    return saved, changed


@transaction.atomic
def _submit(request: HttpRequest, saved: Registration, revision: int, look_first: bool) -> HttpResponse:
    """Submit at once when it costs no more than the page said beside its button, and the plan has nothing that
    one should know before, such as tries used up or a campaign deleted; else show the plan first, and also when
    somebody has edited it since it was saved as this revision."""
    saved = locked(saved.pk)
    plan = decisions.plan(saved)
    looked = detail.submit_fee(plan) <= shown_fee(request) and not preflight.unseen(request, saved, plan)
    if look_first or saved.revision != revision or plan.notes or plan.dead_end or not looked:
        messages.info(request, "Saved. Please look at the plan before it is sent.")
        return redirect(detail.url("confirm", saved, "submit"))
    try:
        actions.submit(saved, actor=request.user.get_username())
    except actions.Refused as refusal:
        messages.error(request, f"Saved, but not submitted: {refusal}")
    else:
        messages.success(request, "Saved and submitted. The worker is on it.")
    return redirect("admin:registrations_registration_detail", saved.pk)


def shown_fee(request: HttpRequest) -> Decimal:
    """The price that the page named beside its button, in US dollars; nothing usable counts as 0."""
    try:
        fee = Decimal(request.POST.get("fee", "0"))
    except InvalidOperation:
        return Decimal(0)
    return fee if fee.is_finite() else Decimal(0)


def override_reason(request: HttpRequest) -> str:
    """A supervisor's reason to pass a limit; from anybody else it does not count."""
    reason = request.POST.get("limit_reason", "").strip()[:300]
    return reason if request.user.has_perm(OVERRIDE) else ""


def _new(request: HttpRequest) -> dict[str, Any]:
    return {"owner": request.user.pk}


def sections(form: RegistrationForm, problems: Iterable[Problem]) -> list[SectionView]:
    """The form's sections; a problem of several inputs is told at the first and pointed at from the others."""
    rows = {b.name: Row(b, hints=form.hints.get(b.name, [])) for section in form.sections for b in section}
    for problem in problems:
        names = [name for name in map(advice.input_name, problem.fields) if name in rows]
        for name in names[:1]:
            rows[name].problems.append(problem)
        for name in names[1:]:
            rows[name].also.append((problem.title, names[0]))
    return [
        SectionView(section.slug, section.title, section.hint, [rows[bound.name] for bound in section])
        for section in form.sections
    ]


def _render(
    request: HttpRequest,
    admin_site: Any,
    registration: Registration | None,
    form: RegistrationForm,
    status: int = 200,
    merged: merge.Merge | None = None,
) -> HttpResponse:
    problems = decisions.problems(registration) if registration else []
    views = sections(form, problems)
    rows = [row for view in views for row in view.rows]
    lines = limits.of_registration(None if form.is_bound else registration)
    slots = preflight.of_form(form)
    for row in rows:
        row.slot = slots.get(row.name)
        row.counted, row.near = row.name in lines, lines.get(row.name)
    names = {row.name for row in rows}
    plan = decisions.plan(registration) if registration else None
    price = prices.price(plan) if plan else first_price()
    context = {
        **admin_site.each_context(request),
        "title": f"Edit {registration.label}" if registration else "New registration",
        "registration": registration,
        "merge": merged,
        "base": composer.base(request) or (merge.base_of(registration, merged) if registration else ""),
        "form": form,
        "sections": views,
        "errors": [(row, error) for row in rows for error in row.bound.errors],
        "general_errors": form.non_field_errors(),
        "general_problems": [p for p in problems if not names & set(map(advice.input_name, p.fields))],
        "refused": [row for row in rows if row.problems],
        "address": advice.address_rows(_suggestion(problems), lambda name: str(form[name].value() or "")),
        "use_address": composer.ADDRESS,
        "fee": price.total,
        "price": price,
        "dead_ends": plan.blockers if plan and plan.dead_end else [],
        "may_override": request.user.has_perm(OVERRIDE),
        "is_first": registration is None or not registration.was_submitted,
        "monthly": monthly_note(),
        "back_url": detail.url("detail", registration) if registration else None,
        "limits_url": limits.url(registration),
        **limits.attributes(),
        **preflight.attributes(slots),
        "compose_url": composer.url(registration),
    }
    return TemplateResponse(request, "registrations/registration/form.html", context, status=status)


def first_price() -> prices.Price:
    """What a clean first registration costs once (Source: docs/twilio.md section 9)."""
    return prices.Price(price_of("brand"), price_of("campaign_vetting"))


def monthly_note() -> str:
    fees = all_prices()
    return (
        f"Once live, Twilio charges ${fees['campaign_monthly']:.2f} a month for the campaign and about "
        f"${fees['number_monthly']:.2f} for the number."
    )


def locked(pk: int) -> Registration:
    """Inside a transaction: the registration as it is now, and nobody else's to change until its end."""
    Registration.objects.select_for_update().get(pk=pk)
    return detail.load(pk)


def find(pk: str) -> Registration:
    try:
        return detail.load(pk)
    except (Registration.DoesNotExist, ValueError) as error:
        raise Http404("There is no such registration.") from error


def require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied
