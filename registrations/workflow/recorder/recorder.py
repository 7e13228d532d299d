"""The only writer of mirror columns: records the result of a step, applies one payload of Twilio's.

Saves name their columns, so that an agent's edit of the inputs at the same moment is never overwritten.
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
from .payloads import APPLY, note_change
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
# Columns that a person's request or a delivery sets from outside the lease; a step clears them only when it
# acted on them.
_REQUEST_COLUMNS = {"otp_requested_at", "otp_requested_by", "resubmit_requested", "look_requested_at"}
# Only events tell these, so the worker's copy may be older than the row (number_status).
_EVENT_COLUMNS: dict[type[TwilioResource], set[str]] = {
    PhoneNumber: {"a2p_status", "a2p_status_at", "errors"}
}
# A delivery can overtake Twilio's own read; when its look shows nothing new, one more follows after this.
ECHO_SECONDS = 60.0
# Looks at a no that came without its reason, before the rare ones.
UNEXPLAINED_SECONDS = (30.0, 120.0, 600.0, 3600.0)


def record(registration: Registration, step: Write, payload: Payload, request_params: RequestParams) -> None:
    """Write what a successful step means: its SID, what Twilio accepted, its times, Twilio's answer."""
    resource, now = step.resource(registration), clock.now()
    if step.sid_field and payload.get("sid"):
        replace_sid(registration, resource, step.sid_field, payload["sid"], step.label)
        _reopen_early(payload["sid"])
    resource.accepted_params = {**resource.accepted_params, step.key: request_params}
    for column, value in step.resets.items():
        setattr(resource, column, value)
    for column in step.stamps:
        setattr(resource, column, now)
    if step.poll_after is not None:
        resource.poll_count = 0
        resource.next_poll_at = now + clock.scaled(step.poll_after)
    if step.slug in submissions.SUBMITTING_STEPS:
        sid = getattr(resource, "sid", "")
        submissions.note_submission(
            registration, step.part, step.slug, sid, request_params, registration.submitted_by, now
        )
    if step.kind in APPLY:
        APPLY[step.kind](registration, resource, payload, now)
    submissions.note_answer(registration, step.part, resource, now)
    _save(resource, also=set(step.resets))
    _note_uses(registration, step, request_params, now)


def _note_uses(registration: Registration, step: Write, request_params: RequestParams, now: datetime) -> None:
    """What the registry has counted now: it reads the bundles into the brand at these steps. A mobile that changes
    while the YES is owed goes to an approved brand by way of its trust bundle."""
    if step.slug in ("brand.create", "brand.update"):
        registry_limits.note_uses(registration, request_params.get("bundle", {}), now)
    elif step.slug == "trust_bundle.submit" and waits_for_yes(registration):
        registry_limits.note_uses(registration, request_params, now)


def _reopen_early(sid: str) -> None:
    """Twilio can tell of an object before its answer to our call is stored: such deliveries seemed not to be ours.

    The sweep has them processed once more.
    """
    early = WebhookDelivery.objects.filter(subject=sid, state=WebhookDelivery.State.IGNORED)
    early.update(state=WebhookDelivery.State.RECEIVED, enqueued_at=clock.now())


def refused(registration: Registration, step: Write, columns: Mapping[str, Any]) -> None:
    """Note a refusal that another row answers."""
    resource = step.resource(registration)
    for column, value in columns.items():
        setattr(resource, column, value)
    _save(resource, also=set(columns))


def passed_over(registration: Registration, step: Write, request_params: RequestParams) -> None:
    """Twilio refused what it has already: it counts as sent, and the registration goes on."""
    resource = step.resource(registration)
    resource.accepted_params = {**resource.accepted_params, step.key: request_params}
    for column, value in step.resets.items():
        setattr(resource, column, value)
    _save(resource, also=set(step.resets))


