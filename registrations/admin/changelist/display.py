"""How values look everywhere: chips, ages, SIDs. Pure functions from values to safe HTML."""

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
from registrations.models.choices import CallState, ItemState, JobState, Stage, WaitingFor
from registrations.operations.reconciliation.resource_types import RESOURCE_TYPES
from registrations.twilio.rejections import parse_error_items
from registrations.twilio.statuses import StatusLabel
from registrations.workflow.spending import LOOKUP_STEP, dollars
from registrations.workflow.steps import BY_SLUG

NOTHING = SafeString('<span class="quiet">—</span>')
# Severity -> icon. Color is never the only sign: each chip has an icon and a label.
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
# A stage by itself is no news: color is for an unanswered OTP text and for live.
STAGE_SEVERITIES = {
    Stage.DRAFT: "idle",
    Stage.OTP: "wait",
    Stage.LIVE: "good",
    Stage.REMOVING: "idle",
    Stage.REMOVED: "idle",
}
WAITING_SEVERITIES = {
    WaitingFor.US: "attention",
    WaitingFor.CUSTOMER: "wait",
    WaitingFor.TWILIO: "wait",
    WaitingFor.WORKER: "work",
    WaitingFor.NOBODY: "good",
}
STEP_LABELS = {
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
CALL_SEVERITIES = {
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
JOB_SEVERITIES = {
    JobState.PREPARING: "work",
    JobState.READY: "attention",
    JobState.RUNNING: "work",
    JobState.CANCELLED: "idle",
    JobState.DONE: "good",
    JobState.FAILED: "bad",
}
ITEM_SEVERITIES = {
    ItemState.NEW: "idle",
    ItemState.WILL: "next",
    ItemState.SKIPPED: "idle",
    ItemState.DONE: "good",
    ItemState.FAILED: "bad",
}


@cache
def icon(name: str) -> SafeString:
    """An icon of the sprite, hidden from assistive technology: there is always text next to it."""
    return format_html(
        '<svg class="icon icon-{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        name,
        static("a2p/icons.svg"),
        name,
    )


def chip(label: str, severity: str) -> SafeString:
    known = severity if severity in ICONS else "unknown"
    return format_html('<span class="chip chip-{}">{}{}</span>', known, icon(ICONS[known]), label)


def status_chip(status: StatusLabel) -> SafeString:
    return chip(status.label, status.severity)


def stage_chip(stage: str) -> SafeString:
    label = Stage(stage).label if stage in Stage.values else stage
    return chip(label, STAGE_SEVERITIES.get(stage, "idle" if stage in Stage.values else "unknown"))  # type: ignore[call-overload]


def waiting_chip(waiting_for: str) -> SafeString:
    label = WaitingFor(waiting_for).label if waiting_for in WaitingFor.values else waiting_for
    return chip(label, WAITING_SEVERITIES.get(waiting_for, "unknown"))  # type: ignore[call-overload]


def step_chip(status: str) -> SafeString:
    label, severity = STEP_LABELS.get(status, (status, "unknown"))
    return chip(label, severity)


def call_chip(state: str) -> SafeString:
    label = CallState(state).label if state in CallState.values else state
    return chip(label, CALL_SEVERITIES.get(state, "unknown"))  # type: ignore[call-overload]


def job_chip(state: str) -> SafeString:
    """The state of a bulk action or an import."""
    return chip(JobState(state).label, JOB_SEVERITIES[JobState(state)])


def item_chip(state: str) -> SafeString:
    """The outcome of one registration in a bulk action."""
    return chip(ItemState(state).label, ITEM_SEVERITIES[ItemState(state)])


def kind_label(kind: str) -> str:
    """The label of a kind of Twilio resource; an unknown kind keeps its slug."""
    return RESOURCE_TYPES[kind].label if kind in RESOURCE_TYPES else kind


def step_label(slug: str) -> str:
    """The step table's label; a step that no longer exists keeps its slug."""
    if slug == LOOKUP_STEP:
        return "Look up the mobile's line type"
    return BY_SLUG[slug].label if slug in BY_SLUG else slug


_EVENT_PARTS = {"trustbundle": "trust bundle", "phonenumber": "number"}


def event_text(tag: str, text: str) -> str:
    """The text of a timeline entry, readable by itself: a status change says whose status it is.

    >>> event_text("campaign:status", "PENDING → FAILED"), event_text("note", "Called her.")
    ('Campaign status: PENDING → FAILED', 'Called her.')
    """
    part, _, subject = tag.partition(":")
    if tag == "stage":
        return f"Stage: {text}"
    if subject in ("status", "identity", "evaluation"):
        return f"{_EVENT_PARTS.get(part, part).capitalize()} {subject}: {text}"
    return text or tag


def span_text(span: timedelta) -> str:
    """A duration in one unit, rounded down; the smallest is a minute.

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
    """Relative to now: "just now", "5 min ago", "in 2 h"."""
    gap = now() - at
    if abs(gap) < timedelta(minutes=1):
        return "just now" if gap >= timedelta(0) else "in a moment"
    return f"{span_text(gap)} ago" if gap > timedelta(0) else f"in {span_text(-gap)}"


def when(at: datetime | None) -> SafeString:
    """A relative time, with the exact one on hover."""
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
    """The two ends of a SID, enough to tell two apart.

    >>> short_sid("BN0123456789abcdef0123456789abcdef")
    'BN0123…cdef'
    """
    return sid if len(sid) <= 14 else f"{sid[:6]}…{sid[-4:]}"


# The Console's addresses are not documented anywhere we could check, so every path is UNVERIFIED. By SID prefix;
# customer profiles and trust products share BU, and both are in the Trust Hub.
CONSOLE = "https://console.twilio.com"
_CONSOLE_PATHS = {
    "AC": "/",
    "AD": "/us1/develop/phone-numbers/regulatory-compliance/addresses/{sid}",
    "BN": "/us1/develop/sms/regulatory-compliance/brands/{sid}",
    "BU": "/us1/account/trust-hub/customer-profiles/{sid}",
    "CM": "/us1/develop/sms/regulatory-compliance/campaigns",
    "MG": "/us1/develop/sms/services/{sid}",
    "PN": "/us1/develop/phone-numbers/manage/incoming/{sid}/configure",
    "QE": "/us1/develop/sms/regulatory-compliance/campaigns",
}


def console_url(sid: str) -> str:
    """The page of a SID in Twilio's Console, or "" if the Console has none for its kind (IT, RD, BV, EL, …).

    >>> console_url("MG" + "0" * 32).endswith("/us1/develop/sms/services/MG" + "0" * 32)
    True
    >>> console_url("IT" + "0" * 32)
    ''
    """
    path = _CONSOLE_PATHS.get(sid[:2])
    return CONSOLE + path.format(sid=sid) if path else ""


def sid_link(sid: str, name: str = "") -> SafeString:
    """The SID with a copy button, linked to Twilio's Console if it has a page for it.

    `name` makes the copy button's id, so that the focus returns to it after a live refresh.
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


def copy_button(text: str, subject: str, name: str) -> SafeString:
    # Hidden until the script knows that this browser can copy.
    return format_html(
        '<button type="button" class="copy" id="copy-{}" data-copy="{}" hidden '
        'aria-label="Copy {}" title="Copy">{}</button>',
        re.sub(r"[^A-Za-z0-9_-]+", "-", name),
        text,
        subject,
        icon("copy"),
    )


def money(amount: Decimal | None) -> str:
    """US dollars; "" for zero or None.

    >>> money(Decimal("97519.5")), money(None), money(Decimal(0))
    ('$97,519.50', '', '')
    """
    return dollars(amount) if amount else ""


def pretty(value: Any) -> str:
    """Indented JSON; anything that is not JSON is shown as its repr."""
    try:
        return json.dumps(value, indent=2, ensure_ascii=False, default=str)
    except (TypeError, ValueError):
        return repr(value)


def upstream_errors(errors: Any) -> list[dict[str, str]]:
    """Code and text of every item of an `errors[]` column, in order.

    The text is Twilio's, or our title if there is only a code. Items of any shape are shown
    (Source: docs/twilio.md sections 4 to 6).
    """
    return [
        {"code": str(item.code or ""), "text": item.description or item.failure.title}
        for item in parse_error_items(errors)
    ]
