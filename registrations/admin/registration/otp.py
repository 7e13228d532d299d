"""The desk of OTP texts: who owes a YES, how long it is still good for, and sending it again to many."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.decorators.http import require_safe

from registrations.admin.changelist import display
from registrations.core.clock import now, scaled
from registrations.intake.form.phones import Mobile
from registrations.models import ApiCall, Registration
from registrations.models.choices import CallState
from registrations.operations import actions, otp
from registrations.reporting import statistics
from registrations.workflow.planner import decisions
from registrations.workflow.recorder import registry_limits

from . import detail
from .form import OVERRIDE, find, locked, override_reason, require, shown_fee

VIEW, CHANGE = "registrations.view_registration", "registrations.change_registration"
PER_PAGE = 100
DESK = "admin:registrations_registration_otp"


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
    def can_resend(self) -> bool:
        """As one_time_texts.state says, from what the page has read already."""
        registration = self.registration
        return not (self.asked or self.cooling or registration.hold) and registration.is_submitted

    @property
    def hours_mood(self) -> str:
        return "bad" if self.expired else "act" if self.left and self.left < timedelta(hours=4) else "wait"


def _refused(registrations: list[Registration]) -> set[int]:
    """Registrations whose newest wish for a text was refused, by one query."""
    attempts = ApiCall.objects.filter(
        registration__in=registrations,
        step="brand.send_otp",
        state__in=[CallState.REJECTED, CallState.ERRORED],
        finished_at__gte=F("registration__brand__otp_requested_at"),
    )
    return set(attempts.values_list("registration_id", flat=True))


def _line(registration: Registration, moment: datetime, refused: bool) -> Line:
    brand = registration.brand
    cool_until = brand.otp_sent_at + scaled(otp.COOLDOWN_SECONDS) if brand.otp_sent_at else None
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


class _OwedPages(Paginator):
    """Counted as on the tabs: a large desk's number may be a minute old, a small desk's never is."""

    @cached_property
    def count(self) -> int:
        return statistics.read("texts_owed")["texts_owed"]


@require_safe
def page(request: HttpRequest, admin_site: Any) -> HttpResponse:
    """The list, those whose text has expired first; the same few queries however long it is."""
    require(request, VIEW)
    registrations = (
        statistics.owing()
        .select_related("profile", "trust_bundle", "brand")
        .defer("profile__payload", "trust_bundle__payload", "brand__payload")
        .order_by(F("brand__otp_sent_at").asc(nulls_first=True), "pk")
    )
    shown: Page = _OwedPages(registrations, PER_PAGE).get_page(request.GET.get("p"))
    moment = now()
    refused = _refused(list(shown))
    lines = [_line(registration, moment, registration.pk in refused) for registration in shown]
    return TemplateResponse(
        request,
        "registrations/registration/otp.html",
        {
            **admin_site.each_context(request),
            "title": "OTP texts",
            "lines": lines,
            "page": shown,
            "expired": sum(line.expired for line in lines),
            "may": detail.permissions(request),
            "otp_script": detail.OTP_SCRIPT,
        },
    )


# --- sending again to one --------------------------------------------------------------------------------------------
def confirm_one(request: HttpRequest, registration: Registration) -> dict[str, Any]:
    """The confirm page's values for one customer: to whom, how often already, and whether it may be sent now."""
    state, moment = otp.state(registration), now()
    good_for = _left(state.expires_at, moment)
    rows = [
        ("Goes to", masked(str(registration.trust_bundle.mobile_phone_number))),
        ("Sent so far", f"{state.sends} time{'' if state.sends == 1 else 's'}"),
        ("Last sent", display.relative(state.sent_at) if state.sent_at else "never"),
    ]
    if state.sent_at:
        rows.append(("That text", f"good for {display.span_text(good_for)}" if good_for else "expired"))
    if cooling := _left(state.cooldown_until, moment):
        rows.append(("May be sent again", f"in {display.span_text(cooling)}"))
    return {
        "title": "Resend the OTP text",
        "lead": f"Twilio texts {registration.profile.full_name} once more. Free of charge.",
        "plan": {"notes": [state.note] if state.note else []},
        "price_rows": rows,
        "fee": 0,
        "script": detail.OTP_SCRIPT,
        "button": "Send the text",
        "forbidden": _why_not(registration),
        "other": ("Change the mobile", detail.url("mobile", registration)) if state.owed else None,
    }


