"""The desk of one-time texts: who owes a YES, how long it is still good for, and sending it again to many."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from registrations import limits, planning, verbs
from registrations.clock import now, scaled
from registrations.forms.phones import Mobile
from registrations.models import Registration, StepRun
from registrations.states import BRAND_APPROVED, IDENTITY_VERIFIED, RunState, Stage

from . import desk
from .edit import find, require, shown_fee

VIEW, CHANGE = "registrations.view_registration", "registrations.change_registration"
PER_PAGE = 100
DESK = "admin:registrations_registration_otp"


def owing() -> QuerySet[Registration]:
    """Cases whose customer owes a YES; the same rule as steps.brand.waits_for_yes, in SQL."""
    return (
        Registration.objects.filter(brand__status=BRAND_APPROVED, brand__gone_at=None, removing=False)
        .exclude(brand__sid="")
        .exclude(brand__identity_status=IDENTITY_VERIFIED)
        .exclude(stage=Stage.REMOVED)
    )


@dataclass(frozen=True)
class Line:
    """One customer on the desk. left, days_left: what remains of the text's 24 hours and of the 30 days."""

    registration: Registration
    left: timedelta | None
    days_left: timedelta | None
    asked: bool
    refused: bool
    cooling: timedelta | None

    @property
    def expired(self) -> bool:
        return self.registration.brand.otp_sent_at is not None and self.left is None

    @property
    def late(self) -> bool:
        return self.registration.brand.otp_deadline_at is not None and self.days_left is None

    @property
    def hours_mood(self) -> str:
        return "bad" if self.expired else "act" if self.left and self.left < timedelta(hours=4) else "wait"


def _refused(cases: list[Registration]) -> set[int]:
    """Cases whose newest wish for a text was refused, by one query."""
    runs = StepRun.objects.filter(
        registration__in=cases,
        step="brand.send_otp",
        state__in=[RunState.REJECTED, RunState.ERRORED],
        finished_at__gte=F("registration__brand__otp_requested_at"),
    )
    return set(runs.values_list("registration_id", flat=True))


def _line(registration: Registration, moment: datetime, refused: bool) -> Line:
    brand = registration.brand
    cool_until = brand.otp_sent_at + scaled(verbs.OTP_COOLDOWN_SECONDS) if brand.otp_sent_at else None
    return Line(
        registration,
        _left(brand.otp_expires_at, moment),
        _left(brand.otp_deadline_at, moment),
        brand.otp_requested_at is not None and not refused,
        refused,
        _left(cool_until, moment),
    )


def _left(until: datetime | None, moment: datetime) -> timedelta | None:
    return until - moment if until and until > moment else None


@require_safe
def page(request: HttpRequest, admin_site: Any) -> HttpResponse:
    """The list, those whose text has expired first; the same few queries however long it is."""
    require(request, VIEW)
    cases = (
        owing()
        .select_related("profile", "trust_bundle", "brand")
        .defer("profile__payload", "trust_bundle__payload", "brand__payload")
        .order_by(F("brand__otp_sent_at").asc(nulls_first=True), "pk")
    )
    shown: Page = Paginator(cases, PER_PAGE).get_page(request.GET.get("p"))
    moment = now()
    refused = _refused(list(shown))
    lines = [_line(case, moment, case.pk in refused) for case in shown]
    return TemplateResponse(
        request,
        "registrations/desk/otp_desk.html",
        {
            **admin_site.each_context(request),
            "title": "One-time texts",
            "lines": lines,
            "page": shown,
            "expired": sum(line.expired for line in lines),
            "may": desk.permissions(request),
            "otp_script": desk.OTP_SCRIPT,
        },
    )


# --- sending again to many ----------------------------------------------------------------------------------------
def _chosen(values: list[str]) -> list[Registration]:
    """The chosen cases in the list's order; anything that is not a number is passed over."""
    pks = [int(value) for value in dict.fromkeys(values) if value.isascii() and value.isdecimal()][:PER_PAGE]
    return list(
        Registration.objects.filter(pk__in=pks)
        .select_related("profile", "trust_bundle", "brand")
        .order_by(F("brand__otp_sent_at").asc(nulls_first=True), "pk")
    )


