"""The page of one registration, and its live regions.

Each region is rendered on its own and named by a hash of its HTML. The browser sends the hashes it has and gets
back only the regions that differ, so an unchanged page is never touched: nothing closes or loses focus.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from registrations.admin.changelist import live_regions
from registrations.core.clock import now
from registrations.intake.form import RegistrationForm
from registrations.models import Registration
from registrations.models.choices import Stage, WaitingFor
from registrations.operations import otp as otp_texts
from registrations.workflow.planner import deadlines, decisions, progress
from registrations.workflow.planner.decisions import Plan, Problem
from registrations.workflow.planner.manual_tasks import ManualTask, manual_tasks, ticket_text
from registrations.workflow.recorder import registry_limits

from . import advice, assignment, base, limits, panels, preflight, prices
from .advice import ProblemView
from .base import url

# The live regions in page order, and their templates.
REGIONS = {
    name: f"registration/_{name}"
    for name in (
        *("status", "head", "problems", "tasks", "otp", "steps"),
        *("twilio_status", "limits", "timeline", "api_calls"),
    )
}
# The newest ones are on the page; the lists "Timeline" and "API calls" have all.
EVENTS_SHOWN = 15
CALLS_SHOWN = 10
# Poll fast when the worker is due within this time: longer than the settle waits between calls.
SOON = timedelta(seconds=40)
FIX = "Fix this"
# The sender of the OTP text, and the answer it expects: docs/twilio.md section 8.
OTP_SCRIPT = (
    "You will get a text from +1 915-278-2000 that asks you to confirm your registration. Please reply with "
    "the word YES. There is no code to type. The text is valid for 24 hours."
)


@dataclass(frozen=True)
class Button:
    """`post`: a button that submits the page's one form to `url`; otherwise a link. note: one line below it."""

    label: str
    url: str
    post: bool = False
    note: str = ""


@require_safe
def page(request: HttpRequest, pk: str) -> HttpResponse:
    """Everything about one registration."""
    registration = base.find(pk)
    base.require(request, base.VIEW)
    values = context(request, registration)
    may = values["may"]
    return TemplateResponse(
        request,
        "registrations/registration/detail.html",
        {
            **admin.site.each_context(request),
            **values,
            "title": registration.label,
            **live_regions.within_page(live_regions.regions(REGIONS, values)),
            "summary": summary(registration),
            **preflight.confirm_context(registration, values["plan"]),
            **assignment.context(request, registration),
            "may_remove": may["remove"] and may["change"] and can_remove(registration),
            **_polling(registration, values),
        },
    )


@require_safe
def refresh(request: HttpRequest, pk: str) -> HttpResponse:
    """The regions whose versions differ from those in the query; 204 when the browser has them all."""
    registration = base.find(pk)
    base.require(request, base.VIEW)
    values = context(request, registration)
    return live_regions.live(request, live_regions.regions(REGIONS, values), **_polling(registration, values))


def _polling(registration: Registration, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "live_url": url("refresh", registration),
        "poll_seconds": live_regions.poll_seconds(values["busy"]),
    }


def context(request: HttpRequest, registration: Registration) -> dict[str, Any]:
    """Everything the regions need; about a dozen queries, however long the registration's history."""
    moment = now()
    attempts = decisions.Attempts.of(registration)
    problems = advice.problem_views(registration, decisions.problems(registration, attempts))
    tasks, late = manual_tasks(registration), deadlines.overdue(registration, moment)
    uses = registry_limits.uses_of(registration)
    plan = decisions.plan(registration)
    otp = otp_texts.state(registration)
    may = base.permissions(request)
    primary = primary_button(registration, problems, plan, otp, may, tasks)
    needs_ticket = bool(tasks) or late is not None or any(view.needs_support for view in problems)
    steps = progress.step_views(registration, moment, attempts)
    return {
        "registration": registration,
        "may": may,
        "problems": problems,
        "use_address_url": url("action", registration, "use-address") if may["change"] else "",
        "tasks": tasks,
        "late": late,
        "ticket": ticket_text(registration) if needs_ticket else "",
        "ticket_open": any(task.support for task in tasks),
        "counters": limits.counters(registration, uses),
        "limits_used_up": limits.used_up(registration, uses),
        "plan": plan,
        "step_groups": panels.step_groups(steps, {call.slug for call in plan.calls}),
        "otp": otp,
        "otp_script": OTP_SCRIPT,
        "otp_left": time_left(otp.expires_at, moment),
        "otp_days_left": time_left(otp.deadline_at, moment),
        "resend_url": url("confirm", registration, "resend-otp"),
        "twilio_status": panels.twilio_status(registration),
        "primary": primary,
        "secondary": secondary_buttons(registration, primary, may, plan),
        "busy": is_busy(registration),
        "events": list(registration.events.all()[: EVENTS_SHOWN + 1]),
        "events_shown": EVENTS_SHOWN,
        "api_calls": list(
            registration.api_calls.defer("request_params", "request", "response", "traceback")[
                : CALLS_SHOWN + 1
            ]
        ),
        "calls_shown": CALLS_SHOWN,
        "retired": list(registration.retired.all()),
        "sandbox_panel_url": settings.A2P_SANDBOX_PANEL_URL,
    }