def look_soon(registration: Registration, step: Write) -> None:
    """After a refusal: the object may not be what we believe, so it is looked at next, and its brand too."""
    parts = (step.part, "brand") if step.part == "campaign" else (step.part,)
    for part in parts:
        if part == "phone_number":
            continue  # what is looked at there is the sender, which may not be in the service yet
        if watch_of(registration, part):
            resource = getattr(registration, part)
            resource.next_poll_at = clock.now()
            type(resource)._default_manager.filter(pk=resource.pk).update(next_poll_at=resource.next_poll_at)


def give_up(registration: Registration, step: Write, why: str) -> None:
    """Twilio does not delete the object now: keep it in the list of retired resources, and go on."""
    resource = step.resource(registration)
    column = step.sid_field or "sid"
    retire(registration, kind_of(resource, column), getattr(resource, column), why)
    setattr(resource, column, "")
    _save(resource)


def refresh(registration: Registration, step: Watch, payload: Payload) -> None:
    """Apply one looked-at object, and plan the next look."""
    _look(registration, step, lambda resource, now: APPLY[step.kind](registration, resource, payload, now))


def gone(registration: Registration, step: Watch) -> None:
    """Twilio answered 404."""
    _look(registration, step, None)


def _look(registration: Registration, step: Watch, apply: Callable[[Any, datetime], None] | None) -> None:
    resource, now = step.resource(registration), clock.now()
    asked, before, passed = resource.look_requested_at, _words(resource), _passed(registration, step.part)
    forgets: set[str] = set()
    if apply:
        resource.missing_since = None
        apply(resource, now)
    elif not resource.missing_since:
        resource.missing_since = now
        # A wish from before it vanished is no wish for another one, which may cost money.
        resource.resubmit_requested, forgets = False, {"resubmit_requested"}
        timeline.record(registration, f"{step.part}:gone", "Twilio does not find the object (404).")
    changed = _words(resource) != before
    if changed and step.part in ("brand", "campaign"):
        # A wish to resubmit was about what Twilio said then; what it says now needs a click of its own.
        resource.resubmit_requested, forgets = False, {"resubmit_requested"}
    resource.synced_at = now
    submissions.note_answer(registration, step.part, resource, now)
    if lost := passed - _passed(registration, step.part):
        _note_reversal(registration, step.part, lost)
    if changed and not asked and _decided(step.part, resource):
        resource.poll_found_at = now
    _plan_look(registration, step, now, asked=bool(asked), changed=changed)
    _save(resource, also=forgets)
    if asked:
        # A request made after this look began stays, and is answered by another look.
        type(resource)._default_manager.filter(pk=resource.pk, look_requested_at=asked).update(
            look_requested_at=None
        )
        resource.look_requested_at = None


def _plan_look(registration: Registration, step: Watch, now: datetime, *, asked: bool, changed: bool) -> None:
    """When to look next: closely while somebody decides, seldom as a backstop, never at what is final."""
    resource = step.resource(registration)
    watch = watch_of(registration, step.part) or step
    planned = resource.next_poll_at
    if watch.passed(registration) or watch.failed(registration):
        rare = watch.backstop(registration)
        if step.part in _TABLES and not watch.passed(registration) and _unexplained(resource):
            resource.poll_count = 0 if changed else resource.poll_count
            if resource.poll_count < len(UNEXPLAINED_SECONDS):
                rare = UNEXPLAINED_SECONDS[resource.poll_count]
            resource.poll_count += 1
        # Spread, or a hundred registrations of one import would wake in the same second every day.
        resource.next_poll_at = now + clock.scaled(rare * random.uniform(0.9, 1.1)) if rare else None
    elif not (asked and planned and planned > now):
        seconds = watch.intervals[min(resource.poll_count, len(watch.intervals) - 1)]
        resource.next_poll_at = now + clock.scaled(seconds)
        resource.poll_count += 1
    if asked and not changed:
        echo = now + clock.scaled(ECHO_SECONDS)
        resource.next_poll_at = min(resource.next_poll_at or echo, echo)


def _unexplained(resource: Any) -> bool:
    """A no without a reason: Twilio may add the reason a little later, and no person can mend anything before."""
    return not (resource.missing_since or resource.errors or resource.failure_reason)


