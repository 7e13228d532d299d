"""The only writer of Twilio's columns: records the outcome of a step, and applies what Twilio returned.

Saves name their columns, so a simultaneous edit of the inputs is never overwritten.
"""

import random
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from registrations.core import clock
from registrations.models import (
    Brand,
    Campaign,
    PhoneNumber,
    Profile,
    Registration,
    TrustBundle,
    TwilioResource,
    WebhookDelivery,
)
from registrations.twilio import statuses
from registrations.twilio.client.redaction import redact_text
from registrations.workflow import timeline
from registrations.workflow.steps import Watch, watch_of, watches
from registrations.workflow.steps.base import Payload, Read, RequestParams, Write
from registrations.workflow.steps.brand import waits_for_yes

from . import registry_limits, submissions
from .payloads import APPLY, record_change
from .retired import kind_of, replace_sid, retire

INPUT_COLUMNS: dict[type[TwilioResource], set[str]] = {
    Profile: {
        "first_name",
        "last_name",
        "email",
        "phone_number",
        "street",
        "street_secondary",
        "city",
        "region",
        "postal_code",
        "iso_country",
        "email_key",
        "address_key",
    },
    TrustBundle: {"brand_name", "vertical", "mobile_phone_number"},
    Brand: set(),
    Campaign: {
        "description",
        "message_flow",
        "message_samples",
        "has_embedded_links",
        "has_embedded_phone",
        "subscriber_opt_in",
        "age_gated",
        "direct_lending",
        "opt_in_message",
        "opt_in_keywords",
        "opt_out_message",
        "opt_out_keywords",
        "help_message",
        "help_keywords",
        "privacy_policy_url",
        "terms_and_conditions_url",
    },
    PhoneNumber: {"sender_number", "area_code", "purchase_confirmed_at", "purchase_confirmed_by"},
}
# Columns that a person's request or a webhook sets without holding the lease. A step clears one only if it acted on it.
_REQUEST_COLUMNS = {"otp_requested_at", "otp_requested_by", "resubmit_requested", "refresh_requested_at"}
# Only events report these, so the worker's copy may be older than the row (see number_status).
_EVENT_COLUMNS: dict[type[TwilioResource], set[str]] = {
    PhoneNumber: {"a2p_status", "a2p_status_at", "errors"}
}
# A webhook can arrive before Twilio's own API shows the change. If the fetch shows nothing new, poll again after this.
ECHO_SECONDS = 60.0
# Polls of a rejection that came without a reason, before the rare ones.
UNEXPLAINED_SECONDS = (30.0, 120.0, 600.0, 3600.0)


def record(registration: Registration, step: Write, payload: Payload, request_params: RequestParams) -> None:
    """Store the outcome of a successful step: its SID, the accepted params, its times, Twilio's answer."""
    resource, now = step.resource(registration), clock.now()
    if step.sid_field and payload.get("sid"):
        replace_sid(registration, resource, step.sid_field, payload["sid"], step.label)
        _reopen_early_webhooks(payload["sid"])
    resource.accepted_params = {**resource.accepted_params, step.key: request_params}
    for column, value in step.resets.items():
        setattr(resource, column, value)
    for column in step.timestamps:
        setattr(resource, column, now)
    if step.poll_after is not None:
        resource.poll_count = 0
        resource.next_poll_at = now + clock.scaled(step.poll_after)
    if step.slug in submissions.SUBMITTING_STEPS:
        sid = getattr(resource, "sid", "")
        submissions.record_submission(
            registration, step.part, step.slug, sid, request_params, registration.submitted_by, now
        )
    if step.kind in APPLY:
        APPLY[step.kind](registration, resource, payload, now)
    submissions.record_answer(registration, step.part, resource, now)
    _save(resource, also=set(step.resets))
    _record_limit_uses(registration, step, request_params, now)


def _record_limit_uses(
    registration: Registration, step: Write, request_params: RequestParams, now: datetime
) -> None:
    """Record the uses that the registry counts at this step.

    It reads the bundles when a brand is created or updated. While the YES is missing, a changed mobile reaches the
    approved brand through its trust bundle.
    """
    if step.slug in ("brand.create", "brand.update"):
        registry_limits.record_limit_uses(registration, request_params.get("bundle", {}), now)
    elif step.slug == "trust_bundle.submit" and waits_for_yes(registration):
        registry_limits.record_limit_uses(registration, request_params, now)


def _reopen_early_webhooks(sid: str) -> None:
    """Twilio may report on an object before we stored its SID, so such webhooks looked like somebody else's.

    The sweep processes them again.
    """
    early = WebhookDelivery.objects.filter(subject=sid, state=WebhookDelivery.State.IGNORED)
    early.update(state=WebhookDelivery.State.RECEIVED, enqueued_at=clock.now())


