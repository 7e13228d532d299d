"""Objects that a registration no longer uses but that still exist at Twilio: never forgotten."""

from datetime import datetime

from registrations.models import Registration, RetiredResource, TwilioResource
from registrations.workflow import timeline

# What the SID columns hold, in the words of the list of retired resources. Columns that are not named here hold
# assignments, evaluations or the campaign's constant, which end with the object they belong to.
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
    registration: Registration, resource: TwilioResource, column: str, sid: str, why: str
) -> None:
    """Set a SID; the one it replaces is retired, never forgotten: it may still exist at Twilio."""
    old = getattr(resource, column)
    if old and old != sid:
        missing_since = resource.missing_since if column == "sid" else None
        retire(registration, kind_of(resource, column), old, why, missing_since=missing_since)
    setattr(resource, column, sid)


def retire(
    registration: Registration, kind: str, sid: str, why: str, *, missing_since: datetime | None = None
) -> None:
    """Keep an object that the registration no longer uses: brands can be deleted in the Console only.

    `missing_since`: when Twilio was seen without it; nobody needs to delete it then.
    """
    if not kind:
        return
    removal = RetiredResource.Removal.CONSOLE if kind == "brand" else RetiredResource.Removal.API
    RetiredResource.objects.get_or_create(
        registration=registration,
        sid=sid,
        defaults={"kind": kind, "why": why[:300], "removal": removal, "missing_since": missing_since},
    )
    timeline.record(registration, f"{kind}:retired", f"{why}: {sid} is no longer used.", sid=sid)


def kind_of(resource: TwilioResource, column: str) -> str:
    """The kind of object whose SID a column holds; "" for what is not kept track of."""
    return KIND_OF_COLUMN.get((resource._meta.model_name or "", column), "")
