"""Keeps track of objects that a registration no longer uses, but that may still exist at Twilio."""

from datetime import datetime

from registrations.models import Registration, RetiredResource, TwilioResource
from registrations.workflow import timeline

# The kind of object in each SID column. The other columns hold assignments, evaluations, or the campaign's constant,
# which disappear together with the object they belong to.
KIND_OF_COLUMN = {
    ("profile", "sid"): "customer_profile",
    ("profile", "end_user_sid"): "end_user",
    ("profile", "address_sid"): "address",
    ("profile", "supporting_document_sid"): "supporting_document",
    ("trustbundle", "sid"): "trust_product",
    ("trustbundle", "end_user_sid"): "end_user",
    ("brand", "sid"): "brand",
    ("campaign", "service_sid"): "service",
}


def replace_sid(
    registration: Registration, resource: TwilioResource, column: str, sid: str, reason: str
) -> None:
    """Set a SID. The one it replaces is retired, because it may still exist at Twilio."""
    old = getattr(resource, column)
    if old and old != sid:
        missing_since = resource.missing_since if column == "sid" else None
        retire(registration, kind_of(resource, column), old, reason, missing_since=missing_since)
    setattr(resource, column, sid)


def retire(
    registration: Registration, kind: str, sid: str, reason: str, *, missing_since: datetime | None = None
) -> None:
    """List an object that the registration no longer uses. Brands can only be deleted in the Console.

    `missing_since`: when we saw that Twilio no longer has it, so nobody needs to delete it.
    """
    if not kind:
        return
    removal = RetiredResource.Removal.CONSOLE if kind == "brand" else RetiredResource.Removal.API
    RetiredResource.objects.get_or_create(
        registration=registration,
        sid=sid,
        defaults={"kind": kind, "reason": reason[:300], "removal": removal, "missing_since": missing_since},
    )
    timeline.record(registration, f"{kind}:retired", f"{reason}: {sid} is no longer used.", sid=sid)


def kind_of(resource: TwilioResource, column: str) -> str:
    """The kind of object in a SID column; "" for what is not tracked."""
    return KIND_OF_COLUMN.get((resource._meta.model_name or "", column), "")
