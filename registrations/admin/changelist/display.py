"""How things look everywhere: chips, ages, SIDs. Pure functions from values to safe HTML."""

import json
import re
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from registrations.core.clock import now
from registrations.models.choices import CallState, Stage, WaitingFor
from registrations.operations.reconciliation.resource_types import RESOURCE_TYPES
from registrations.twilio.rejections import parse_error_items
from registrations.twilio.statuses import StatusLabel
from registrations.workflow.spending import LOOKUP_STEP, dollars
from registrations.workflow.steps import BY_SLUG

from .console import console_url

NOTHING = SafeString('<span class="quiet">—</span>')
# Mood -> icon. Colour never stands alone: each chip has an icon and a word.
ICONS = {
    "good": "check",
    "bad": "cross",
    "wait": "clock",
    "idle": "dot",
    "unknown": "question",
    "work": "spin",
    "attention": "alert",
    "next": "next",
    "lock": "lock",
    "edit": "edit",
}
# Where a registration stands is no news by itself: colour is for who must act, for the YES that is owed and for live.
STAGE_MOODS = {
    Stage.DRAFT: "idle",
    Stage.OTP: "wait",
    Stage.LIVE: "good",
    Stage.REMOVING: "idle",
    Stage.REMOVED: "idle",
}
WAITING_MOODS = {
    WaitingFor.US: "attention",
    WaitingFor.CUSTOMER: "wait",
    WaitingFor.TWILIO: "wait",
    WaitingFor.WORKER: "work",
    WaitingFor.NOBODY: "good",
}
WAITING_LABELS = {
    WaitingFor.US: "You",
    WaitingFor.CUSTOMER: "Customer",
    WaitingFor.TWILIO: "Twilio",
    WaitingFor.WORKER: "Worker",
    WaitingFor.NOBODY: "Nobody",
}
STEP_WORDS = {
    "todo": ("Later", "idle"),
    "ready": ("Next", "next"),
    "running": ("Running", "work"),
    "waiting": ("Waiting", "wait"),
    "done": ("Done", "good"),
    "kept": ("Left there", "idle"),
    "drifted": ("Edited here", "edit"),
    "failed": ("Failed", "bad"),
    "blocked": ("Blocked", "lock"),
}
RUN_MOODS = {
    CallState.RUNNING: "work",
    CallState.UNKNOWN: "unknown",
    CallState.OK: "good",
    CallState.FOUND: "good",
    CallState.LOST: "idle",
    CallState.REJECTED: "bad",
    CallState.UNAVAILABLE: "wait",
    CallState.MISCONFIGURED: "bad",
    CallState.ERRORED: "bad",
}


@cache
def icon(name: str) -> SafeString:
    """An icon of the sprite, hidden from assistive technology: a word always stands beside it."""
    return format_html(
        '<svg class="icon icon-{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        name,
        static("a2p/icons.svg"),
        name,
    )


def chip(label: str, severity: str) -> SafeString:
    known = severity if severity in ICONS else "unknown"
    return format_html('<span class="chip chip-{}">{}{}</span>', known, icon(ICONS[known]), label)


def status_chip(word: StatusLabel) -> SafeString:
    return chip(word.label, word.severity)


def stage_chip(stage: str) -> SafeString:
    label = Stage(stage).label if stage in Stage.values else stage
    return chip(label, STAGE_MOODS.get(stage, "idle" if stage in Stage.values else "unknown"))  # type: ignore[call-overload]


def waiting_chip(waiting_for: str) -> SafeString:
    label = WAITING_LABELS.get(waiting_for, waiting_for)  # type: ignore[call-overload]
    return chip(label, WAITING_MOODS.get(waiting_for, "unknown"))  # type: ignore[call-overload]


def step_chip(status: str) -> SafeString:
    label, severity = STEP_WORDS.get(status, (status, "unknown"))
    return chip(label, severity)


def run_chip(state: str) -> SafeString:
    label = CallState(state).label if state in CallState.values else state
    return chip(label, RUN_MOODS.get(state, "unknown"))  # type: ignore[call-overload]


def kind_label(kind: str) -> str:
    """What people call a kind of Twilio's objects; one of an older release keeps its slug."""
    return RESOURCE_TYPES[kind].label if kind in RESOURCE_TYPES else kind


def step_label(slug: str) -> str:
    """What the step table calls a step; a step of an older release keeps its slug."""
    row = BY_SLUG.get(slug)
    if slug == LOOKUP_STEP:
        return "Look up the mobile's line type"
    return row.label if row else slug


