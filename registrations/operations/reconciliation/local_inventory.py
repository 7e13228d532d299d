"""What our tables know: which SIDs belong to a registration, and which registrations are being worked on."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet

from registrations.core import clock
from registrations.models import (
    ApiCall,
    Brand,
    Campaign,
    PhoneNumber,
    Profile,
    Registration,
    RetiredResource,
    TrustBundle,
    TwilioResource,
)
from registrations.models.choices import OPEN_CALL_STATES, Stage

from .resource_types import LISTED_PREFIXES

# Brands first: compare() must know which of them are ours before it handles bundles.
PARTS: dict[str, type[TwilioResource]] = {
    "brand": Brand,
    "profile": Profile,
    "trust_bundle": TrustBundle,
    "campaign": Campaign,
    "phone_number": PhoneNumber,
}
CHUNK = 500


@cache
def sid_columns(model: type[TwilioResource]) -> tuple[str, ...]:
    """All columns that hold a SID, found by name so that new columns are included."""
    names = (column.name for column in model._meta.concrete_fields)
    return tuple(name for name in names if name == "sid" or name.endswith("_sid"))


def sids(model: type[TwilioResource]) -> Iterator[tuple[int, str, str]]:
    """(registration id, column, SID) of every stored SID of a type that Twilio lists."""
    columns = sid_columns(model)
    rows = model._default_manager.values_list("registration_id", *columns).iterator(chunk_size=2000)
    for pk, *values in rows:
        for column, sid in zip(columns, values, strict=True):
            if sid.startswith(LISTED_PREFIXES):
                yield pk, column, sid


def knows(sid: str) -> bool:
    """Whether a registration uses this object."""
    for model in PARTS.values():
        found = Q()
        for column in sid_columns(model):
            found |= Q(**{column: sid})
        if model._default_manager.filter(found).exists():
            return True
    return False


def registrations(
    column: str, values: Iterable[object], since: datetime | None = None
) -> dict[int, Registration]:
    """{id: registration with its parts}, each with `is_busy`: a worker has it, or acted on it after `since`."""
    found: dict[int, Registration] = {}
    wanted = list(values)
    for start in range(0, len(wanted), CHUNK):
        chosen = _watched(since).filter(**{f"{column}__in": wanted[start : start + CHUNK]})
        found |= {registration.pk: registration for registration in chosen}
    return found


def registration(pk: int) -> Registration | None:
    """One registration with its parts and `is_busy`."""
    return registrations("pk", [pk]).get(pk)


def _watched(since: datetime | None) -> QuerySet[Registration]:
    attempts = ApiCall.objects.filter(registration=OuterRef("pk"))
    at_work = Q(state__in=[str(state) for state in OPEN_CALL_STATES])
    if since:
        at_work |= Q(finished_at__gte=since)
    busy = Q(lease_until__gt=clock.now()) | Exists(attempts.filter(at_work))
    return Registration.objects.select_related(*PARTS).annotate(
        is_busy=ExpressionWrapper(busy, output_field=BooleanField())
    )


def is_busy(registration: Registration | None) -> bool:
    """For a registration loaded here: whether to leave it alone for now."""
    return bool(getattr(registration, "is_busy", False))


def is_removed(registration: Registration) -> bool:
    """Its objects are being, or were, removed from Twilio: nothing is created for it or counts as lost."""
    return registration.removing or registration.stage == Stage.REMOVED


def retired_of(sids: Iterable[str]) -> dict[str, RetiredResource]:
    found: dict[str, RetiredResource] = {}
    wanted = list(sids)
    for start in range(0, len(wanted), CHUNK):
        rows = RetiredResource.objects.filter(sid__in=wanted[start : start + CHUNK])
        found |= {row.sid: row for row in rows.select_related("registration")}
    return found
