"""The page "OTP texts" (who has not replied YES), resending a text to one customer, and changing the mobile."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
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

from .base import (
    CHANGE,
    OVERRIDE,
    VIEW,
    find,
    load,
    lock,
    override_reason,
    permissions,
    require,
    shown_fee,
    url,
)
from .detail import OTP_SCRIPT, submit_fee, time_left

PER_PAGE = 100
LIST = "admin:registrations_registration_otp"
# A text that expires this soon is marked.
EXPIRES_SOON = timedelta(hours=4)


@dataclass(frozen=True)
class OtpRow:
    """One customer who has not replied YES. rejected: Twilio rejected the newest request for a text."""

    registration: Registration
    moment: datetime
    rejected: bool

    @property
    def left(self) -> timedelta | None:
        """What is left of the text's 24 hours."""
        return time_left(self.registration.brand.otp_expires_at, self.moment)

    @property
    def days_left(self) -> timedelta | None:
        """What is left of the brand's 30 days."""
        return time_left(self.registration.brand.otp_deadline_at, self.moment)

    @property
    def cooldown_left(self) -> timedelta | None:
        sent_at = self.registration.brand.otp_sent_at
        return time_left(sent_at + scaled(otp.COOLDOWN_SECONDS) if sent_at else None, self.moment)

    @property
    def is_expired(self) -> bool:
        return self.registration.brand.otp_sent_at is not None and self.left is None

    @property
    def is_past_deadline(self) -> bool:
        return self.registration.brand.otp_deadline_at is not None and self.days_left is None

    @property
    def is_sending(self) -> bool:
        return self.registration.brand.otp_requested_at is not None and not self.rejected

    @property
    def can_resend(self) -> bool:
        """The same rule as operations.otp.state, without a query per row."""
        registration = self.registration
        return not (self.is_sending or self.cooldown_left or registration.hold) and registration.is_submitted

    @property
    def severity(self) -> str:
        return "attention" if self.left and self.left < EXPIRES_SOON else "wait"


def _rejected(registrations: list[Registration]) -> set[int]:
    """The ids of those whose newest request for a text was rejected, in one query."""
    attempts = ApiCall.objects.filter(
        registration__in=registrations,
        step="brand.send_otp",
        state__in=[CallState.REJECTED, CallState.ERRORED],
        finished_at__gte=F("registration__brand__otp_requested_at"),
    )
    return set(attempts.values_list("registration_id", flat=True))


class _CachedCountPaginator(Paginator):
    """Counted like the navigation's number: in large databases it may be a minute old."""

    @cached_property
    def count(self) -> int:
        return statistics.read("texts_owed")["texts_owed"]


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The list, oldest text first; the number of queries does not grow with it."""
    require(request, VIEW)
    registrations = (
        statistics.owing()
        .select_related("profile", "trust_bundle", "brand")
        .defer("profile__payload", "trust_bundle__payload", "brand__payload")
        .order_by(F("brand__otp_sent_at").asc(nulls_first=True), "pk")
    )
    shown: Page = _CachedCountPaginator(registrations, PER_PAGE).get_page(request.GET.get("p"))
    moment = now()
    rejected = _rejected(list(shown))
    rows = [OtpRow(registration, moment, registration.pk in rejected) for registration in shown]
    return TemplateResponse(
        request,
        "registrations/registration/otp.html",
        {
            **admin.site.each_context(request),
            "title": "OTP texts",
            "rows": rows,
            "page": shown,
            "may": permissions(request),
            "otp_script": OTP_SCRIPT,
        },
    )


# --- resending to one customer --------------------------------------------------------------------------
def confirm(request: HttpRequest, registration: Registration) -> dict[str, Any]:
    """The confirm page's values: the recipient, the texts so far, and whether one can be sent now."""
    state, moment = otp.state(registration), now()
    left = time_left(state.expires_at, moment)
    rows = [
        ("To", masked(str(registration.trust_bundle.mobile_phone_number))),
        ("Sent so far", f"{state.sends} time{'' if state.sends == 1 else 's'}"),
        ("Last sent", display.relative(state.sent_at) if state.sent_at else "never"),
    ]
    if state.sent_at:
        rows.append(("Last text", f"valid for {display.span_text(left)}" if left else "expired"))
    if cooldown := time_left(state.cooldown_until, moment):
        rows.append(("Can be resent", f"in {display.span_text(cooldown)}"))
    return {
        "title": "Resend OTP text",
        "lead": f"Twilio texts {registration.profile.full_name} again. Free of charge.",
        "plan": {"notes": [state.note] if state.note else []},
        "price_rows": rows,
        "fee": 0,
        "script": OTP_SCRIPT,
        "button": "Resend OTP text",
        "forbidden": _blocked(registration),
        "other": ("Change mobile", url("mobile", registration)) if state.owed else None,
    }