_EVENT_PARTS = {"trustbundle": "trust bundle", "phonenumber": "number"}


def event_text(tag: str, text: str) -> str:
    """A line of the timeline that can be read alone: changes of a status say whose status it is.

    >>> event_text("campaign:status", "PENDING → FAILED"), event_text("note", "Called her.")
    ('Campaign status: PENDING → FAILED', 'Called her.')
    """
    part, _, what = tag.partition(":")
    if tag == "stage":
        return f"Stage: {text}"
    if what in ("status", "identity", "evaluation"):
        return f"{_EVENT_PARTS.get(part, part).capitalize()} {what}: {text}"
    return text or tag


def span_text(span: timedelta) -> str:
    """A length of time in one rounded-down unit; the smallest is a minute.

    >>> span_text(timedelta(seconds=30)), span_text(timedelta(hours=30)), span_text(timedelta(days=3))
    ('under 1 min', '30 h', '3 d')
    """
    minutes = int(span.total_seconds() // 60)
    if minutes < 1:
        return "under 1 min"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h"
    return f"{minutes // (24 * 60)} d"


def relative(at: datetime) -> str:
    """When, seen from now: "just now", "5 min ago", "in 2 h"."""
    gap = now() - at
    if abs(gap) < timedelta(minutes=1):
        return "just now" if gap >= timedelta(0) else "in a moment"
    return f"{span_text(gap)} ago" if gap > timedelta(0) else f"in {span_text(-gap)}"


def when(at: datetime | None) -> SafeString:
    """A moment as relative text; the absolute one is its title."""
    if at is None:
        return NOTHING
    local = timezone.localtime(at)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        at.isoformat(timespec="seconds"),
        date_format(local, "N j, Y, H:i:s T"),
        relative(at),
    )


def age(since: datetime | None) -> SafeString:
    if since is None:
        return NOTHING
    local = timezone.localtime(since)
    return format_html(
        '<time datetime="{}" title="since {}">{}</time>',
        since.isoformat(timespec="seconds"),
        date_format(local, "N j, Y, H:i T"),
        span_text(now() - since),
    )


def short_sid(sid: str) -> str:
    """Enough of a SID to tell two apart at a glance.

    >>> short_sid("BN0123456789abcdef0123456789abcdef")
    'BN0123…cdef'
    """
    return sid if len(sid) <= 14 else f"{sid[:6]}…{sid[-4:]}"


def sid_link(sid: str, name: str = "") -> SafeString:
    """The SID, linked to Twilio's Console where that has a page for it, with a copy button.

    `name` makes the copy button's id, so that a live refresh gives the focus back to it.
    """
    if not sid:
        return SafeString("")
    url = console_url(sid)
    label = (
        format_html(
            '<a class="sid" href="{}" target="_blank" rel="noopener noreferrer" '
            'title="{} — opens Twilio\'s Console">{}{}</a>',
            url,
            sid,
            short_sid(sid),
            icon("external"),
        )
        if url
        else format_html('<code class="sid" title="{}">{}</code>', sid, short_sid(sid))
    )
    return format_html(
        '<span class="sid-box">{}{}</span>', label, copy_button(sid, f"SID {sid}", name or sid)
    )


def copy_button(text: str, what: str, name: str) -> SafeString:
    # Hidden until the script says that this browser can copy.
    return format_html(
        '<button type="button" class="copy" id="copy-{}" data-copy="{}" hidden '
        'aria-label="Copy {}" title="Copy">{}</button>',
        re.sub(r"[^A-Za-z0-9_-]+", "-", name),
        text,
        what,
        icon("copy"),
    )


def money(amount: Decimal | None) -> str:
    """US dollars; "" for nothing.

    >>> money(Decimal("97519.5")), money(None), money(Decimal(0))
    ('$97,519.50', '', '')
    """
    return dollars(amount) if amount else ""


def pretty(value: Any) -> str:
    """JSON for people who asked for it; anything that is not JSON is shown by its repr."""
    try:
        return json.dumps(value, indent=2, ensure_ascii=False, default=str)
    except (TypeError, ValueError):
        return repr(value)


def upstream_errors(errors: Any) -> list[dict[str, str]]:
    """All items of an `errors[]` column, in order, for lists: code and text.

    Twilio's words, or our title where it gives a code alone; whatever shape an item has, something of it is
    shown (Source: docs/twilio.md section 4 to 6).
    """
    return [
        {"code": str(item.code or ""), "text": item.description or item.failure.title}
        for item in parse_error_items(errors)
    ]
