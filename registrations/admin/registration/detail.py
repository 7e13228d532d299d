"""What the page of one registration shows, gathered once; and its live parts.

Each live part ("region") is rendered on its own and named by a hash of its HTML. The browser sends the hashes it
has, and gets back only the regions that differ: an idle page is never touched, so nothing closes or loses focus.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from registrations.core.clock import now
from registrations.models import Registration
from registrations.models.choices import Stage, WaitingFor
from registrations.operations import otp as one_time_texts
from registrations.workflow.planner import deadlines, decisions, progress
from registrations.workflow.planner.decisions import Plan, Problem
from registrations.workflow.planner.manual_tasks import ManualTask, manual_tasks, ticket_text
from registrations.workflow.recorder import registry_limits

from . import advice, limit_counters, panels, prices
from .advice import ProblemView

# The live parts in the order of the page, and their templates.
REGIONS = {
    name: f"desk/_{name}"
    for name in (
        *("status", "head", "problems", "tasks", "otp"),
        *("board", "upstream", "limits", "timeline", "ledger"),
    )
}
# The newest lines shown on the page; the lists "Timeline" and "Ledger" have all.
EVENTS_SHOWN = 15
RUNS_SHOWN = 10
# What lies this near ahead is worth watching closely: it covers the settle waits.
SOON = timedelta(seconds=40)
FIX = "Fix this"
# docs/twilio.md section 8: the sender of the OTP text, and that a word answers it.
OTP_SCRIPT = (
    "You will get a text from +1 915-278-2000 that asks you to confirm your registration. Please answer with "
    "the word YES. There is no code to type. The text is valid for 24 hours."
)


@dataclass(frozen=True)
class Act:
    """A button: `post` sends the page's one form there, otherwise it is a link."""

    label: str
    url: str
    post: bool = False
    note: str = ""


def load(pk: Any) -> Registration:
    """The registration with everything the page needs in one query; raises Registration.DoesNotExist."""
    return Registration.objects.select_related("owner", *Registration.PARTS).get(pk=pk)


def url(name: str, registration: Registration, *extra: Any) -> str:
    return reverse(f"admin:registrations_registration_{name}", args=[registration.pk, *extra])


def submit_fee(plan: Plan) -> Decimal:
    """What pressing Submit may cost, in US dollars: everything but the number, whose price is agreed apart."""
    return prices.price(plan).total


def needs_purchase(registration: Registration) -> bool:
    number = registration.phone_number
    return bool(number.area_code and not number.sid and not number.purchase_confirmed_at)


def can_take_down(registration: Registration) -> bool:
    """Whether there is anything to take down, and it is not under way: one that stopped may be asked for again."""
    if registration.removing:
        return registration.waiting_for == WaitingFor.US
    return registration.was_submitted and registration.stage != Stage.REMOVED


def primary(
    registration: Registration,
    problems: list[ProblemView],
    plan: Plan,
    otp: one_time_texts.State,
    may: dict[str, bool],
    tasks: list[ManualTask],
) -> Act | None:
    """The one thing to do now, if it is ours to do here.

    A suggested address has its own button beside it, and what only Twilio's support can mend has none.
    """
    mendable = [view for view in problems if not view.dead_end]
    fix = Act(FIX, f"{url('change', registration)}{_anchor([view.problem for view in mendable])}")
    nothing_to_send = plan.dead_end and not plan.calls
    if not may["change"]:
        return None
    if registration.hold:
        return Act("Release", url("action", registration, "release"), post=True)
    if registration.removing:
        again = may["remove"] and can_take_down(registration)
        return Act("Try again", url("confirm", registration, "remove")) if again else None
    if not registration.is_submitted:
        label = "Submit changes" if registration.was_submitted else "Submit"
        act = Act(label, url("confirm", registration, "submit"), note=prices.price(plan).note)
        return None if nothing_to_send else act
    asked_in_vain = registration.stage == Stage.OTP and registration.waiting_for == WaitingFor.US
    if otp.can_resend and (asked_in_vain or registration.waiting_for == WaitingFor.CUSTOMER):
        return Act("Resend OTP text", url("confirm", registration, "resend-otp"))
    if registration.waiting_for == WaitingFor.US and mendable:
        return None if any(view.address for view in mendable) or (tasks and not _anchored(mendable)) else fix
    if registration.stage == Stage.NUMBER and needs_purchase(registration) and may["spend"]:
        return Act("Confirm purchase", url("confirm", registration, "purchase"))
    if registration.waiting_for == WaitingFor.US and plan.calls:
        return Act("Try again", url("confirm", registration, "submit"), note=prices.price(plan).note)
    return None


