"""What a person does to a registration from its page. State changes by POST alone, and each asks for its permission."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST, require_safe

from registrations.models import Registration
from registrations.operations import actions
from registrations.operations import otp as one_time_texts
from registrations.workflow.planner import decisions
from registrations.workflow.prices import price as price_of
from registrations.workflow.recorder import registry_limits

from . import assignment, detail, limit_counters, otp, preflight, prices, removal
from .form import OVERRIDE, find, locked, monthly_note, require, shown_fee

CHANGE = "registrations.change_registration"
SPEND = "registrations.spend_registration"


@require_safe
def confirm(request: HttpRequest, admin_site: Any, pk: str, act: str) -> HttpResponse:
    """What an act would do and cost, before anything happens."""
    registration = find(pk)
    require(request, CHANGE)
    build = {
        "submit": _confirm_submit,
        "purchase": _confirm_purchase,
        "remove": removal.confirm,
        "resend-otp": otp.confirm_one,
    }.get(act)
    if build is None:
        raise Http404("There is no such act.")
    context = {
        **admin_site.each_context(request),
        "registration": registration,
        "desk_url": detail.url("detail", registration),
        "act_url": detail.url("action", registration, act),
        **build(request, registration),
    }
    return TemplateResponse(request, "registrations/registration/confirm.html", context)


def _confirm_submit(request: HttpRequest, registration: Registration) -> dict[str, Any]:
    plan = decisions.plan(registration)
    price = prices.price(plan)
    again = registration.is_submitted
    said = preflight.before_paying(registration, plan)
    title = "Try again" if again else "Submit changes" if registration.was_submitted else "Submit"
    return {
        "title": title,
        "lead": "The worker makes these calls one after the other, and waits where Twilio asks for it."
        if plan.calls
        else "",
        "calls": plan.calls,
        "blockers": plan.blockers,
        "plan": plan,
        "plan_mark": prices.mark(plan),
        "price": price,
        "fee": price.total,
        "asked_later": prices.PURCHASE,
        "may_cost": prices.MAYBE,
        "monthly": monthly_note() if price.total else "",
        "button": price.button("Submit all the same" if said["preflight_errors"] else title),
        "forbidden": _limits_in_the_way(registration),
        "no_way": not _can_send(plan),
        **said,
    }


def _can_send(plan: decisions.Plan) -> bool:
    """Submit does something, or at least may: without a call it still lifts an earlier no."""
    return bool(plan.calls) or not plan.dead_end


def _limits_in_the_way(registration: Registration) -> str:
    """Why Submit would be refused for a limit that is reached; "" when it would not."""
    spent = limit_counters.spent(registration, registry_limits.uses_of(registration))
    passing = "A supervisor can let it pass, with a reason, on the registration's page."
    return " ".join([*(use.text for use in spent), passing]) if spent else ""


def _confirm_purchase(request: HttpRequest, registration: Registration) -> dict[str, Any]:
    price = price_of("number_monthly")
    allowed = request.user.has_perm(SPEND)
    return {
        "title": "Confirm the purchase",
        "lead": f"One phone number in area code {registration.phone_number.area_code} is bought at Twilio and "
        "registered for this customer's campaign.",
        "calls": [],
        "blockers": [],
        "fee": price,
        "price_rows": [
            ("Area code", registration.phone_number.area_code),
            ("Price", f"${price:.2f} a month"),
        ],
        "button": f"Buy for ${price:.2f} a month",
        "forbidden": "" if allowed else "Your account may not buy numbers. Ask a colleague who may.",
    }


def _submit(request: HttpRequest, registration: Registration, actor: str) -> str:
    plan = decisions.plan(registration)
    if not _can_send(plan):
        raise actions.Refused("Nothing can be sent to Twilio now. The page says what must be done first.")
    if detail.submit_fee(plan) > shown_fee(request):
        raise actions.Refused("The fee has changed since you looked at it. Please look again.")
    if prices.goes_beyond(plan, request.POST.get("plan", "")):
        raise actions.Refused("The plan has changed since you looked at it. This is the new one.")
    actions.submit(registration, actor=actor, despite=preflight.read(request))
    return "Submitted. The worker is on it."


def _resend(request: HttpRequest, registration: Registration, actor: str) -> str:
    one_time_texts.resend(registration, actor=actor)
    return "A new OTP text is on its way. Tell the customer to answer YES."


def _purchase(request: HttpRequest, registration: Registration, actor: str) -> str:
    require(request, SPEND)
    actions.confirm_purchase(registration, actor=actor)
    return "Confirmed. The worker buys the number."


def _hold(request: HttpRequest, registration: Registration, actor: str) -> str:
    actions.hold(registration, reason=_text(request, "reason", 300), actor=actor)
    return "On hold. Nothing is sent to Twilio until it is released."


def _release(request: HttpRequest, registration: Registration, actor: str) -> str:
    actions.release(registration, actor=actor)
    return "Released."


def _refresh(request: HttpRequest, registration: Registration, actor: str) -> str:
    actions.refresh(registration, actor=actor)
    return "Asking Twilio. This page shows the answer when it is here."


def _note(request: HttpRequest, registration: Registration, actor: str) -> str:
    text = _text(request, "text", 2000)
    actions.add_note(registration, text=text, actor=actor)
    return assignment.after_note(text, actor)


def _use_address(request: HttpRequest, registration: Registration, actor: str) -> str:
    if not actions.use_suggested_address(registration, actor=actor):
        raise actions.Refused("This address is saved here already. Submit sends it.")
    return "The suggested address is saved. Nothing is sent before you press the button below."


def _override(request: HttpRequest, registration: Registration, actor: str) -> str:
    require(request, OVERRIDE)
    actions.override_limits(registration, reason=_text(request, "reason", 300), actor=actor)
    return "Noted. The limit no longer stops this registration."


def _look_online(request: HttpRequest, registration: Registration, actor: str) -> str:
    actions.request_online_checks(registration, actor=actor)
    return "A worker looks at the pages and the mobile. The answers come onto the timeline."


ACTS: dict[str, Callable[[HttpRequest, Registration, str], str]] = {
    "submit": _submit,
    "resend-otp": _resend,
    "purchase": _purchase,
    "hold": _hold,
    "release": _release,
    "refresh": _refresh,
    "note": _note,
    "claim": assignment.claim,
    "let-go": assignment.let_go,
    "assign": assignment.assign,
    "use-address": _use_address,
    "override": _override,
    "look-online": _look_online,
    "remove": removal.remove,
}
# These were confirmed on a page that showed one revision; if it has moved on, the page must be seen again.
CONFIRMED = frozenset({"submit", "purchase", "remove", "resend-otp"})
# These were pressed beside values that the page showed.
SHOWN = CONFIRMED | {"use-address"}
# Where these lead when they are done, instead of to the registration's page: the plan, with its one button.
NEXT = {"use-address": "submit"}


@require_POST
def act(request: HttpRequest, pk: str, act: str) -> HttpResponse:
    """Do it, say so, and go back to the registration's page."""
    registration = find(pk)
    require(request, CHANGE)
    do = ACTS.get(act)
    if do is None:
        raise Http404("There is no such act.")
    back = detail.url("detail", registration)
    try:
        with transaction.atomic():
            # Ours until it is done: nobody edits between what is compared here and what is done.
            registration = locked(registration.pk)
            if act in SHOWN and request.POST.get("revision") != str(registration.revision):
                raise actions.Refused(
                    "Somebody has edited this registration since you looked at it. Please look again."
                )
            messages.success(request, do(request, registration, request.user.get_username()))
        if act in NEXT:
            back = detail.url("confirm", registration, NEXT[act])
    except actions.Refused as refusal:
        messages.error(request, str(refusal))
        if act in CONFIRMED:
            back = detail.url("confirm", registration, act)
    return redirect(back)


def _text(request: HttpRequest, name: str, limit: int) -> str:
    text = request.POST.get(name, "").strip()
    if not text:
        raise actions.Refused("Please write a few words.")
    if len(text) > limit:
        raise actions.Refused(f"Please keep it within {limit} characters; this has {len(text)}.")
    return text
