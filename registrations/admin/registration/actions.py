"""What people do on a registration's page. Changes are made by POST only, and each one checks its permission."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST, require_safe

from registrations.models import Registration
from registrations.operations import actions
from registrations.operations import otp as otp_texts
from registrations.workflow.planner import decisions
from registrations.workflow.prices import price as price_of

from . import assignment, detail, limits, otp, preflight, prices, removal
from .base import CHANGE, OVERRIDE, SPEND, find, lock, require, shown_fee, url
from .form import monthly_note


@require_safe
def confirm(request: HttpRequest, pk: str, action: str) -> HttpResponse:
    """What an action would do and cost, before it runs."""
    registration = find(pk)
    require(request, CHANGE)
    build = {
        "submit": _confirm_submit,
        "purchase": _confirm_purchase,
        "remove": removal.confirm,
        "resend-otp": otp.confirm,
    }.get(action)
    if build is None:
        raise Http404("There is no such action.")
    context = {
        **admin.site.each_context(request),
        "registration": registration,
        "action_url": url("action", registration, action),
        **build(request, registration),
    }
    return TemplateResponse(request, "registrations/registration/confirm.html", context)


def _confirm_submit(request: HttpRequest, registration: Registration) -> dict[str, Any]:
    plan = decisions.plan(registration)
    price = prices.price(plan)
    again = registration.is_submitted
    preflight_values = preflight.confirm_context(registration, plan)
    title = "Try again" if again else "Submit changes" if registration.was_submitted else "Submit"
    return {
        "title": title,
        "lead": "Makes these calls to Twilio in order, and waits where Twilio needs time."
        if plan.calls
        else "",
        "calls": plan.calls,
        "blockers": plan.blockers,
        "plan": plan,
        "plan_fingerprint": prices.fingerprint(plan),
        "price": price,
        "fee": price.total,
        "confirmed_later": prices.PURCHASE,
        "may_cost": prices.MAYBE,
        "monthly": monthly_note() if price.total else "",
        "button": price.button("Submit anyway" if preflight_values["preflight_errors"] else title),
        "forbidden": _limit_block(registration),
        "nothing_to_send": not _can_submit(plan),
        **preflight_values,
    }


def _can_submit(plan: decisions.Plan) -> bool:
    """Without calls, Submit may still clear an earlier rejection; at a dead end it cannot."""
    return bool(plan.calls) or not plan.dead_end


def _limit_block(registration: Registration) -> str:
    """Why Submit would be refused because of a limit; "" when it would not be."""
    reached = limits.used_up(registration)
    hint = "A supervisor can override this, with a reason, on the registration's page."
    return " ".join([*(use.text for use in reached), hint]) if reached else ""


def _confirm_purchase(request: HttpRequest, registration: Registration) -> dict[str, Any]:
    price = price_of("number_monthly")
    area_code = registration.phone_number.area_code
    allowed = request.user.has_perm(SPEND)
    return {
        "title": "Confirm purchase",
        "lead": f"Buys one phone number in area code {area_code} from Twilio and registers it for this campaign.",
        "calls": [],
        "blockers": [],
        "fee": price,
        "price_rows": [("Area code", area_code), ("Price", f"${price:.2f} a month")],
        "button": f"Buy for ${price:.2f} a month",
        "forbidden": "" if allowed else "Your account cannot buy numbers. Ask a colleague who can.",
    }


def _submit(request: HttpRequest, registration: Registration, actor: str) -> str:
    plan = decisions.plan(registration)
    if not _can_submit(plan):
        raise actions.Refused("Nothing can be sent to Twilio now. This page shows what must be done first.")
    if detail.submit_fee(plan) > shown_fee(request):
        raise actions.Refused("The fee has changed. Please review it again.")
    if prices.has_grown(plan, request.POST.get("plan", "")):
        raise actions.Refused("The plan has changed. Please review the new one.")
    actions.submit(registration, actor=actor, despite=preflight.acknowledged(request))
    return "Submitting to Twilio…"


def _resend(request: HttpRequest, registration: Registration, actor: str) -> str:
    otp_texts.resend(registration, actor=actor)
    return "Sending a new OTP text. Ask the customer to reply YES."


def _purchase(request: HttpRequest, registration: Registration, actor: str) -> str:
    require(request, SPEND)
    actions.confirm_purchase(registration, actor=actor)
    return "Purchase confirmed. Buying the number…"


def _hold(request: HttpRequest, registration: Registration, actor: str) -> str:
    actions.hold(registration, reason=_text(request, "reason", 300), actor=actor)
    return "On hold. Nothing is sent to Twilio until it is released."


def _release(request: HttpRequest, registration: Registration, actor: str) -> str:
    actions.release(registration, actor=actor)
    return "Released."


def _refresh(request: HttpRequest, registration: Registration, actor: str) -> str:
    actions.refresh(registration, actor=actor)
    return "Checking Twilio… This page updates when the answer arrives."


def _note(request: HttpRequest, registration: Registration, actor: str) -> str:
    text = _text(request, "text", 2000)
    actions.add_note(registration, text=text, actor=actor)
    return assignment.note_message(text, actor)


def _use_address(request: HttpRequest, registration: Registration, actor: str) -> str:
    if not actions.use_suggested_address(registration, actor=actor):
        raise actions.Refused("This address is already saved. Submit sends it.")
    return "The suggested address is saved. Nothing is sent until you press the button below."


def _override(request: HttpRequest, registration: Registration, actor: str) -> str:
    require(request, OVERRIDE)
    actions.override_limits(registration, reason=_text(request, "reason", 300), actor=actor)
    return "Limit overridden for this registration."


def _check_online(request: HttpRequest, registration: Registration, actor: str) -> str:
    actions.request_online_checks(registration, actor=actor)
    return "Checking the pages and the mobile… The results appear on the timeline."


ACTIONS: dict[str, Callable[[HttpRequest, Registration, str], str]] = {
    "submit": _submit,
    "resend-otp": _resend,
    "purchase": _purchase,
    "hold": _hold,
    "release": _release,
    "refresh": _refresh,
    "note": _note,
    "claim": assignment.claim,
    "unassign": assignment.unassign,
    "assign": assignment.assign,
    "use-address": _use_address,
    "override": _override,
    "check-online": _check_online,
    "remove": removal.remove,
}
# Confirmed on a page of their own that showed one revision; after an edit, that page must be seen again.
CONFIRMED = frozenset({"submit", "purchase", "remove", "resend-otp"})
# These act on values that the page showed, so the revision must still be the same.
REVISION_CHECKED = CONFIRMED | {"use-address"}
# The confirm page that follows an action, instead of the registration's page.
NEXT = {"use-address": "submit"}


@require_POST
def perform(request: HttpRequest, pk: str, action: str) -> HttpResponse:
    """Run the action, report the result, and return to the registration's page."""
    registration = find(pk)
    require(request, CHANGE)
    run = ACTIONS.get(action)
    if run is None:
        raise Http404("There is no such action.")
    back = registration.get_absolute_url()
    try:
        with transaction.atomic():
            # Locked, so that nobody edits between the comparison here and the action.
            registration = lock(registration.pk)
            if action in REVISION_CHECKED and request.POST.get("revision") != str(registration.revision):
                raise actions.Refused(
                    "Someone edited this registration after you opened it. Please review it again."
                )
            messages.success(request, run(request, registration, request.user.get_username()))
        if action in NEXT:
            back = url("confirm", registration, NEXT[action])
    except actions.Refused as refusal:
        messages.error(request, str(refusal))
        if action in CONFIRMED:
            back = url("confirm", registration, action)
    return redirect(back)


def _text(request: HttpRequest, name: str, limit: int) -> str:
    text = request.POST.get(name, "").strip()
    if not text:
        raise actions.Refused("Please enter some text.")
    if len(text) > limit:
        raise actions.Refused(f"Please keep it within {limit} characters (now {len(text)}).")
    return text
