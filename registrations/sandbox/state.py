"""The sandbox's state: one account, its objects, its clock and its timers. No HTTP here.

Everything happens under one lock: ``handle`` processes one API call, ``run_due`` runs the timers that are due. A
timer is a stored row with a due time, so it survives a restart, and late timers still run in the right order.
"""

from __future__ import annotations

import heapq
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from .limits import RateLimiter
from .store import Obj, Store
from .wire import TIMERS, ApiError, Call, Reply, check_params, find_route, not_found

STARTER_POLICY = "RN806dd6cd175f314e1f96a9727ee271f4"
SOLE_PROP_POLICY = "RN670d5d2e282a6130ae063b234b6019c8"
PRIMARY_POLICY = "RN6433641899984f951173ef1738c3bdd0"
CAMPAIGN_SID = "QE2c6890da8086d771620e9b13fadeba0b"

# Seconds before scaling. SETTLE and RECREATE_GAP: docs/twilio.md section 8. Review times are shortened for demos.
SETTLE = 30.0
IN_REVIEW_AFTER = 2.0
PROFILE_CHECK = 12.0
BRAND_BUNDLE_CHECK = 5.0
BRAND_REVIEW = 40.0
AUTO_REPLY = 10.0
OTP_LIFE = 24 * 3600.0
OTP_DEADLINE = 30 * 24 * 3600.0
CAMPAIGN_NO_URLS = 1.0
CAMPAIGN_SUBMITTED = 5.0
CAMPAIGN_REVIEW = 60.0
RECREATE_GAP = 5.0
NUMBER_REGISTRATION = 15.0
SUSPEND_AFTER = 60.0


@dataclass
class Config:
    """Credentials of the account, and how its clock runs.

    ``time_scale`` multiplies every delay except the rate limits, which ``rate_limit=False`` turns off.
    """

    account_sid: str = "AC" + "5a" * 16
    auth_token: str = "sandbox-auth-token"  # noqa: S105 - valid only for this sandbox
    api_key_sid: str = ""
    api_key_secret: str = ""
    primary_profile_sid: str = "BU" + "9a" * 16
    time_scale: float = 1.0
    rate_limit: bool = True

    @property
    def auth_tokens(self) -> list[str]:
        """The first is the primary token and signs callbacks; the others are accepted as secondary tokens."""
        return [token.strip() for token in self.auth_token.split(",") if token.strip()]


