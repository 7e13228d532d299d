"""The shape of the step table: `Write` (one Twilio write), `Read` (a lookup that costs nothing), `Watch` (a wait).

The table's order is the plan's order. A step says *what* happens; the runner knows *how* (lease, intent, call,
classify, record, schedule), and the recorder alone writes the Twilio resources.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from registrations.models import Registration, TwilioResource
from registrations.models.choices import Stage, WaitingFor
from registrations.twilio.client import TwilioClient

RequestParams = dict[str, Any]
Payload = dict[str, Any]


# Defaults of the callable fields below.
def no_text(registration: Registration) -> str:
    return ""


def no_time(registration: Registration) -> datetime | None:
    return None


def always(registration: Registration) -> bool:
    return True


def no(registration: Registration) -> bool:
    return False


def never(registration: Registration) -> float | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Step:
    """What all steps share.

    slug: unique, `part.verb`. part: the attribute of Registration that holds the resource. stage: where a
    registration stands while this step is the next one. blocked: one sentence if a person must act first, else "".
    asked_at: when a person asked for this step in particular; like Submit, it clears an earlier rejection.
    applies: whether the step is part of this registration at all; the step list hides the others.
    """

    slug: str
    label: str
    part: str
    stage: Stage
    help: str = ""
    blocked: Callable[[Registration], str] = no_text
    asked_at: Callable[[Registration], datetime | None] = no_time
    applies: Callable[[Registration], bool] = always

    def resource(self, registration: Registration) -> TwilioResource:
        resource: TwilioResource = getattr(registration, self.part)
        return resource


@dataclass(frozen=True, kw_only=True)
class Write(Step):
    """One Twilio write.

    is_needed: the object does not exist at Twilio, or differs from what we want.
    request_params: the call's inputs; stored in `resource.accepted_params[key]` once Twilio accepted them.
    execute: makes the call and returns Twilio's object.
    find: after a lost reply, the object that the call created, or None if it created none. None instead of a
        function: Twilio offers no way to find out (the OTP text).
    kind: how the recorder applies the answer (`recorder.payloads.APPLY`), or what kind of object it is.
    sid_field: column for the SID. timestamps: columns set to the time of success. resets: columns set back.
    poll_after: seconds until the following watch first polls (the settle wait).
    settle_seconds: how long after a lost reply the lookup waits, because the call may still land.
    lookup_attempts: how many lookups must find nothing before the call counts as never made.
    fee: the price in US dollars. rate_limit: name of the limit it shares (`runner.rate_limit`), or "".
    not_before: the earliest time for the call. repair: part of a fix rather than of the first walkthrough.
    refusals: {error code: columns to set} for rejections that another step handles; the registration continues.
    implies: slugs of steps that this one makes necessary, although the resource does not show it yet (for plans).
    already_satisfied: whether a rejection can be ignored, because Twilio already has what the call asks for.
    retire_on_refusal: a rejection moves the object to the retired resources, and the registration continues.
    """

    is_needed: Callable[[Registration], bool]
    request_params: Callable[[Registration], RequestParams]
    execute: Callable[[TwilioClient, Registration, RequestParams], Payload]
    find: Callable[[TwilioClient, Registration, RequestParams], Payload | None] | None
    key: str
    kind: str
    sid_field: str = ""
    timestamps: tuple[str, ...] = ()
    resets: Mapping[str, Any] = field(default_factory=dict)
    poll_after: float | None = None
    settle_seconds: float = 30.0  # longer than all timeouts of one call together
    lookup_attempts: int = 2
    fee: Callable[[], Decimal] | None = None
    rate_limit: str = ""
    not_before: Callable[[Registration], datetime | None] = no_time
    repair: bool = False
    refusals: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    implies: tuple[str, ...] = ()
    already_satisfied: Callable[[Registration], bool] = no
    retire_on_refusal: bool = False


@dataclass(frozen=True, kw_only=True)
class Read(Step):
    """A lookup at Twilio that a later step needs; it creates nothing.

    learn: returns {column: value} for the resource. retires: the column whose SID is moved to the retired
    resources first.
    """

    is_needed: Callable[[Registration], bool]
    learn: Callable[[TwilioClient, Registration], dict[str, Any]]
    retires: str = ""


@dataclass(frozen=True, kw_only=True)
class Watch(Step):
    """A wait for somebody else's decision, polled at growing intervals.

    exists: there is an object to poll. passed: the wait is over. failed: one sentence if the decision was a
    rejection, else "". fetch: the object at Twilio. kind: how the recorder applies it. intervals: seconds between
    polls; the last one repeats. waits_for: who must act meanwhile. reason: one sentence about the wait.
    action_needed: one sentence if the wait only ends when our team acts, else "". backstop: seconds between polls
    after it passed or failed, because Twilio may change its decision and the webhook may get lost; None if final.
    """

    exists: Callable[[Registration], bool]
    passed: Callable[[Registration], bool]
    failed: Callable[[Registration], str]
    fetch: Callable[[TwilioClient, Registration], Payload]
    kind: str
    intervals: tuple[float, ...]
    waits_for: WaitingFor = WaitingFor.TWILIO
    reason: str = ""
    action_needed: Callable[[Registration], str] = no_text
    backstop: Callable[[Registration], float | None] = never

    def waiting_status(self, registration: Registration) -> tuple[WaitingFor, str]:
        """Who must act now, and why."""
        action = self.action_needed(registration)
        return (WaitingFor.US, action) if action else (self.waits_for, self.reason)


def unchanged(sent: Any, current: Any) -> bool:
    """Whether what Twilio accepted still matches what we want.

    Only what was sent is compared: an input added by a later release must not make every old registration drift.

    >>> unchanged({"a": 1}, {"a": 1, "b": 2}), unchanged({"a": 1}, {"a": 2}), unchanged(None, {})
    (True, False, False)
    """
    if isinstance(sent, dict) and isinstance(current, dict):
        return all(key in current and unchanged(value, current[key]) for key, value in sent.items())
    return bool(sent == current)


def changed_keys(sent: RequestParams, current: RequestParams) -> set[str]:
    return {key for key in sent if not unchanged(sent[key], current.get(key))}


AnyStep = Write | Read | Watch
