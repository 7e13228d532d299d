"""The only writer of mirror columns: records the result of a step, applies one payload of Twilio's.

Saves name their columns, so that an agent's edit of the inputs at the same moment is never overwritten.
"""

import random
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from registrations import clock, limits, states, timeline, versions
from registrations.applying import APPLY, note_change
from registrations.gateway.redact import redact_text
from registrations.models import (
    Brand,
    Campaign,
    Mirror,
    PhoneNumber,
    Profile,
    Registration,
    TrustBundle,
    WebhookDelivery,
)
from registrations.retiring import kind_of, replace_sid, retire
from registrations.steps import Watch, watch_of, watches
from registrations.steps.base import Basis, Payload, Read, Write
from registrations.steps.brand import waits_for_yes

INPUT_COLUMNS: dict[type[Mirror], set[str]] = {
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
_EVENT_COLUMNS: dict[type[Mirror], set[str]] = {PhoneNumber: {"a2p_status", "a2p_status_at", "errors"}}
# A delivery can overtake Twilio's own read; when its look shows nothing new, one more follows after this.
ECHO_SECONDS = 60.0
# Looks at a no that came without its reason, before the rare ones.
UNEXPLAINED_SECONDS = (30.0, 120.0, 600.0, 3600.0)


def record(registration: Registration, row: Write, payload: Payload, basis: Basis) -> None:
    """Write what a successful step means: its SID, what Twilio accepted, its times, Twilio's answer."""
    mirror, now = row.mirror(registration), clock.now()
    if row.sid_field and payload.get("sid"):
        replace_sid(registration, mirror, row.sid_field, payload["sid"], row.label)
        _reopen_early(payload["sid"])
    mirror.sent = {**mirror.sent, row.key: basis}
    for column, value in row.resets.items():
        setattr(mirror, column, value)
    for column in row.stamps:
        setattr(mirror, column, now)
    if row.poll_after is not None:
        mirror.polls = 0
        mirror.next_poll_at = now + clock.scaled(row.poll_after)
    if row.slug in versions.SUBMITTING_STEPS:
        sid = getattr(mirror, "sid", "")
        versions.note_submission(registration, row.part, row.slug, sid, basis, registration.submitted_by, now)
    if row.kind in APPLY:
        APPLY[row.kind](registration, mirror, payload, now)
    versions.note_answer(registration, row.part, mirror, now)
    _save(mirror, also=set(row.resets))
    _note_uses(registration, row, basis, now)


def _note_uses(registration: Registration, row: Write, basis: Basis, now: datetime) -> None:
    """What the registry has counted now: it reads the bundles into the brand at these steps. A mobile that changes
    while the YES is owed goes to an approved brand by way of its trust bundle."""
    if row.slug in ("brand.create", "brand.update"):
        limits.note_uses(registration, basis.get("bundle", {}), now)
    elif row.slug == "trust_bundle.submit" and waits_for_yes(registration):
        limits.note_uses(registration, basis, now)


def _reopen_early(sid: str) -> None:
    """Twilio can tell of an object before its answer to our call is stored: such deliveries seemed not to be ours.

    The sweep has them processed once more.
    """
    early = WebhookDelivery.objects.filter(subject=sid, state=WebhookDelivery.State.IGNORED)
    early.update(state=WebhookDelivery.State.RECEIVED, rung_at=clock.now())


def refused(registration: Registration, row: Write, columns: Mapping[str, Any]) -> None:
    """Note a refusal that another row answers."""
    mirror = row.mirror(registration)
    for column, value in columns.items():
        setattr(mirror, column, value)
    _save(mirror, also=set(columns))


def passed_over(registration: Registration, row: Write, basis: Basis) -> None:
    """Twilio refused what it has already: it counts as sent, and the case goes on."""
    mirror = row.mirror(registration)
    mirror.sent = {**mirror.sent, row.key: basis}
    for column, value in row.resets.items():
        setattr(mirror, column, value)
    _save(mirror, also=set(row.resets))


def look_soon(registration: Registration, row: Write) -> None:
    """After a refusal: the object may not be what we believe, so it is looked at next, and its brand too."""
    parts = (row.part, "brand") if row.part == "campaign" else (row.part,)
    for part in parts:
        if part == "phone_number":
            continue  # what is looked at there is the sender, which may not be in the service yet
        if watch_of(registration, part):
            mirror = getattr(registration, part)
            mirror.next_poll_at = clock.now()
            type(mirror)._default_manager.filter(pk=mirror.pk).update(next_poll_at=mirror.next_poll_at)


def give_up(registration: Registration, row: Write, why: str) -> None:
    """Twilio does not delete the object now: keep it in the list of retired resources, and go on."""
    mirror = row.mirror(registration)
    column = row.sid_field or "sid"
    retire(registration, kind_of(mirror, column), getattr(mirror, column), why)
    setattr(mirror, column, "")
    _save(mirror)


def refresh(registration: Registration, row: Watch, payload: Payload) -> None:
    """Apply one looked-at object, and plan the next look."""
    _look(registration, row, lambda mirror, now: APPLY[row.kind](registration, mirror, payload, now))


def gone(registration: Registration, row: Watch) -> None:
    """Twilio answered 404."""
    _look(registration, row, None)


def _look(registration: Registration, row: Watch, apply: Callable[[Any, datetime], None] | None) -> None:
    mirror, now = row.mirror(registration), clock.now()
    asked, before, passed = mirror.look_requested_at, _words(mirror), _passed(registration, row.part)
    forgets: set[str] = set()
    if apply:
        mirror.gone_at = None
        apply(mirror, now)
    elif not mirror.gone_at:
        mirror.gone_at = now
        # A wish from before it vanished is no wish for another one, which may cost money.
        mirror.resubmit_requested, forgets = False, {"resubmit_requested"}
        timeline.record(registration, f"{row.part}:gone", "Twilio does not find the object (404).")
    changed = _words(mirror) != before
    if changed and row.part in ("brand", "campaign"):
        # A wish to resubmit was about what Twilio said then; what it says now needs a click of its own.
        mirror.resubmit_requested, forgets = False, {"resubmit_requested"}
    mirror.synced_at = now
    versions.note_answer(registration, row.part, mirror, now)
    if lost := passed - _passed(registration, row.part):
        _note_reversal(registration, row.part, lost)
    if changed and not asked and _decided(row.part, mirror):
        mirror.poll_found_at = now
    _plan_look(registration, row, now, asked=bool(asked), changed=changed)
    _save(mirror, also=forgets)
    if asked:
        # A request made after this look began stays, and is answered by another look.
        type(mirror)._default_manager.filter(pk=mirror.pk, look_requested_at=asked).update(
            look_requested_at=None
        )
        mirror.look_requested_at = None


def _plan_look(registration: Registration, row: Watch, now: datetime, *, asked: bool, changed: bool) -> None:
    """When to look next: closely while somebody decides, seldom as a backstop, never at what is final."""
    mirror = row.mirror(registration)
    watch = watch_of(registration, row.part) or row
    planned = mirror.next_poll_at
    if watch.passed(registration) or watch.failed(registration):
        rare = watch.backstop(registration)
        if row.part in _TABLES and not watch.passed(registration) and _unexplained(mirror):
            mirror.polls = 0 if changed else mirror.polls
            if mirror.polls < len(UNEXPLAINED_SECONDS):
                rare = UNEXPLAINED_SECONDS[mirror.polls]
            mirror.polls += 1
        # Spread, or a hundred cases of one import would wake in the same second every day.
        mirror.next_poll_at = now + clock.scaled(rare * random.uniform(0.9, 1.1)) if rare else None
    elif not (asked and planned and planned > now):
        seconds = watch.intervals[min(mirror.polls, len(watch.intervals) - 1)]
        mirror.next_poll_at = now + clock.scaled(seconds)
        mirror.polls += 1
    if asked and not changed:
        echo = now + clock.scaled(ECHO_SECONDS)
        mirror.next_poll_at = min(mirror.next_poll_at or echo, echo)


def _unexplained(mirror: Any) -> bool:
    """A no without a reason: Twilio may add the reason a little later, and no person can mend anything before."""
    return not (mirror.gone_at or mirror.errors or mirror.failure_reason)


def _passed(registration: Registration, part: str) -> set[str]:
    """The waits of this part that are over."""
    return {row.slug for row in watches(registration, part) if row.passed(registration)}


def _note_reversal(registration: Registration, part: str, lost: set[str]) -> None:
    """What was granted is taken back, e.g. an approved brand suspended: planning then asks for a person."""
    mirror = getattr(registration, part)
    said = " ".join(word for word in _words(mirror) if word) or "gone"
    name = str(mirror._meta.verbose_name).capitalize()
    timeline.record(
        registration,
        f"{part}:reversal",
        f"{name} was accepted before and is not any more: {'gone' if mirror.gone_at else said}.",
        actor="Twilio",
        steps=sorted(lost),
    )


def _words(mirror: Any) -> tuple[str, str]:
    return mirror.status, getattr(mirror, "identity_status", "")


_TABLES = {
    "profile": states.BUNDLE,
    "trust_bundle": states.BUNDLE,
    "brand": states.BRAND,
    "campaign": states.CAMPAIGN,
}


def _decided(part: str, mirror: Any) -> bool:
    """Whether the mirror holds a word that Twilio also delivers; in-review, for one, is never announced."""
    table = _TABLES.get(part)
    return table is not None and states.word(table, mirror.status).final


def number_status(registration: Registration, status: str, *, at: datetime, reason: str) -> bool:
    """Apply a number's A2P status from an event: the only source there is (Twilio facts, section 3).

    `at` is Twilio's time of the event. False when something newer is known, or the same. Call it in a
    transaction. `reason` is Twilio's failurereason, often a page of its error dictionary.
    """
    status = states.canonical(states.NUMBER, status)
    # The case is locked before the mirror, as everywhere; no_key lets the worker write its timeline.
    Registration.objects.select_for_update(no_key=True).get(pk=registration.pk)
    number = PhoneNumber.objects.select_for_update().get(registration=registration)
    known = number.a2p_status_at
    # Pending and registered may carry the same instant: the final word is the later one.
    later = known is None or at > known or (at == known and _final(status) and not _final(number.a2p_status))
    if not later or (status == number.a2p_status and at == known):
        return False
    reversal = number.a2p_status == "registered" and states.word(states.NUMBER, status).mood != "good"
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
    return states.word(states.NUMBER, word).final


def learn(registration: Registration, row: Read, columns: dict[str, Any]) -> None:
    """Store what a look at Twilio taught."""
    mirror = row.mirror(registration)
    if row.retires and (sid := getattr(mirror, row.retires)):
        retire(registration, kind_of(mirror, row.retires), sid, row.label)
    for column, value in columns.items():
        setattr(mirror, column, value)
    if columns:
        _save(mirror)


def forget(registration: Registration, rows: Iterable[Write]) -> None:
    """Take back what these steps meant, because their objects are gone at Twilio: the plan makes them anew."""
    for row in rows:
        mirror = row.mirror(registration)
        columns = dict.fromkeys(row.stamps) | dict(row.resets)
        columns["sent"] = {key: value for key, value in mirror.sent.items() if key != row.key}
        if row.sid_field:
            columns[row.sid_field] = ""
        if row.sid_field == "sid":
            columns |= {"status": "", "failure_reason": "", "errors": [], "payload": {}}
            columns |= {"gone_at": None, "next_poll_at": None}
        if row.kind == "campaign":
            columns |= {"campaign_id": "", "verified_at": None}
        for column, value in columns.items():
            setattr(mirror, column, value)
        _save(mirror, also=set(columns))


def _save(mirror: Mirror, also: set[str] | None = None) -> None:
    outside = _REQUEST_COLUMNS | _EVENT_COLUMNS.get(type(mirror), set())
    keep = INPUT_COLUMNS[type(mirror)] | (outside - (also or set())) | {"id", "registration"}
    mirror.save(update_fields=[f.name for f in mirror._meta.concrete_fields if f.name not in keep])