def primary_button(
    registration: Registration,
    problems: list[ProblemView],
    plan: Plan,
    otp: otp_texts.State,
    may: dict[str, bool],
    tasks: list[ManualTask],
) -> Button | None:
    """The one thing to do now, if the user can do it here.

    None where a suggested address has its own button, or where only Twilio's support can help.
    """
    if not may["change"]:
        return None
    if registration.hold:
        return Button("Release", url("action", registration, "release"), post=True)
    if registration.removing:
        again = may["remove"] and can_remove(registration)
        return Button("Try again", url("confirm", registration, "remove")) if again else None
    needs_us = registration.waiting_for == WaitingFor.US
    submit_url, price_note = url("confirm", registration, "submit"), prices.price(plan).note
    if not registration.is_submitted:
        label = "Submit changes" if registration.was_submitted else "Submit"
        return Button(label, submit_url, note=price_note) if plan.calls or not plan.dead_end else None
    no_answer = registration.stage == Stage.OTP and needs_us
    if otp.can_resend and (no_answer or registration.waiting_for == WaitingFor.CUSTOMER):
        return Button("Resend OTP text", url("confirm", registration, "resend-otp"))
    fixable = [view for view in problems if not view.dead_end]
    if needs_us and fixable:
        has_own_button = any(view.address for view in fixable)
        task_comes_first = tasks and not any(view.fix_url for view in fixable)
        return None if has_own_button or task_comes_first else Button(FIX, _fix_url(registration, fixable))
    if registration.stage == Stage.NUMBER and needs_purchase(registration) and may["spend"]:
        return Button("Confirm purchase", url("confirm", registration, "purchase"))
    return Button("Try again", submit_url, note=price_note) if needs_us and plan.calls else None


def secondary_buttons(
    registration: Registration, primary: Button | None, may: dict[str, bool], plan: Plan
) -> list[Button]:
    if not may["change"]:
        return []
    check = Button("Check Twilio now", url("action", registration, "refresh"), post=True)
    if registration.removing:
        return [check]
    label = primary.label if primary else ""
    buttons = [] if label == FIX else [Button("Edit", url("change", registration))]
    needs_us = registration.is_submitted and registration.waiting_for == WaitingFor.US
    if needs_us and not registration.hold and plan.calls and label != "Try again":
        buttons.append(Button("Try again", url("confirm", registration, "submit")))
    return [*buttons, check] if registration.was_submitted else buttons


def _fix_url(registration: Registration, fixable: list[ProblemView]) -> str:
    """The form, at the first input that a problem names."""
    problems: list[Problem] = [view.problem for view in fixable]
    name = next((problem.field for problem in problems if problem.field), "")
    return url("change", registration) + (f"#field-{advice.input_name(name)}" if name else "")


def submit_fee(plan: Plan) -> Decimal:
    """What Submit may cost, in US dollars: everything but the number, which is confirmed on its own."""
    return prices.price(plan).total


def needs_purchase(registration: Registration) -> bool:
    number = registration.phone_number
    return bool(number.area_code and not number.sid and not number.purchase_confirmed_at)


def can_remove(registration: Registration) -> bool:
    """Whether there is something to remove from Twilio. While it is removing: only when that has stopped."""
    if registration.removing:
        return registration.waiting_for == WaitingFor.US
    return registration.was_submitted and registration.stage != Stage.REMOVED


def is_busy(registration: Registration) -> bool:
    """Whether something is likely to change within seconds."""
    moment = now()
    leased = registration.lease_until is not None and registration.lease_until > moment
    due = registration.next_run_at is not None and registration.next_run_at < moment + SOON
    return leased or due or registration.waiting_for == WaitingFor.WORKER


def time_left(until: datetime | None, moment: datetime) -> timedelta | None:
    """None when there is no such time, or when it has passed."""
    return until - moment if until and until > moment else None


def summary(registration: Registration) -> list[dict[str, Any]]:
    """The inputs by section, for reading; empty ones are left out."""
    return [
        {
            "slug": section.slug,
            "title": section.title,
            "rows": [
                {"label": bound.label, "value": text} for bound in section if (text := _display_value(bound))
            ],
        }
        for section in RegistrationForm(instance=registration).sections
        if section.slug != "team"
    ]


def _display_value(bound: Any) -> str:
    value = bound.value()
    if isinstance(value, bool):
        return "Yes" if value else "No"
    choices = dict(getattr(bound.field, "choices", None) or {})
    if value in choices:
        return str(choices[value]) if value else ""
    return str(bound.field.widget.format_value(value) or "") if value else ""