def masked(mobile: str) -> str:
    """The last four digits of a mobile, to tell two apart.

    >>> masked("+14155552672")
    '(•••) •••-2672'
    """
    return f"(•••) •••-{mobile[-4:]}"


def _blocked(registration: Registration) -> str:
    """Why the text cannot be resent now, or ""."""
    return otp.state(registration).why_not or ("" if registration.is_submitted else otp.UNSUBMITTED_EDITS)


# --- changing the mobile ---------------------------------------------------------------------------------
class MobileForm(forms.Form):
    """The page's one input, validated like in the registration's form."""

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
            raise ValidationError("This mobile is already registered.")
        self.limits_spent = [
            use for use in registry_limits.uses(mobile=mobile, without=self.registration) if use.exhausted
        ]
        if self.limits_spent and not self.override_reason:
            raise ValidationError(self.limits_spent[0].text, code="limit")
        return mobile


def mobile(request: HttpRequest, pk: str) -> HttpResponse:
    """Another mobile for a customer who has not replied YES: saved, sent to Twilio, and texted, in one step."""
    registration = find(pk)
    require(request, CHANGE)
    if not statistics.owing().filter(pk=registration.pk).exists():
        messages.info(
            request, "This customer is not being asked for a YES now, so there is no OTP text to send."
        )
        return redirect(registration)
    if request.method != "POST":
        return _mobile(request, registration)
    with transaction.atomic():
        return _mobile(request, lock(registration.pk))


def _mobile(request: HttpRequest, registration: Registration) -> HttpResponse:
    form = MobileForm(
        request.POST if request.method == "POST" else None,
        registration=registration,
        override_reason=override_reason(request),
    )
    plan, fee, refused = None, Decimal(0), ""
    if form.is_bound and form.is_valid():
        number = form.cleaned_data["mobile_phone_number"]
        plan = _plan_with(registration, number)
        # What this change adds to the fee. At present that is nothing, so it runs right away.
        fee = max(submit_fee(plan) - submit_fee(decisions.plan(registration)), Decimal(0))
        if request.POST.get("revision") != str(registration.revision):
            # A colleague's edits would be sent with it.
            refused = "Someone edited this registration after you opened it. Please review it, then save."
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
                messages.success(request, "Saved. Twilio texts the new mobile once it has the update.")
                return redirect(registration)
    status = 409 if refused else 422 if form.errors else 200
    return TemplateResponse(
        request,
        "registrations/registration/mobile.html",
        {
            **admin.site.each_context(request),
            "title": "Change mobile",
            "registration": registration,
            "form": form,
            "field": form["mobile_phone_number"],
            "plan": plan,
            "fee": fee,
            "refused": refused,
            "unsent": not registration.is_submitted,
            "may_override": request.user.has_perm(OVERRIDE),
            "otp_script": OTP_SCRIPT,
            "otp_url": reverse(LIST),
        },
        status=status,
    )


def _plan_with(registration: Registration, number: str) -> decisions.Plan:
    """The plan with that mobile; nothing is saved."""
    trial = load(registration.pk)
    trial.trust_bundle.mobile_phone_number = number
    return decisions.plan(trial)