def masked(mobile: str) -> str:
    """Enough of a mobile to tell two apart, and no more.

    >>> masked("+14155552672")
    '(•••) •••-2672'
    """
    return f"(•••) •••-{mobile[-4:]}"


def _why_not(registration: Registration) -> str:
    if why_not := otp.state(registration).why_not:
        return why_not
    return (
        "" if registration.is_submitted else "There are edits that Twilio has not got yet. Submit them first."
    )


# --- another mobile -----------------------------------------------------------------------------------------------
class MobileForm(forms.Form):
    """The one input of the page, judged as in the form of a registration."""

    use_required_attribute = False
    mobile_phone_number = Mobile(label="New mobile", region="US")

    def __init__(self, data: Any = None, *, registration: Registration, override_reason: str = "") -> None:
        super().__init__(data)
        self.registration = registration
        self.override_reason = override_reason
        self.limits_spent: list[registry_limits.Use] = []

    def clean_mobile_phone_number(self) -> str:
        mobile = self.cleaned_data["mobile_phone_number"].as_e164
        if mobile == str(self.registration.trust_bundle.mobile_phone_number):
            raise ValidationError("This is the mobile that is registered already.")
        self.limits_spent = [
            use for use in registry_limits.uses(mobile=mobile, without=self.registration) if use.exhausted
        ]
        if self.limits_spent and not self.override_reason:
            raise ValidationError(self.limits_spent[0].text, code="limit")
        return mobile


def mobile(request: HttpRequest, admin_site: Any, pk: str) -> HttpResponse:
    """Another mobile for a customer who owes a YES: saved, sent to Twilio, and texted, in one act."""
    registration = find(pk)
    require(request, CHANGE)
    if not statistics.owing().filter(pk=registration.pk).exists():
        messages.info(request, "This customer owes no answer now, so there is no text to send elsewhere.")
        return redirect(detail.url("detail", registration))
    if request.method != "POST":
        return _mobile(request, admin_site, registration)
    with transaction.atomic():
        return _mobile(request, admin_site, locked(registration.pk))


def _mobile(request: HttpRequest, admin_site: Any, registration: Registration) -> HttpResponse:
    form = MobileForm(
        request.POST if request.method == "POST" else None,
        registration=registration,
        override_reason=override_reason(request),
    )
    plan, fee, refused = None, Decimal(0), ""
    if form.is_bound and form.is_valid():
        number = form.cleaned_data["mobile_phone_number"]
        plan = _plan_with(registration, number)
        # What this change adds to what was agreed to: nothing today, and then it is done at once.
        fee = max(detail.submit_fee(plan) - detail.submit_fee(decisions.plan(registration)), Decimal(0))
        if request.POST.get("revision") != str(registration.revision):
            # What a colleague has saved would be sent along.
            refused = "Somebody has edited this registration since you looked at it. Please look again, and save then."
        elif fee <= shown_fee(request):
            try:
                otp.change_mobile(
                    registration,
                    mobile=number,
                    actor=request.user.get_username(),
                    limit_reason=form.override_reason,
                )
            except actions.Refused as refusal:
                refused = str(refusal)
            else:
                messages.success(
                    request, "Saved. The new number gets its text as soon as Twilio has taken it."
                )
                return redirect(detail.url("detail", registration))
    status = 409 if refused else 422 if form.errors else 200
    return TemplateResponse(
        request,
        "registrations/registration/mobile.html",
        {
            **admin_site.each_context(request),
            "title": "Change the mobile",
            "registration": registration,
            "form": form,
            "field": form["mobile_phone_number"],
            "plan": plan,
            "fee": fee,
            "refused": refused,
            "unsent": not registration.is_submitted,
            "may_override": request.user.has_perm(OVERRIDE),
            "otp_script": detail.OTP_SCRIPT,
            "desk_url": detail.url("detail", registration),
            "otp_url": reverse(DESK),
        },
        status=status,
    )


def _plan_with(registration: Registration, number: str) -> decisions.Plan:
    """The plan as it would be with that mobile; nothing is saved."""
    trial = detail.load(registration.pk)
    trial.trust_bundle.mobile_phone_number = number
    return decisions.plan(trial)