class World:
    """The state machine of one Twilio account. Pass ``clock`` (epoch seconds) to control time in a test."""

    def __init__(
        self,
        config: Config | None = None,
        store: Store | None = None,
        clock: Callable[[], float] = time.time,
        rate_limit_clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config = config or Config()
        self.store = store or Store()
        self.lock = threading.RLock()
        self.rate_limiter = RateLimiter(rate_limit_clock)
        self._clock = clock
        self._fixed_now: float | None = None
        self._calling = ""
        self._created: list[str] = []
        self.wake = threading.Event()
        self._load_timers()

    def _load_timers(self) -> None:
        self._timers = [(row["at"], key) for key, row in self.store.items("timer")]
        heapq.heapify(self._timers)

    # -- time ------------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        if self._fixed_now is not None:
            return self._fixed_now
        return self._clock() + float(self.store.meta.get("clock_offset", 0.0))

    def scaled(self, seconds: float) -> float:
        return seconds * self.config.time_scale

    def iso(self, at: float | None = None) -> str:
        return datetime.fromtimestamp(self.now if at is None else at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def rfc2822(self) -> str:
        return format_datetime(datetime.fromtimestamp(int(self.now), UTC))

    def later(self, seconds: float, name: str, key: str, round_: int = 0) -> None:
        """Run timer ``name`` for object ``key`` after ``seconds`` (scaled).

        Handlers ignore a timer whose ``round_`` is no longer the object's current one.
        """
        timer_key = uuid.uuid4().hex
        at = self.now + self.scaled(seconds)
        self.store.put("timer", timer_key, {"at": at, "name": name, "key": key, "round": round_})
        heapq.heappush(self._timers, (at, timer_key))
        self.wake.set()

    def run_due(self) -> int:
        """Run every timer that is due, each at its own time. Returns how many ran."""
        count = 0
        with self.lock:
            until = self.now
            while self._timers and self._timers[0][0] <= until:
                at, timer_key = heapq.heappop(self._timers)
                row = self.store.get("timer", timer_key)
                if row is None:
                    continue
                self.store.delete("timer", timer_key)
                self._fixed_now = at
                try:
                    TIMERS[row["name"]](self, row["key"], row["round"])
                finally:
                    self._fixed_now = None
                count += 1
            if count:
                self.store.commit()
        return count

    def next_due(self) -> float | None:
        """Seconds until the next timer, or None."""
        with self.lock:
            return self._timers[0][0] - self.now if self._timers else None

    def advance(self, seconds: float) -> None:
        """Move the clock forward by ``seconds`` (not scaled)."""
        with self.lock:
            self.store.set_meta("clock_offset", float(self.store.meta.get("clock_offset", 0.0)) + seconds)
            self.run_due()
            self.store.commit()
        self.wake.set()

    def reset(self) -> None:
        with self.lock:
            self.store.clear()
            self._load_timers()
            self.rate_limiter.clear()

    # -- calls -----------------------------------------------------------------------------------------------

    def handle(self, call: Call) -> tuple[Reply, list[str]]:
        """Process one authenticated call. Returns the reply and the SIDs it created. Does not commit."""
        self.run_due()
        self._calling, self._created = f"{call.method} {call.path}", []
        try:
            matched, call.args = find_route(call.method, call.path)
            if (
                matched.rate_limit
                and self.config.rate_limit
                and not self.rate_limiter.allow(matched.rate_limit)
            ):
                self.violation("pace", f"faster than the limit for {matched.rate_limit} calls")
                raise ApiError(429, 20429, "Too many requests", retry_after=1)
            check_params(matched, call)
            reply = matched.handler(self, call)
        except ApiError as error:
            headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
            reply = Reply(error.status, error, headers)
        return reply, self._created

    def violation(self, rule: str, detail: str) -> None:
        """Record a call that came too early, too fast, in the wrong order, or twice."""
        key = f"{self.store.next_number('violation'):06d}"
        row = {"rule": rule, "detail": detail, "call": self._calling, "time": self.iso(), "at": self.now}
        self.store.put("violation", key, row)

    # -- objects ---------------------------------------------------------------------------------------------

    def new_sid(self, prefix: str) -> str:
        return prefix + uuid.uuid4().hex

    def create(self, kind: str, prefix: str, fields: Obj, *, key: str = "", rfc2822: bool = False) -> Obj:
        """Create and save an object with a SID, an account and dates. ``key`` defaults to the SID."""
        stamp = self.rfc2822() if rfc2822 else self.iso()
        sid = fields.pop("sid", None) or self.new_sid(prefix)
        obj = {"sid": sid, "account_sid": self.config.account_sid, **fields}
        obj.update(date_created=stamp, date_updated=stamp, _created=self.now, _key=key or sid)
        self._created.append(sid)
        return self.store.put(kind, obj["_key"], obj)

    def save(self, kind: str, obj: Obj, *, touch: bool = True) -> Obj:
        if touch:
            is_rfc2822 = str(obj.get("date_updated", "")).endswith("+0000")
            obj["date_updated"] = self.rfc2822() if is_rfc2822 else self.iso()
        return self.store.put(kind, obj["_key"], obj)

    def get_or_404(self, kind: str, key: str, call: Call) -> Obj:
        obj = self.store.get(kind, key)
        if obj is None:
            raise not_found(call.path)
        return obj

    def newest_first(self, kind: str) -> list[Obj]:
        return self.store.all(kind)[::-1]

    def step(self) -> int:
        """A number that grows with every change, to tell which of two changes came later."""
        return self.store.next_number("step")


def public(obj: Obj, **more: Any) -> Obj:
    """The object as the API returns it: without private fields, plus computed ones such as ``url``."""
    return {**{name: value for name, value in obj.items() if not name.startswith("_")}, **more}