def _passed(registration: Registration, part: str) -> set[str]:
    """The waits of this part that are over."""
    return {step.slug for step in watches(registration, part) if step.passed(registration)}


def _note_reversal(registration: Registration, part: str, lost: set[str]) -> None:
    """What was granted is taken back, e.g. an approved brand suspended: planning then asks for a person."""
    resource = getattr(registration, part)
    said = " ".join(word for word in _words(resource) if word) or "gone"
    name = str(resource._meta.verbose_name).capitalize()
    timeline.record(
        registration,
        f"{part}:reversal",
        f"{name} was accepted before and is not any more: {'gone' if resource.missing_since else said}.",
        actor="Twilio",
        steps=sorted(lost),
    )


def _words(resource: Any) -> tuple[str, str]:
    return resource.status, getattr(resource, "identity_status", "")


_TABLES = {
    "profile": statuses.BUNDLE,
    "trust_bundle": statuses.BUNDLE,
    "brand": statuses.BRAND,
    "campaign": statuses.CAMPAIGN,
}


def _decided(part: str, resource: Any) -> bool:
    """Whether the mirror holds a word that Twilio also delivers; in-review, for one, is never announced."""
    table = _TABLES.get(part)
    return table is not None and statuses.status_label(table, resource.status).final


def number_status(registration: Registration, status: str, *, at: datetime, reason: str) -> bool:
    """Apply a number's A2P status from an event: the only source there is (docs/twilio.md section 3).

    `at` is Twilio's time of the event. False when something newer is known, or the same. Call it in a
    transaction. `reason` is Twilio's failurereason, often a page of its error dictionary.
    """
    status = statuses.canonical(statuses.NUMBER, status)
    # The registration is locked before the mirror, as everywhere; no_key lets the worker write its timeline.
    Registration.objects.select_for_update(no_key=True).get(pk=registration.pk)
    number = PhoneNumber.objects.select_for_update().get(registration=registration)
    known = number.a2p_status_at
    # Pending and registered may carry the same instant: the final word is the later one.
    later = known is None or at > known or (at == known and _final(status) and not _final(number.a2p_status))
    if not later or (status == number.a2p_status and at == known):
        return False
    reversal = (
        number.a2p_status == "registered"
        and statuses.status_label(statuses.NUMBER, status).severity != "good"
    )
    note_change(registration, number, "a2p_status", status, "phone_number:a2p_status")
    number.a2p_status_at = at
    # A page of the error dictionary tells the code; other words are kept as they are.
    said: Any = {"url": reason} if reason.startswith("http") else redact_text(reason)
    number.errors = [said] if reason else []
    number.save(update_fields=["a2p_status", "a2p_status_at", "errors", "updated_at"])
    if reversal:
        text = f"The number was registered before and is not any more: {status}."
        timeline.record(registration, "phone_number:reversal", text, actor="Twilio")
    return True


def _final(word: str) -> bool:
    return statuses.status_label(statuses.NUMBER, word).final


def learn(registration: Registration, step: Read, columns: dict[str, Any]) -> None:
    """Store what a look at Twilio taught."""
    resource = step.resource(registration)
    if step.retires and (sid := getattr(resource, step.retires)):
        retire(registration, kind_of(resource, step.retires), sid, step.label)
    for column, value in columns.items():
        setattr(resource, column, value)
    if columns:
        _save(resource)


def forget(registration: Registration, rows: Iterable[Write]) -> None:
    """Take back what these steps meant, because their objects are gone at Twilio: the plan makes them anew."""
    for step in rows:
        resource = step.resource(registration)
        columns = dict.fromkeys(step.stamps) | dict(step.resets)
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
    outside = _REQUEST_COLUMNS | _EVENT_COLUMNS.get(type(resource), set())
    keep = INPUT_COLUMNS[type(resource)] | (outside - (also or set())) | {"id", "registration"}
    resource.save(update_fields=[f.name for f in resource._meta.concrete_fields if f.name not in keep])
