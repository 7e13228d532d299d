"""Rate limits of the account. They are never scaled by the time knob.

Source: docs/twilio.md section 8: one brand or campaign write per second, ten OTP requests per second.
"""

from __future__ import annotations

from collections.abc import Callable

# pace: (seconds between calls, how early a call may come). The allowance for brand and campaign calls
# covers network jitter only; ten OTPs may come at once.
PACES = {"brand-campaign": (1.0, 0.1), "otp": (0.1, 0.9)}


class Paces:
    """A leaky bucket for each pace. A refused call does not use up any of it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._free_at: dict[str, float] = {}

    def allow(self, pace: str) -> bool:
        gap, early = PACES[pace]
        now = self._clock()
        free_at = self._free_at.get(pace, now)
        if now < free_at - early:
            return False
        self._free_at[pace] = max(now, free_at) + gap
        return True

    def clear(self) -> None:
        self._free_at.clear()
