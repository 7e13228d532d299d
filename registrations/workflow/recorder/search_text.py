"""What a search looks at: one column per registration, so that one index (or one scan) answers every word.

Names, addresses and identifiers as text, phones as digits; lower case without accents, one value a line. The
pipeline keeps the column whenever it stores where a registration stands.
"""

import re
import unicodedata

from registrations.models import Registration


def plain(text: str) -> str:
    """Lower registration without accents, blanks made single: what is stored and what is asked for.

    >>> plain("  José  GARCÍA ")
    'jose garcia'
    """
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(one for one in letters if not unicodedata.combining(one)).split())


def digits(text: str) -> str:
    """A phone number in any format as its digits.

    >>> digits("+1 (415) 555-2671")
    '14155552671'
    """
    return re.sub(r"\D", "", text)


def text_of(registration: Registration) -> str:
    """The column's text for a registration whose parts are loaded. SIDs are not in it: they are found by their indexes."""
    profile, bundle, number = registration.profile, registration.trust_bundle, registration.phone_number
    words = (
        registration.label,
        registration.external_id or "",
        registration.ref,
        f"{profile.first_name} {profile.last_name}",
        profile.email,
        bundle.brand_name,
        registration.brand.tcr_id,
        registration.campaign.campaign_id,
    )
    sender = "" if number.sender_number.startswith("PN") else number.sender_number
    phones = (
        str(profile.phone_number),
        str(bundle.mobile_phone_number),
        number.phone_number,
        sender,
    )
    lines = [*(plain(word) for word in words), *(digits(phone) for phone in phones)]
    return "\n".join(dict.fromkeys(line for line in lines if line))
