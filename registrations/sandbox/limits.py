"""Rate limits of the account. They are never scaled.

Source: docs/twilio.md section 8: one brand or campaign write per second, ten OTP requests per second.
"""

from __future__ import annotations

from collections.abc import Callable

# name: (seconds between calls, how many seconds early a call may be). The allowance for brand and campaign calls
# only covers network jitter; ten OTP requests may arrive at once.
RATE_LIMITS = {"brand-campaign": (1.0, 0.1), "otp": (0.1, 0.9)}


class RateLimiter:
    """A leaky bucket for each rate limit. A rejected call does not count."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._free_at: dict[str, float] = {}

    def allow(self, name: str) -> bool:
        gap, early = RATE_LIMITS[name]
        now = self._clock()
        free_at = self._free_at.get(name, now)
        if now < free_at - early:
            return False
        self._free_at[name] = max(now, free_at) + gap
        return True

    def clear(self) -> None:
        self._free_at.clear()
