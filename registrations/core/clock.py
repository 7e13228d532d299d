"""The current time, and waits scaled by A2P_TIME_SCALE."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone


def now() -> datetime:
    return timezone.now()


def scaled(seconds: float) -> timedelta:
    """One of our waits: `seconds` at scale 1."""
    return timedelta(seconds=seconds * settings.A2P_TIME_SCALE)
