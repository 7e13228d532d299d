"""What the page of a batch shows, gathered once; its live parts, and its report."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from registrations.admin.changelist import actions, display
from registrations.admin.changelist.base import detail_url
from registrations.admin.changelist.live_regions import poll_seconds
from registrations.models import Batch, BatchItem
from registrations.models.choices import ItemState, JobState, Stage
from registrations.operations import bulk as batches
from registrations.operations.bulk import progress

PER_PAGE = 50
NOBODY = "nobody"
MOODS = {
    JobState.PREPARING: "work",
    JobState.READY: "attention",
    JobState.RUNNING: "work",
    JobState.CANCELLED: "idle",
    JobState.DONE: "good",
    JobState.FAILED: "bad",
}
ITEM_MOODS = {
    ItemState.NEW: "idle",
    ItemState.WILL: "next",
    ItemState.SKIPPED: "idle",
    ItemState.DONE: "good",
    ItemState.FAILED: "bad",
}
# People read one word for it, wherever it stands.
ITEM_WORDS = {ItemState.SKIPPED: "Passed over"}
REGIONS = {name: f"batches/_{name}" for name in ("status", "head", "reasons", "rows")}
REPORT = ("id", "external_id", "label", "outcome", "what", "fee_usd", "at", "stage", "waiting_for", "reason")


def state_chip(state: str) -> SafeString:
    return display.chip(JobState(state).label, MOODS[JobState(state)])


def item_chip(state: str) -> SafeString:
    return display.chip(_word(ItemState(state)), ITEM_MOODS[ItemState(state)])


def _word(state: ItemState) -> str:
    return ITEM_WORDS.get(state, str(state.label))


# --- what the person adds when confirming -----------------------------------------------------------------------------
class Inputs(forms.Form):
    """The inputs of a bulk act; those that it does not ask for are left out."""

    use_required_attribute = False
    # "Nobody" is a choice: a press without one must not take a thousand registrations from their owners.
    owner = forms.ChoiceField(
        label="New owner", error_messages={"required": "Choose who gets them, or Nobody."}
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
        """As they are kept with the batch: an owner by key, None for nobody."""
        given = dict(self.cleaned_data)
        if "owner" in given:
            given["owner"] = None if given["owner"] == NOBODY else int(given["owner"])
        return given


# --- the page ---------------------------------------------------------------------------------------------------------
def _shown(request: HttpRequest) -> str:
    """Which rows the page lists: an ItemState, or "" for all."""
    asked = request.GET.get("show", "")
    return asked if asked in ItemState.values else ""


def context(request: HttpRequest, batch: Batch, form: Inputs | None = None) -> dict[str, Any]:
    """What the regions need; the same few queries however many rows the batch has."""
    act, seen = batches.ACTIONS.get(batch.kind), progress.progress(batch)
    show = _shown(request)
    rows = _rows(batch, "label", "stage", "waiting_for")
    page = Paginator(rows.filter(state=show) if show else rows, PER_PAGE).get_page(request.GET.get("p"))
    ready = batch.state == JobState.READY
    confirmed = batch.confirmed_at is not None
    stages = progress.stages(batch) if act and act.submits and seen.done else []
    return {
        "batch": batch,
        "act": act,
        "label": act.label if act else batch.kind,
        "seen": seen,
        "chip": display.chip("Nothing to do", "idle") if ready and not seen.will else state_chip(batch.state),
        "ready": ready,
        "may": bool(act and actions.may(request, act)),
        "form": (form or Inputs(act.inputs)) if act and ready else None,
        "groups": _groups(batch, confirmed),
        "pace_text": pace_text(batch, seen.pace),
        "hint": _hint(seen),
        "stages": [(display.stage_chip(stage), count) for stage, count in stages],
        "spent": progress.spent(batch) if stages else None,
        "tabs": _tabs(seen, show),
        "page": page,
        "lines": [(item, item_chip(item.state), detail_url(item.registration_id)) for item in page],
        "show": show,
        "restartable": batch.state in (JobState.CANCELLED, JobState.FAILED),
        "cancellable": batch.in_progress or ready,
        "reports": confirmed or ready,
        "poll_seconds": poll_seconds(batch.in_progress),
        "query": urlencode({"p": page.number, **({"show": show} if show else {})}),
    }


def pace_text(batch: Batch, pace: timedelta) -> str:
    """How long Twilio's own pace makes it, in one sentence."""
    texts = list(batch.params.get("rate_limited_calls") or {}) == ["otp"]
    rate = "ten texts" if texts else "one brand or campaign registration"
    on_top = "" if texts else " Twilio's reviews and the customers' answers come on top."
    return f"{_about(pace)} at Twilio's pace of {rate} a second.{on_top}"


def _about(span: timedelta) -> str:
    """
    >>> _about(timedelta(seconds=5)), _about(timedelta(minutes=7))
    ('Under 1 min', 'About 7 min')
    """
    text = display.span_text(span)
    return text.capitalize() if text.startswith("under") else f"About {text}"


def _hint(seen: progress.Progress) -> str:
    """What to know while it is under way."""
    if seen.batch.state == JobState.PREPARING:
        return "Nothing happens before you have seen what it would do, and confirmed."
    if seen.batch.state != JobState.RUNNING:
        return ""
    left = "Just started." if seen.left is None else f"{_about(seen.left)} left."
    return f"{left} You can leave this page: it goes on in the background."


def _rows(batch: Batch, *columns: str) -> QuerySet[BatchItem]:
    """The rows with these columns of their registrations, and no other: a registration is wide."""
    own = ("batch", "state", "text", "fee", "finished_at")
    return batch.items.select_related("registration").only(
        *own, *(f"registration__{name}" for name in columns)
    )


def _groups(batch: Batch, confirmed: bool) -> list[dict[str, Any]]:
    """Reasons with their counts: of the dry run before it is confirmed, of what was not done afterwards."""
    states = [ItemState.FAILED, ItemState.SKIPPED] if confirmed else [ItemState.WILL, ItemState.SKIPPED]
    found = [(state, progress.reasons(batch, state)) for state in states]
    return [{"title": _word(state), "state": state.value, "rows": rows} for state, rows in found if rows]


def _tabs(seen: progress.Progress, show: str) -> list[dict[str, Any]]:
    tabs = [("", "All", sum(seen.counts.values()))]
    tabs += [
        (state.value, _word(state), count) for state in ItemState if (count := seen.counts.get(state, 0))
    ]
    return [
        {"label": label, "count": count, "url": f"?show={value}" if value else "?", "current": value == show}
        for value, label, count in tabs
    ]


# --- the report -------------------------------------------------------------------------------------------------------
def report(batch: Batch) -> Iterator[tuple[Any, ...]]:
    """The header, then one row for each registration: its outcome, and where it stands now."""
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
