"""Objects that a case no longer uses but that still exist at Twilio: never forgotten."""

from datetime import datetime

from registrations import timeline
from registrations.models import Mirror, Registration, RetiredResource

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


def replace_sid(registration: Registration, mirror: Mirror, column: str, sid: str, why: str) -> None:
    """Set a SID; the one it replaces is retired, never forgotten: it may still exist at Twilio."""
    old = getattr(mirror, column)
    if old and old != sid:
        gone_at = mirror.gone_at if column == "sid" else None
        retire(registration, kind_of(mirror, column), old, why, gone_at=gone_at)
    setattr(mirror, column, sid)


def retire(
    registration: Registration, kind: str, sid: str, why: str, *, gone_at: datetime | None = None
) -> None:
    """Keep an object that the case no longer uses: brands can be deleted in the Console only.

    `gone_at`: when Twilio was seen without it; nobody needs to delete it then.
    """
    if not kind:
        return
    removal = RetiredResource.Removal.CONSOLE if kind == "brand" else RetiredResource.Removal.API
    RetiredResource.objects.get_or_create(
        registration=registration,
        sid=sid,
        defaults={"kind": kind, "why": why[:300], "removal": removal, "gone_at": gone_at},
    )
    timeline.record(registration, f"{kind}:retired", f"{why}: {sid} is no longer used.", sid=sid)


def kind_of(mirror: Mirror, column: str) -> str:
    """The kind of object whose SID a column holds; "" for what is not kept track of."""
    return KIND_OF_COLUMN.get((mirror._meta.model_name or "", column), "")
