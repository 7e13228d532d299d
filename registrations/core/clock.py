"""Now, and waits scaled by the one knob A2P_TIME_SCALE."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone


def now() -> datetime:
    return timezone.now()


def scaled(seconds: float) -> timedelta:
    """A wait of ours, `seconds` at scale 1."""
    return timedelta(seconds=seconds * settings.A2P_TIME_SCALE)
