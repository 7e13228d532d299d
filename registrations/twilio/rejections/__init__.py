"""What Twilio's refusals mean, and readers for the shapes they come in. Pure: no models, no HTTP.

lookup(30751)                       -> Failure (neutral, certain=False, when unknown)
match_text("profile", reason)       -> Failure | None; match_texts() gives all of them
of_state("brand", "SUSPENDED")      -> Failure | None
parse_error_items(brand.errors)     -> [ErrorItem, …], each with .failure and .inputs
parse_evaluation(results)           -> [ErrorItem, …]
parse_failure_reason("profile", t)  -> [Reason(text, failure, suggestion), …]
told("profile", errors, t)          -> [Told(failure, code, message, …), …]: both, each reason once
"""

from .catalogue import FAILURES, by_key, lookup, match_text, match_texts, of_state
from .items import ErrorItem, parse_error_items, parse_evaluation
from .model import FIELD_PARTS, FORM_FIELDS, Failure, form_fields
from .reasons import AddressSuggestion, Reason, parse_address_suggestion, parse_failure_reason
from .tokens import inputs_in_text
from .told import Told, told

__all__ = [
    "FAILURES",
    "FIELD_PARTS",
    "FORM_FIELDS",
    "AddressSuggestion",
    "ErrorItem",
    "Failure",
    "Reason",
    "Told",
    "by_key",
    "form_fields",
    "inputs_in_text",
    "lookup",
    "match_text",
    "match_texts",
    "of_state",
    "parse_address_suggestion",
    "parse_error_items",
    "parse_evaluation",
    "parse_failure_reason",
    "told",
]