def record_refusal(registration: Registration, step: Write, columns: Mapping[str, Any]) -> None:
    """Store a rejection that another step handles."""
    resource = step.resource(registration)
    for column, value in columns.items():
        setattr(resource, column, value)
    _save(resource, also=set(columns))


def record_already_satisfied(registration: Registration, step: Write, request_params: RequestParams) -> None:
    """Twilio rejected what it already has: it counts as sent, and the registration continues."""
    resource = step.resource(registration)
    resource.accepted_params = {**resource.accepted_params, step.key: request_params}
    for column, value in step.resets.items():
        setattr(resource, column, value)
    _save(resource, also=set(step.resets))


def poll_soon(registration: Registration, step: Write) -> None:
    """After a rejection, the object may not be in the state we believe. Poll it next, and a campaign's brand too."""
    parts = (step.part, "brand") if step.part == "campaign" else (step.part,)
    for part in parts:
        if part == "phone_number":
            continue  # its watch fetches the sender from the service, where it may not be yet
        if watch_of(registration, part):
            resource = getattr(registration, part)
            resource.next_poll_at = clock.now()
            type(resource)._default_manager.filter(pk=resource.pk).update(next_poll_at=resource.next_poll_at)


def retire_refused(registration: Registration, step: Write, reason: str) -> None:
    """Twilio refuses to delete the object: move it to the retired resources, and continue."""
    resource = step.resource(registration)
    column = step.sid_field or "sid"
    retire(registration, kind_of(resource, column), getattr(resource, column), reason)
    setattr(resource, column, "")
    _save(resource)


def refresh(registration: Registration, step: Watch, payload: Payload) -> None:
    """Apply one fetched object, and schedule the next poll."""
    _apply_poll(
        registration, step, lambda resource, now: APPLY[step.kind](registration, resource, payload, now)
    )


def record_missing(registration: Registration, step: Watch) -> None:
    """Twilio answered 404."""
    _apply_poll(registration, step, None)


def _apply_poll(
    registration: Registration, step: Watch, apply: Callable[[Any, datetime], None] | None
) -> None:
    resource, now = step.resource(registration), clock.now()
    requested, before, passed = (
        resource.refresh_requested_at,
        _statuses(resource),
        _passed(registration, step.part),
    )
    cleared: set[str] = set()
    if apply:
        resource.missing_since = None
        apply(resource, now)
    elif not resource.missing_since:
        resource.missing_since = now
        # A resubmission requested before it disappeared is no request for a new object, which may cost money.
        resource.resubmit_requested, cleared = False, {"resubmit_requested"}
        timeline.record(registration, f"{step.part}:gone", "Twilio does not find the object (404).")
    changed = _statuses(resource) != before
    if changed and step.part in ("brand", "campaign"):
        # The request to resubmit was about Twilio's previous decision; the new one needs a click of its own.
        resource.resubmit_requested, cleared = False, {"resubmit_requested"}
    resource.synced_at = now
    submissions.record_answer(registration, step.part, resource, now)
    if lost := passed - _passed(registration, step.part):
        _record_reversal(registration, step.part, lost)
    if changed and not requested and _decided(step.part, resource):
        resource.poll_found_at = now
    _schedule_poll(registration, step, now, requested=bool(requested), changed=changed)
    _save(resource, also=cleared)
    if requested:
        # A request made after this fetch began stays, and gets a fetch of its own.
        type(resource)._default_manager.filter(pk=resource.pk, refresh_requested_at=requested).update(
            refresh_requested_at=None
        )
        resource.refresh_requested_at = None


def _schedule_poll(
    registration: Registration, step: Watch, now: datetime, *, requested: bool, changed: bool
) -> None:
    """When to poll next: often while a decision is pending, rarely as a backstop, never if it is final."""
    resource = step.resource(registration)
    watch = watch_of(registration, step.part) or step
    planned = resource.next_poll_at
    if watch.passed(registration) or watch.failed(registration):
        rare = watch.backstop(registration)
        if step.part in _STATUS_TABLES and not watch.passed(registration) and _unexplained(resource):
            resource.poll_count = 0 if changed else resource.poll_count
            if resource.poll_count < len(UNEXPLAINED_SECONDS):
                rare = UNEXPLAINED_SECONDS[resource.poll_count]
            resource.poll_count += 1
        # With jitter, or all registrations of an import would run in the same second every day.
        resource.next_poll_at = now + clock.scaled(rare * random.uniform(0.9, 1.1)) if rare else None
    elif not (requested and planned and planned > now):
        seconds = watch.intervals[min(resource.poll_count, len(watch.intervals) - 1)]
        resource.next_poll_at = now + clock.scaled(seconds)
        resource.poll_count += 1
    if requested and not changed:
        echo = now + clock.scaled(ECHO_SECONDS)
        resource.next_poll_at = min(resource.next_poll_at or echo, echo)


