"""Finds registrations by what an agent has at hand: a name, an address, a phone number, any identifier."""

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
from registrations.workflow.recorder.read_models import digits, normalize

HELP = "A name, email address, phone number, your own ID, or any SID or TCR ID."
# By itself, in quotes, or in a pasted address of the Console.
_SID = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9a-fA-F]{32}(?![A-Za-z0-9])")
# What people and programs write between the digits of a phone number, with dashes and spaces of every kind.
_PHONE = re.compile(
    r"(?:tel:)?[+\d()\[\].,/·\s\-\u2010-\u2015\u2212\u200b-\u200f\u202a-\u202e\u2060]{3,}", re.IGNORECASE
)

# SID prefix -> the columns that may hold it (Source: docs/twilio.md section 1.0).
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


def matching(registrations: QuerySet[Registration], text: str) -> QuerySet[Registration]:
    """The registrations that match every word of `text`; a phone number may contain spaces and parentheses."""
    text = text.strip()
    if _PHONE.fullmatch(text) and len(digits(text)) >= 4:
        return registrations.filter(
            Q(search_text__contains=digits(text)) | Q(search_text__contains=normalize(text))
        )
    for word in text.split():
        registrations = registrations.filter(_word(word))
    return registrations


def _word(word: str) -> Q:
    if sid := _SID.search(word):
        return _sid(sid[0])
    found = Q(search_text__contains=normalize(word))
    number = digits(word)
    if _PHONE.fullmatch(word) and len(number) >= 3 and number != word:
        found |= Q(search_text__contains=number)
    return found


def _sid(sid: str) -> Q:
    # By column, as one union: an OR across joined tables would use none of the SID indexes.
    sid = sid[:2].upper() + sid[2:].lower()
    if sid.startswith("AC"):
        return Q(account_sid=sid)
    holders = [
        model._default_manager.order_by().filter(**{column: sid}).values("registration_id")
        for model, column in _SID_COLUMNS.get(sid[:2], ())
    ]
    retired = RetiredResource.objects.order_by().filter(sid=sid).values("registration_id")
    return Q(pk__in=retired.union(*holders))