@require_safe
def confirm(request: HttpRequest, admin_site: Any) -> HttpResponse:
    """Who will be texted, and who is passed over and why, before anything happens."""
    require(request, CHANGE)
    cases = _chosen(request.GET.getlist("case"))
    if not cases:
        messages.warning(request, "Choose at least one customer.")
        return redirect(DESK)
    judged = [(case, _why_not(case)) for case in cases]
    return TemplateResponse(
        request,
        "registrations/desk/otp_confirm.html",
        {
            **admin_site.each_context(request),
            "title": "Send one-time texts again",
            "sendable": [case for case, why_not in judged if not why_not],
            "skipped": [(case, why_not) for case, why_not in judged if why_not],
            "desk_url": reverse(DESK),
            "resend_url": reverse("admin:registrations_registration_otp_resend"),
        },
    )


def _why_not(case: Registration) -> str:
    if why_not := verbs.otp_state(case).why_not:
        return why_not
    return "" if case.is_submitted else "There are edits that Twilio has not got yet. Submit them first."


@require_POST
def resend(request: HttpRequest) -> HttpResponse:
    """Ask for a text to each chosen customer; each answer is told."""
    require(request, CHANGE)
    pks = [case.pk for case in _chosen(request.POST.getlist("case"))]
    if not pks:
        messages.warning(request, "Choose at least one customer.")
        return redirect(DESK)
    answers = verbs.resend_many(pks, actor=request.user.get_username())
    if sent := sum(done for _, done, _ in answers):
        messages.success(
            request,
            f"{sent} text{'s' if sent > 1 else ''} on the way. Tell the customer{'s' if sent > 1 else ''} "
            "to answer YES.",
        )
    labels = dict(Registration.objects.filter(pk__in=pks).values_list("pk", "label"))
    for pk, done, sentence in answers:
        if not done:
            messages.warning(request, f"{labels.get(pk, pk)}: {sentence}")
    return redirect(DESK)


# --- another mobile -----------------------------------------------------------------------------------------------
class MobileForm(forms.Form):
    """The one input of the page, judged as in the form of a registration."""

    use_required_attribute = False
    mobile_phone_number = Mobile(label="New mobile", region="US")

    def __init__(self, data: Any = None, *, case: Registration) -> None:
        super().__init__(data)
        self.case = case

    def clean_mobile_phone_number(self) -> str:
        mobile = self.cleaned_data["mobile_phone_number"].as_e164
        if mobile == str(self.case.trust_bundle.mobile_phone_number):
            raise ValidationError("This is the mobile that is registered already.")
        for use in limits.uses(mobile=mobile, without=self.case):
            if use.spent and not self.case.limit_override:
                raise ValidationError(use.text, code="limit")
        return mobile


def mobile(request: HttpRequest, admin_site: Any, pk: str) -> HttpResponse:
    """Another mobile for a customer who owes a YES: saved, sent to Twilio, and texted, in one act."""
    case = find(pk)
    require(request, CHANGE)
    if not owing().filter(pk=case.pk).exists():
        messages.info(request, "This customer owes no answer now, so there is no text to send elsewhere.")
        return redirect(desk.url("desk", case))
    form = MobileForm(request.POST if request.method == "POST" else None, case=case)
    plan, fee, refused = None, Decimal(0), ""
    if form.is_bound and form.is_valid():
        number = form.cleaned_data["mobile_phone_number"]
        plan = _plan_with(case, number)
        # What this change adds to what was agreed to: nothing today, and then it is done at once.
        fee = max(desk.submit_fee(plan) - desk.submit_fee(planning.plan(case)), Decimal(0))
        if fee <= shown_fee(request):
            try:
                verbs.change_mobile(case, mobile=number, actor=request.user.get_username())
            except verbs.Refused as refusal:
                refused = str(refusal)
            else:
                messages.success(
                    request, "Saved. The new number gets its text as soon as Twilio has taken it."
                )
                return redirect(desk.url("desk", case))
    status = 409 if refused else 422 if form.errors else 200
    return TemplateResponse(
        request,
        "registrations/desk/mobile.html",
        {
            **admin_site.each_context(request),
            "title": "Change the mobile",
            "registration": case,
            "form": form,
            "field": form["mobile_phone_number"],
            "plan": plan,
            "fee": fee,
            "refused": refused,
            "unsent": not case.is_submitted,
            "otp_script": desk.OTP_SCRIPT,
            "desk_url": desk.url("desk", case),
            "otp_url": reverse(DESK),
        },
        status=status,
    )


def _plan_with(case: Registration, number: str) -> planning.Plan:
    """The plan as it would be with that mobile; nothing is saved."""
    trial = desk.load(case.pk)
    trial.trust_bundle.mobile_phone_number = number
    return planning.plan(trial)


def count() -> int:
    return owing().count()
