"""Every step of a registration, as one line each, for its page. Only reads."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from registrations.models import ApiCall, Registration
from registrations.models.choices import OPEN_CALL_STATES, CallState, Stage
from registrations.workflow.steps import AnyStep, Watch, Write, steps_of

from .attempts import Attempts
from .decisions import Stop, Wait, current_state, refusal_text


@dataclass(frozen=True)
class StepView:
    """One line of the step list. status: todo, ready, running, waiting, done, drifted, failed, blocked, or kept."""

    slug: str
    label: str
    part: str
    stage: Stage
    kind: str
    status: str
    sid: str
    at: datetime | None
    actor: str
    reason: str
    fee: Decimal | None
    help: str


def step_views(registration: Registration, now: datetime, attempts: Attempts | None = None) -> list[StepView]:
    """Every step that is part of this registration. Its status is computed, never stored."""
    attempts = attempts or Attempts.of(registration)
    decision = current_state(registration, now, attempts)
    current = None if isinstance(decision, Wait | Stop) else decision.step.slug
    views: list[StepView] = []
    reached = False  # whether a step before this one is not done
    for step in steps_of(registration):
        attempt = attempts.newest.get(step.slug)
        status, reason = _status(step, registration, attempts, current, reached)
        if status == "hidden":
            continue
        if status not in ("done", "drifted", "kept") and not reached:
            reached = True
            if isinstance(decision, Wait | Stop) and status in ("ready", "waiting"):
                reason = reason or decision.reason
                if isinstance(decision, Stop) and status == "ready":
                    status = "todo" if not registration.was_submitted else "blocked"
                elif isinstance(decision, Wait) and status == "ready":
                    status = "waiting"
        views.append(_view(step, registration, attempt, status, reason))
    return views


def _status(
    step: AnyStep, registration: Registration, attempts: Attempts, current: str | None, reached: bool
) -> tuple[str, str]:
    attempt = attempts.newest.get(step.slug)
    if attempt is None and not step.applies(registration):
        return "hidden", ""
    if attempt and attempt.state in OPEN_CALL_STATES:
        return (
            "running",
            "No answer yet. Checking Twilio before continuing."
            if attempt.lookup_attempts
            else "In progress.",
        )
    if isinstance(step, Watch):
        if step.passed(registration):
            return "done", ""
        if step.exists(registration):
            failed = step.failed(registration)
            if failed and not reached:
                return "failed", failed
            return ("todo", "") if reached else ("waiting", step.reason)
        return "todo", ""
    if not step.is_needed(registration):
        if (
            isinstance(step, Write)
            and step.retire_on_refusal
            and attempt
            and attempt.state == CallState.REJECTED
        ):
            return "kept", refusal_text(step, attempt)
        hidden = isinstance(step, Write) and step.repair and attempt is None
        return ("hidden" if hidden else "done"), ""
    if attempts.refusal(step, registration) and attempt:
        return "failed", refusal_text(step, attempt)
    drifted = isinstance(step, Write) and step.repair
    if drifted and not registration.is_submitted:
        return "drifted", "Edited here, not sent to Twilio yet."
    if reached:
        return "todo", ""
    if blocked := step.blocked(registration):
        return "blocked", blocked
    return ("running" if step.slug == current and registration.lease_token else "ready"), ""


def _view(
    step: AnyStep, registration: Registration, attempt: ApiCall | None, status: str, reason: str
) -> StepView:
    sid, fee, kind = "", None, "read"
    if isinstance(step, Write):
        kind = "write"
        sid = (
            getattr(step.resource(registration), step.sid_field)
            if step.sid_field
            else (attempt.sid if attempt else "")
        )
        fee = step.fee() if step.fee else None
    elif isinstance(step, Watch):
        kind = "watch"
    at = (attempt.finished_at or attempt.started_at) if attempt else None
    if isinstance(step, Watch):
        at = step.resource(registration).synced_at if step.exists(registration) else None
    return StepView(
        slug=step.slug,
        label=step.label,
        part=step.part,
        stage=step.stage,
        kind=kind,
        status=status,
        sid=sid or "",
        at=at,
        actor=attempt.actor if attempt else "",
        reason=reason,
        fee=fee,
        help=step.help,
    )
