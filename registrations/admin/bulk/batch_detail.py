"""The data of a batch's page, its live parts, and its report."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from registrations.admin.changelist import actions, display
from registrations.admin.changelist.live_regions import poll_seconds
from registrations.models import Batch, BatchItem
from registrations.models.choices import ItemState, JobState, Stage
from registrations.operations import bulk as batches
from registrations.operations.bulk import progress

PER_PAGE = 50
NOBODY = "nobody"
REGIONS = {name: f"batches/_{name}" for name in ("status", "head", "reasons", "rows")}
REPORT = ("id", "external_id", "label", "outcome", "what", "fee_usd", "at", "stage", "waiting_for", "reason")


# --- inputs for confirming ------------------------------------------------------------------------------------
class Inputs(forms.Form):
    """The inputs of a bulk action; fields that it does not need are removed."""

    use_required_attribute = False
    # "Nobody" is an explicit choice: an empty one must not unassign a thousand registrations.
    owner = forms.ChoiceField(
        label="New owner", error_messages={"required": "Choose the new owner, or Nobody."}
    )
    reason = forms.CharField(max_length=300, label="Reason", strip=True)

    def __init__(self, names: tuple[str, ...], data: Any = None) -> None:
        super().__init__(data)
        for name in [name for name in self.fields if name not in names]:
            del self.fields[name]
        if "owner" in self.fields:
            people = get_user_model()._default_manager.filter(is_active=True, is_staff=True)
            staff = [(str(user.pk), user.get_username()) for user in people.order_by("username")]
            self.fields["owner"].choices = [("", "Choose"), *staff, (NOBODY, "Nobody")]  # type: ignore[attr-defined]
        for field in self.fields.values():
            field.widget.attrs["form"] = "batch-form"

    def params(self) -> dict[str, Any]:
        """As stored with the batch: the owner's key, None for nobody."""
        params = dict(self.cleaned_data)
        if "owner" in params:
            params["owner"] = None if params["owner"] == NOBODY else int(params["owner"])
        return params


# --- the page ---------------------------------------------------------------------------------------------------------
def _selected_state(request: HttpRequest) -> str:
    """Which rows the page lists: an ItemState, or "" for all."""
    state = request.GET.get("show", "")
    return state if state in ItemState.values else ""


def context(request: HttpRequest, batch: Batch, form: Inputs | None = None) -> dict[str, Any]:
    """Template variables of the page and its regions; a few queries, whatever the number of rows."""
    act, batch_progress = batches.ACTIONS.get(batch.kind), progress.progress(batch)
    show = _selected_state(request)
    rows = _rows(batch, "label", "stage", "waiting_for")
    page = Paginator(rows.filter(state=show) if show else rows, PER_PAGE).get_page(request.GET.get("p"))
    ready = batch.state == JobState.READY
    confirmed = batch.confirmed_at is not None
    stages = progress.stages(batch) if act and act.submits and batch_progress.done else []
    return {
        "batch": batch,
        "act": act,
        "label": act.label if act else batch.kind,
        "progress": batch_progress,
        "chip": display.chip("Nothing to run", "idle")
        if ready and not batch_progress.will
        else display.job_chip(batch.state),
        "ready": ready,
        "may_run": bool(act and actions.may_run(request, act)),
        "form": (form or Inputs(act.inputs)) if act and ready else None,
        "groups": _groups(batch, confirmed),
        "pace_text": pace_text(batch, batch_progress.pace),
        "hint": _hint(batch_progress),
        "stages": [(display.stage_chip(stage), count) for stage, count in stages],
        "spent": progress.spent(batch) if stages else None,
        "tabs": _tabs(batch_progress, show),
        "page": page,
        "show": show,
        "restartable": batch.state in (JobState.CANCELLED, JobState.FAILED),
        "cancellable": batch.in_progress or ready,
        "has_report": confirmed or ready,
        "poll_seconds": poll_seconds(batch.in_progress),
        "query": urlencode({"p": page.number, **({"show": show} if show else {})}),
    }


def pace_text(batch: Batch, pace: timedelta) -> str:
    """How long Twilio's rate limit makes it take, in one sentence."""
    texts = list(batch.params.get("rate_limited_calls") or {}) == ["otp"]
    rate = "ten texts" if texts else "one brand or campaign registration"
    reviews = "" if texts else " Twilio's reviews and the customers' replies take additional time."
    return f"{_about(pace)} at Twilio's rate limit of {rate} per second.{reviews}"


def _about(span: timedelta) -> str:
    """
    >>> _about(timedelta(seconds=5)), _about(timedelta(minutes=7))
    ('Under 1 min', 'About 7 min')
    """
    text = display.span_text(span)
    return text.capitalize() if text.startswith("under") else f"About {text}"


def _hint(batch_progress: progress.Progress) -> str:
    """What to know while it is in progress."""
    if batch_progress.batch.state == JobState.PREPARING:
        return "Nothing runs until you have batch_progress the preview and confirmed."
    if batch_progress.batch.state != JobState.RUNNING:
        return ""
    left = "Just started." if batch_progress.left is None else f"{_about(batch_progress.left)} left."
    return f"{left} You can leave this page; it continues in the background."


def _rows(batch: Batch, *columns: str) -> QuerySet[BatchItem]:
    """The rows, with only these columns of their registrations: a registration is wide."""
    own = ("batch", "state", "text", "fee", "finished_at")
    return batch.items.select_related("registration").only(
        *own, *(f"registration__{name}" for name in columns)
    )


def _groups(batch: Batch, confirmed: bool) -> list[dict[str, Any]]:
    """Reasons with their counts: of the dry run, or, once confirmed, of what did not run."""
    states = [ItemState.FAILED, ItemState.SKIPPED] if confirmed else [ItemState.WILL, ItemState.SKIPPED]
    found = [(state, progress.reasons(batch, state)) for state in states]
    return [{"title": state.label, "state": state.value, "rows": rows} for state, rows in found if rows]


def _tabs(batch_progress: progress.Progress, show: str) -> list[dict[str, Any]]:
    tabs = [("", "All", sum(batch_progress.counts.values()))]
    tabs += [
        (state.value, str(state.label), count)
        for state in ItemState
        if (count := batch_progress.counts.get(state, 0))
    ]
    return [
        {"label": label, "count": count, "url": f"?show={value}" if value else "?", "current": value == show}
        for value, label, count in tabs
    ]


# --- the report -------------------------------------------------------------------------------------------------------
def report(batch: Batch) -> Iterator[tuple[Any, ...]]:
    """The header, then one row per registration: its outcome and its current stage."""
    yield REPORT
    rows = _rows(batch, "external_id", "label", "stage", "waiting_for", "reason")
    for item in rows.iterator(chunk_size=1000):
        registration = item.registration
        yield (
            *(
                registration.pk,
                registration.external_id,
                registration.label,
                ItemState(item.state).label,
                item.text,
                item.fee,
            ),
            *(
                item.finished_at,
                Stage(registration.stage).label,
                registration.waiting_for,
                registration.reason,
            ),
        )
