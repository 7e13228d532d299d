"""Every step of a case as one line each, for its page. Pure reading; where a case stands is planning's to say."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from registrations.models import Registration, StepRun
from registrations.planning import Stop, Wait, refusal_text, stand
from registrations.runs import Runs
from registrations.states import OPEN_RUN_STATES, RunState, Stage
from registrations.steps import AnyRow, Watch, Write, rows_of


@dataclass(frozen=True)
class StepView:
    """One line of the step board."""

    slug: str
    label: str
    part: str
    stage: Stage
    kind: str
    status: str
    sid: str
    at: datetime | None
    actor: str
    why: str
    fee: Decimal | None
    help: str


def board(registration: Registration, now: datetime, runs: Runs | None = None) -> list[StepView]:
    """Every step that is part of this case, with its state computed, never stored."""
    runs = runs or Runs.of(registration)
    decision = stand(registration, now, runs)
    current = None if isinstance(decision, Wait | Stop) else decision.row.slug
    views: list[StepView] = []
    reached = False  # the first row that is not done; all behind it are still to do
    for row in rows_of(registration):
        run = runs.newest.get(row.slug)
        status, why = _status(row, registration, runs, current, reached)
        if status == "hidden":
            continue
        if status not in ("done", "drifted", "kept") and not reached:
            reached = True
            if isinstance(decision, Wait | Stop) and status in ("ready", "waiting"):
                why = why or decision.reason
                if isinstance(decision, Stop) and status == "ready":
                    status = "todo" if not registration.was_submitted else "blocked"
                elif isinstance(decision, Wait) and status == "ready":
                    status = "waiting"
        views.append(_view(row, registration, run, status, why))
    return views


def _status(
    row: AnyRow, registration: Registration, runs: Runs, current: str | None, reached: bool
) -> tuple[str, str]:
    run = runs.newest.get(row.slug)
    if run is None and not row.applies(registration):
        return "hidden", ""
    if run and run.state in OPEN_RUN_STATES:
        return "running", "No answer yet; it is looked up before going on." if run.looks else "Under way."
    if isinstance(row, Watch):
        if row.passed(registration):
            return "done", ""
        if row.exists(registration):
            failed = row.failed(registration)
            if failed and not reached:
                return "failed", failed
            return ("todo", "") if reached else ("waiting", row.why)
        return "todo", ""
    if not row.wanted(registration):
        if isinstance(row, Write) and row.gives_up and run and run.state == RunState.REJECTED:
            return "kept", refusal_text(row, run)
        hidden = isinstance(row, Write) and row.repair and run is None
        return ("hidden" if hidden else "done"), ""
    if runs.refusal(row, registration) and run:
        return "failed", refusal_text(row, run)
    drifted = isinstance(row, Write) and row.repair
    if drifted and not registration.is_submitted:
        return "drifted", "Edited here, not yet at Twilio."
    if reached:
        return "todo", ""
    if blocked := row.blocked(registration):
        return "blocked", blocked
    return ("running" if row.slug == current and registration.lease_token else "ready"), ""


def _view(row: AnyRow, registration: Registration, run: StepRun | None, status: str, why: str) -> StepView:
    sid, fee, kind = "", None, "read"
    if isinstance(row, Write):
        kind = "write"
        sid = getattr(row.mirror(registration), row.sid_field) if row.sid_field else (run.sid if run else "")
        fee = row.fee() if row.fee else None
    elif isinstance(row, Watch):
        kind = "watch"
    at = (run.finished_at or run.started_at) if run else None
    if isinstance(row, Watch):
        at = row.mirror(registration).synced_at if row.exists(registration) else None
    return StepView(
        slug=row.slug,
        label=row.label,
        part=row.part,
        stage=row.stage,
        kind=kind,
        status=status,
        sid=sid or "",
        at=at,
        actor=run.actor if run else "",
        why=why,
        fee=fee,
        help=row.help,
    )