def secondary(registration: Registration, first: Act | None, may: dict[str, bool], plan: Plan) -> list[Act]:
    if not may["change"]:
        return []
    if registration.removing:
        return [Act("Check Twilio now", url("action", registration, "refresh"), post=True)]
    fixing = first is not None and first.label == FIX
    acts = [] if fixing else [Act("Edit", url("change", registration))]
    stuck = registration.is_submitted and registration.waiting_for == WaitingFor.US and not registration.hold
    if stuck and plan.calls and (first is None or first.label != "Try again"):
        acts.append(Act("Try again", url("confirm", registration, "submit")))
    if registration.was_submitted:
        acts.append(Act("Check Twilio now", url("action", registration, "refresh"), post=True))
    return acts


def _anchored(problems: list[ProblemView]) -> bool:
    return any(view.fix_url for view in problems)


def is_busy(registration: Registration) -> bool:
    """Whether something is likely to change within seconds."""
    moment = now()
    leased = registration.lease_until is not None and registration.lease_until > moment
    due = registration.next_run_at is not None and registration.next_run_at < moment + SOON
    return leased or due or registration.waiting_for == WaitingFor.WORKER


def permissions(request: HttpRequest) -> dict[str, bool]:
    user = request.user
    return {
        "change": user.has_perm("registrations.change_registration"),
        "spend": user.has_perm("registrations.spend_registration"),
        "override": user.has_perm("registrations.override_limits"),
        "remove": user.has_perm("registrations.remove_registration"),
        "bulk": user.has_perms(["registrations.bulk_registration", "registrations.change_registration"]),
    }


def context(request: HttpRequest, registration: Registration) -> dict[str, Any]:
    """Everything the regions need; about a dozen queries, whatever the case's age."""
    moment = now()
    attempts = decisions.Attempts.of(registration)
    problems = decisions.problems(registration, attempts)
    views = advice.views(registration, problems, url("change", registration))
    tasks, late = manual_tasks(registration), deadlines.overdue(registration, moment)
    uses = registry_limits.uses_of(registration)
    plan = decisions.plan(registration)
    otp = one_time_texts.state(registration)
    may = permissions(request)
    first = primary(registration, views, plan, otp, may, tasks)
    return {
        "registration": registration,
        "may": may,
        "problems": views,
        "use_address_url": url("action", registration, "use-address") if may["change"] else "",
        "tasks": tasks,
        "stuck": late,
        "ticket": ticket_text(registration) if _needs_ticket(views, tasks, late) else "",
        "ticket_open": any(task.support for task in tasks),
        "counters": limit_counters.counters(registration, uses),
        "limits_spent": limit_counters.spent(registration, uses),
        "plan": plan,
        "parts": panels.parts(
            progress.step_views(registration, moment, attempts), {call.slug for call in plan.calls}
        ),
        "otp": otp,
        "otp_script": OTP_SCRIPT,
        "upstream": panels.upstream(registration),
        "otp_shown": otp.owed,
        "otp_left": otp.expires_at - moment if otp.expires_at and otp.expires_at > moment else None,
        "deadline_left": otp.deadline_at - moment if otp.deadline_at and otp.deadline_at > moment else None,
        "resend_url": url("confirm", registration, "resend-otp"),
        "primary": first,
        "secondary": secondary(registration, first, may, plan),
        "busy": is_busy(registration),
        "events": list(registration.events.all()[: EVENTS_SHOWN + 1]),
        "events_shown": EVENTS_SHOWN,
        "api_calls": list(
            registration.api_calls.defer("request_params", "request", "response", "traceback")[
                : RUNS_SHOWN + 1
            ]
        ),
        "runs_shown": RUNS_SHOWN,
        "retired": list(registration.retired.all()),
        "sandbox_panel_url": settings.A2P_SANDBOX_PANEL_URL,
    }


def _needs_ticket(views: list[ProblemView], tasks: list[ManualTask], late: deadlines.Overdue | None) -> bool:
    return bool(tasks) or late is not None or any(view.needs_support for view in views)


def _anchor(problems: list[Problem]) -> str:
    name = next((problem.field for problem in problems if problem.field), "")
    return f"#field-{advice.input_name(name)}" if name else ""
