"""Adding and editing a registration: one form, with each problem that Twilio reported beside its input."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
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

from . import advice, composer, detail, limits, merging, preflight, prices
from .base import OVERRIDE, load, lock, override_reason, shown_fee, url


@dataclass
class InputRow:
    """One input with everything the form shows beside it."""

    bound: forms.BoundField
    problems: list[Problem] = field(default_factory=list)
    # Problems shown in full beside another input: (title, name of that input).
    also_affected: list[tuple[str, str]] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    # Whether it counts toward a registry limit; the warning beside it is refreshed while typing.
    counted: bool = False
    limit_use: Use | None = None
    # Its pre-flight findings; None for an input that the pre-flight does not check.
    slot: preflight.Slot | None = None

    @property
    def name(self) -> str:
        return self.bound.name

    @property
    def has_findings(self) -> bool:
        return bool(self.slot and self.slot.findings)

    @property
    def is_checkbox(self) -> bool:
        return isinstance(self.bound.field.widget, forms.CheckboxInput)

    @property
    def size(self) -> str:
        """Its width on the page's grid: half a line, or all of it for long texts."""
        wide = isinstance(self.bound.field.widget, forms.Textarea) or isinstance(
            self.bound.field, forms.URLField
        )
        return "wide" if wide else "half"

    @property
    def described_by(self) -> str:
        ids = [f"help-{self.name}"] if self.bound.help_text else []
        ids += [f"errors-{self.name}"] if self.bound.errors else []
        ids += [f"problems-{self.name}"] if self.problems else []
        ids += [f"also-{self.name}"] if self.also_affected else []
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


# Inputs that most customers leave empty are collapsed, unless they have a value or a message.
FOLDS = (
    ("Three more samples", ("message_sample_3", "message_sample_4", "message_sample_5")),
    (
        "Custom STOP and HELP replies",
        ("opt_out_message", "opt_out_keywords", "help_message", "help_keywords"),
    ),
)


@dataclass(frozen=True)
class InputGroup:
    """Inputs that belong together; a group with a title is collapsed until opened."""

    title: str
    rows: list[InputRow]

    @property
    def is_open(self) -> bool:
        return any(
            row.bound.value()
            or row.bound.errors
            or row.problems
            or row.also_affected
            or row.hints
            or row.has_findings
            for row in self.rows
        )


@dataclass(frozen=True)
class SectionView:
    slug: str
    title: str
    hint: str
    rows: list[InputRow]

    @property
    def groups(self) -> list[InputGroup]:
        titles = {name: title for title, names in FOLDS for name in names}
        runs = itertools.groupby(self.rows, key=lambda row: titles.get(row.name, ""))
        return [InputGroup(title, list(rows)) for title, rows in runs]

    @property
    def error_count(self) -> int:
        return sum(bool(row.bound.errors or row.problems) for row in self.rows)


def page(request: HttpRequest, registration: Registration | None) -> HttpResponse:
    """The form, for a new registration (None) or an existing one. A POST that saves redirects to its page.

    Status 422: an input is invalid. 409: someone else edited the same input, or saving was refused.
    """
    if request.method != "POST":
        form = RegistrationForm(
            instance=registration, initial={"owner": request.user.pk} if registration is None else None
        )
        return _render(request, registration, form)
    if composer.is_return(request):
        form = RegistrationForm(instance=registration, initial=composer.returned_values(request))
        return _render(request, registration, form)
    if registration is not None and composer.ADDRESS in request.POST:
        return _with_suggested_address(request, registration)
    actor = request.user.get_username()
    with transaction.atomic():
        merged = None
        if registration is not None:
            # Locked until it is saved, so that what is compared is what is overwritten.
            registration = lock(registration.pk)
            merged = merging.merge_edits(request.POST, registration)
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
        return _render(request, registration, form, status, merged)
    if merged and merged.note:
        messages.warning(request, merged.note)
    limits.warn(request, load(saved.pk))
    if "_submit" in request.POST:
        return _submit(request, saved, revision, review_first=bool(merged and merged.kept))
    messages.success(request, "Saved." if changed else "Saved. Nothing to send to Twilio.")
    return redirect(saved)


def _with_suggested_address(request: HttpRequest, registration: Registration) -> HttpResponse:
    """The form as typed, with Twilio's suggested address filled in; nothing is saved."""
    values = composer.returned_values(request)
    if suggestion := _suggestion(decisions.problems(registration)):
        values |= suggestion.as_inputs()
        messages.info(request, "The suggested address is filled in. Press Save to keep it.")
    else:
        messages.warning(request, "Twilio no longer suggests an address for this registration.")
    return _render(request, registration, RegistrationForm(instance=registration, initial=values))


