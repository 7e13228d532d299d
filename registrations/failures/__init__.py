"""What Twilio's refusals mean, and readers for the shapes they come in. Pure: no models, no HTTP.

lookup(30751)                       -> Failure (neutral, certain=False, when unknown)
match_text("profile", reason)       -> Failure | None; match_texts() gives all of them
of_state("brand", "SUSPENDED")      -> Failure | None
"""

from .catalogue import FAILURES, by_key, lookup, match_text, match_texts, of_state
from .model import FIELD_PARTS, FORM_FIELDS, Failure

__all__ = [
    "FAILURES",
    "FIELD_PARTS",
    "FORM_FIELDS",
    "Failure",
    "by_key",
    "lookup",
    "match_text",
    "match_texts",
    "of_state",
]
