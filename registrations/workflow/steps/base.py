"""The shape of the step table: `Write` (one Twilio write), `Read` (a look that costs nothing) and `Watch`.

The table's order is the order of the plan. A row says *what*; `pipeline` knows *how* (lease, intent, call,
classify, record, wake) and `sync` alone writes the mirrors.
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
    """What all rows share.

    slug: unique, `part.verb`. part: the mirror it belongs to (attribute of Registration). stage: where a registration
    stands while this row is the next one. blocked: one sentence when a person must act first, else "".
    asked_at: when a person asked for this row in particular; like Submit, it lifts an earlier refusal.
    applies: whether the row is part of this registration at all, for the step board.
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

    wanted: the mirror lacks it, or holds something else than we want. basis: the inputs of the call; they are
    kept in `mirror.sent[key]` once Twilio has accepted them. act: makes the call and returns Twilio's object.
    find: after a lost reply, the object that the call made, or None when it made none; `None` as the function
    itself means that Twilio has no way to look (the OTP text). sid_field: the mirror column for the SID.
    stamps: mirror columns set to the time of success. resets: columns put back. poll_after: seconds until the
    first look of the watch that follows (the settle wait). quiet: seconds before a lost reply is looked for,
    because the call may still land; looks: how many times it must be missing before it counts as never made.
    repair: part of a fix rather than of the first walk.
    """

    is_needed: Callable[[Registration], bool]
    request_params: Callable[[Registration], RequestParams]
    execute: Callable[[TwilioClient, Registration, RequestParams], Payload]
    find: Callable[[TwilioClient, Registration, RequestParams], Payload | None] | None
    key: str
    kind: str
    sid_field: str = ""
    stamps: tuple[str, ...] = ()
    resets: Mapping[str, Any] = field(default_factory=dict)
    poll_after: float | None = None
    settle_seconds: float = 30.0  # longer than one call's time-outs together
    lookup_attempts: int = 2
    fee: Callable[[], Decimal] | None = None
    rate_limit: str = ""
    not_before: Callable[[Registration], datetime | None] = no_time
    repair: bool = False
    # Codes that another row answers: the mirror columns to set; the registration then goes on instead of stopping.
    refusals: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    # Slugs of rows that this one makes necessary, for plans: the mirror does not show it yet.
    implies: tuple[str, ...] = ()
    # Whether a refusal may be passed over now: Twilio already has what the call was to bring about.
    already_satisfied: Callable[[Registration], bool] = no
    # A refusal ends nothing: the object is kept in the list of retired resources, and the registration goes on.
    gives_up: bool = False


@dataclass(frozen=True, kw_only=True)
class Read(Step):
    """A look at Twilio that a later row needs; nothing is made. `learn` returns mirror columns and values.

    retires: the mirror column whose SID is kept in the list of retired resources first.
    """

    is_needed: Callable[[Registration], bool]
    learn: Callable[[TwilioClient, Registration], dict[str, Any]]
    retires: str = ""


@dataclass(frozen=True, kw_only=True)
class Watch(Step):
    """A wait for somebody else's word, with spaced looks.

    exists: there is something to look at. passed: go on. failed: one sentence when it came back with a no.
    intervals: seconds between looks; the last one repeats. waits_for: who must act meanwhile. backstop:
    seconds between looks once it has passed or failed, because Twilio may change its mind and the delivery
    that says so may get lost; None for what is final. ours: one sentence when the wait goes on, but a person of
    ours must do something for it to end.
    """

    exists: Callable[[Registration], bool]
    passed: Callable[[Registration], bool]
    failed: Callable[[Registration], str]
    fetch: Callable[[TwilioClient, Registration], Payload]
    kind: str
    intervals: tuple[float, ...]
    waits_for: WaitingFor = WaitingFor.TWILIO
    why: str = ""
    ours: Callable[[Registration], str] = no_text
    backstop: Callable[[Registration], float | None] = never

    def waits(self, registration: Registration) -> tuple[WaitingFor, str]:
        """Who must act now, and why."""
        ours = self.ours(registration)
        return (WaitingFor.US, ours) if ours else (self.waits_for, self.why)


def unchanged(sent: Any, wanted: Any) -> bool:
    """Whether what Twilio accepted still says what we want.

    Only what was sent is compared: an input that a later release adds must not make every old registration drift.

    >>> unchanged({"a": 1}, {"a": 1, "b": 2}), unchanged({"a": 1}, {"a": 2}), unchanged(None, {})
    (True, False, False)
    """
    if isinstance(sent, dict) and isinstance(wanted, dict):
        return all(key in wanted and unchanged(value, wanted[key]) for key, value in sent.items())
    return bool(sent == wanted)


def changed_keys(sent: RequestParams, wanted: RequestParams) -> set[str]:
    return {key for key in sent if not unchanged(sent[key], wanted.get(key))}


AnyStep = Write | Read | Watch
