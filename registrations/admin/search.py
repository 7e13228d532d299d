"""Finding a case by whatever an agent has in hand: a name, an address, a phone, any of its identifiers."""

import re

from django.db.models import Model, Q, QuerySet

from registrations.models import (
    Brand,
    Campaign,
    PhoneNumber,
    Profile,
    Registration,
    RetiredResource,
    TrustBundle,
)

_SID = re.compile(r"[A-Za-z]{2}[0-9a-fA-F]{32}")
_TCR_ID = re.compile(r"[BbCc][A-Za-z0-9]{6}")
_PHONE = re.compile(r"[+\d().\-\s]{4,}")

# SID prefix -> the columns that may hold it (Source: Twilio facts, section 1.0).
_SID_COLUMNS: dict[str, tuple[tuple[type[Model], str], ...]] = {
    "BU": ((Profile, "sid"), (TrustBundle, "sid")),
    "IT": ((Profile, "end_user_sid"), (TrustBundle, "end_user_sid")),
    "AD": ((Profile, "address_sid"),),
    "RD": ((Profile, "supporting_document_sid"),),
    "BV": (
        (Profile, "end_user_assignment_sid"),
        (Profile, "document_assignment_sid"),
        (Profile, "primary_assignment_sid"),
        (TrustBundle, "end_user_assignment_sid"),
        (TrustBundle, "profile_assignment_sid"),
    ),
    "EL": ((Profile, "evaluation_sid"), (TrustBundle, "evaluation_sid")),
    "BN": ((Brand, "sid"),),
    "MG": ((Campaign, "service_sid"), (PhoneNumber, "service_sid")),
    "QE": ((Campaign, "sid"),),
    "PN": ((PhoneNumber, "sid"), (PhoneNumber, "sender_number")),
}
_TEXT = (
    "label",
    "external_id",
    "profile__first_name",
    "profile__last_name",
    "profile__email",
    "trust_bundle__brand_name",
)
_PHONES = (
    "profile__phone_number",
    "trust_bundle__mobile_phone_number",
    "phone_number__phone_number",
    "phone_number__sender_number",
)


def matching(cases: QuerySet[Registration], text: str) -> QuerySet[Registration]:
    """The cases that match every word of `text`; a phone number may be typed with blanks and brackets."""
    text = text.strip()
    if _PHONE.fullmatch(text) and len(_digits(text)) >= 4:
        return cases.filter(_phone(text) | _text(text))
    for word in text.split():
        cases = cases.filter(_word(word))
    return cases


def _word(word: str) -> Q:
    if _SID.fullmatch(word):
        return _sid(word)
    found = _text(word)
    if _TCR_ID.fullmatch(word):
        found |= _holder(Brand, "tcr_id", word.upper()) | _holder(Campaign, "campaign_id", word.upper())
    if _PHONE.fullmatch(word) and len(_digits(word)) >= 4:
        found |= _phone(word)
    return found


def _sid(sid: str) -> Q:
    # Exact and by column, as subqueries: an OR over joined tables could use none of the SID indexes.
    sid = sid[:2].upper() + sid[2:].lower()
    found = Q(pk__in=RetiredResource.objects.filter(sid=sid).values("registration_id"))
    for model, column in _SID_COLUMNS.get(sid[:2], ()):
        found |= _holder(model, column, sid)
    return found


def _holder(model: type[Model], column: str, value: str) -> Q:
    return Q(pk__in=model._default_manager.filter(**{column: value}).values("registration_id"))


def _text(word: str) -> Q:
    found = Q()
    for column in _TEXT:
        found |= Q(**{f"{column}__icontains": word})
    return found


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _phone(text: str) -> Q:
    found = Q()
    for column in _PHONES:
        found |= Q(**{f"{column}__contains": _digits(text)})
    return found