def _unexplained(resource: Any) -> bool:
    """A rejection without a reason. Twilio may add it a little later, and nobody can fix anything before that."""
    return not (resource.missing_since or resource.errors or resource.failure_reason)


def _passed(registration: Registration, part: str) -> set[str]:
    """Slugs of the part's watches that have passed."""
    return {step.slug for step in watches(registration, part) if step.passed(registration)}


def _record_reversal(registration: Registration, part: str, lost: set[str]) -> None:
    """Twilio reversed a decision, e.g. suspended an approved brand. The planner then asks for a person."""
    resource = getattr(registration, part)
    statuses_now = " ".join(status for status in _statuses(resource) if status) or "gone"
    name = str(resource._meta.verbose_name).capitalize()
    timeline.record(
        registration,
        f"{part}:reversal",
        f"{name} was accepted before, but no longer is: {'gone' if resource.missing_since else statuses_now}.",
        actor="Twilio",
        steps=sorted(lost),
    )


def _statuses(resource: Any) -> tuple[str, str]:
    return resource.status, getattr(resource, "identity_status", "")


_STATUS_TABLES = {
    "profile": statuses.BUNDLE,
    "trust_bundle": statuses.BUNDLE,
    "brand": statuses.BRAND,
    "campaign": statuses.CAMPAIGN,
}


def _decided(part: str, resource: Any) -> bool:
    """Whether Twilio also sends the resource's status by webhook; it never announces in-review, for example."""
    table = _STATUS_TABLES.get(part)
    return table is not None and statuses.status_label(table, resource.status).final


def number_status(registration: Registration, status: str, *, at: datetime, reason: str) -> bool:
    """Apply a number's A2P status from an event, which is the only source (docs/twilio.md section 3).

    `at` is Twilio's time of the event, `reason` its failurereason, often a page of the error dictionary. Returns
    False if the same or something newer is known. Call it in a transaction.
    """
    status = statuses.canonical(statuses.NUMBER, status)
    # Lock the registration before the resource, as everywhere; no_key lets the worker write its timeline.
    Registration.objects.select_for_update(no_key=True).get(pk=registration.pk)
    number = PhoneNumber.objects.select_for_update().get(registration=registration)
    known = number.a2p_status_at
    # Pending and registered may have the same time; the final status is the later one.
    later = known is None or at > known or (at == known and _final(status) and not _final(number.a2p_status))
    if not later or (status == number.a2p_status and at == known):
        return False
    reversal = (
        number.a2p_status == "registered"
        and statuses.status_label(statuses.NUMBER, status).severity != "good"
    )
    record_change(registration, number, "a2p_status", status, "phone_number:a2p_status")
    number.a2p_status_at = at
    # A page of the error dictionary implies the code; other texts are stored as they are.
    error: Any = {"url": reason} if reason.startswith("http") else redact_text(reason)
    number.errors = [error] if reason else []
    number.save(update_fields=["a2p_status", "a2p_status_at", "errors", "updated_at"])
    if reversal:
        text = f"The number was registered before, but no longer is: {status}."
        timeline.record(registration, "phone_number:reversal", text, actor="Twilio")
    return True


def _final(status: str) -> bool:
    return statuses.status_label(statuses.NUMBER, status).final


def learn(registration: Registration, step: Read, columns: dict[str, Any]) -> None:
    """Store what a read at Twilio returned."""
    resource = step.resource(registration)
    if step.retires and (sid := getattr(resource, step.retires)):
        retire(registration, kind_of(resource, step.retires), sid, step.label)
    for column, value in columns.items():
        setattr(resource, column, value)
    if columns:
        _save(resource)


def clear_steps(registration: Registration, steps: Iterable[Write]) -> None:
    """Undo what these steps stored, because their objects are gone at Twilio. The plan creates them again."""
    for step in steps:
        resource = step.resource(registration)
        columns = dict.fromkeys(step.timestamps) | dict(step.resets)
        columns["accepted_params"] = {
            key: value for key, value in resource.accepted_params.items() if key != step.key
        }
        if step.sid_field:
            columns[step.sid_field] = ""
        if step.sid_field == "sid":
            columns |= {"status": "", "failure_reason": "", "errors": [], "payload": {}}
            columns |= {"missing_since": None, "next_poll_at": None}
        if step.kind == "campaign":
            columns |= {"campaign_id": "", "verified_at": None}
        for column, value in columns.items():
            setattr(resource, column, value)
        _save(resource, also=set(columns))


def _save(resource: TwilioResource, also: set[str] | None = None) -> None:
    external = _REQUEST_COLUMNS | _EVENT_COLUMNS.get(type(resource), set())
    skipped = INPUT_COLUMNS[type(resource)] | (external - (also or set())) | {"id", "registration"}
    resource.save(update_fields=[f.name for f in resource._meta.concrete_fields if f.name not in skipped])