def _suggestion(problems: Iterable[Problem]) -> AddressSuggestion | None:
    """The first one, like on the registration's page."""
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
            # A page without the hidden field may not have shown the newest revision.
            expected_revision=form.expected_revision or 0,
            **form.registration_fields(),
        )
    if form.limits_spent:
        actions.override_limits(saved, reason=form.override_reason, actor=actor)
    return saved, changed


@transaction.atomic
def _submit(request: HttpRequest, saved: Registration, revision: int, review_first: bool) -> HttpResponse:
    """Submit right away if that costs no more than shown beside the button and the plan has no warnings.

    Otherwise show the plan first; also when someone has edited the registration after it was saved as `revision`.
    """
    saved = lock(saved.pk)
    plan = decisions.plan(saved)
    shown = detail.submit_fee(plan) <= shown_fee(request) and not preflight.has_unseen(request, saved, plan)
    if review_first or saved.revision != revision or plan.notes or plan.dead_end or not shown:
        messages.info(request, "Saved. Please review the plan before submitting.")
        return redirect(url("confirm", saved, "submit"))
    try:
        actions.submit(saved, actor=request.user.get_username())
    except actions.Refused as refusal:
        messages.error(request, f"Saved, but not submitted: {refusal}")
    else:
        messages.success(request, "Saved. Submitting to Twilio…")
    return redirect(saved)


def sections(form: RegistrationForm, problems: Iterable[Problem]) -> list[SectionView]:
    """The form's sections. A problem with several inputs is shown at the first one; the others link to it."""
    rows = {
        b.name: InputRow(b, hints=form.hints.get(b.name, [])) for section in form.sections for b in section
    }
    for problem in problems:
        names = [name for name in map(advice.input_name, problem.fields) if name in rows]
        for name in names[:1]:
            rows[name].problems.append(problem)
        for name in names[1:]:
            rows[name].also_affected.append((problem.title, names[0]))
    return [
        SectionView(section.slug, section.title, section.hint, [rows[bound.name] for bound in section])
        for section in form.sections
    ]


def _render(
    request: HttpRequest,
    registration: Registration | None,
    form: RegistrationForm,
    status: int = 200,
    merged: merging.Merge | None = None,
) -> HttpResponse:
    problems = decisions.problems(registration) if registration else []
    views = sections(form, problems)
    rows = [row for view in views for row in view.rows]
    warnings = limits.for_form(None if form.is_bound else registration)
    slots = preflight.slots_of_form(form)
    for row in rows:
        row.slot = slots.get(row.name)
        row.counted, row.limit_use = row.name in warnings, warnings.get(row.name)
    names = {row.name for row in rows}
    plan = decisions.plan(registration) if registration else None
    price = prices.price(plan) if plan else first_price()
    context = {
        **admin.site.each_context(request),
        "title": f"Edit {registration.label}" if registration else "New registration",
        "registration": registration,
        "merge": merged,
        "base": composer.carried_base(request)
        or (merging.base_of(registration, merged) if registration else ""),
        "form": form,
        "sections": views,
        "errors": [(row, error) for row in rows for error in row.bound.errors],
        "general_errors": form.non_field_errors(),
        "general_problems": [p for p in problems if not names & set(map(advice.input_name, p.fields))],
        "rejected": [row for row in rows if row.problems],
        "address": advice.address_rows(_suggestion(problems), lambda name: str(form[name].value() or "")),
        "use_address": composer.ADDRESS,
        "fee": price.total,
        "price": price,
        "dead_ends": plan.blockers if plan and plan.dead_end else [],
        "may_override": request.user.has_perm(OVERRIDE),
        "is_first": registration is None or not registration.was_submitted,
        "monthly": monthly_note(),
        "limits_url": limits.url(registration),
        **limits.form_context(),
        **preflight.form_context(slots),
        "compose_url": composer.url(registration),
    }
    return TemplateResponse(request, "registrations/registration/form.html", context, status=status)


def first_price() -> prices.Price:
    """What a first registration costs when nothing is rejected (docs/twilio.md section 9)."""
    return prices.Price(price_of("brand"), price_of("campaign_vetting"))


def monthly_note() -> str:
    fees = all_prices()
    return (
        f"Once live, Twilio charges ${fees['campaign_monthly']:.2f} a month for the campaign and about "
        f"${fees['number_monthly']:.2f} for the number."
    )
