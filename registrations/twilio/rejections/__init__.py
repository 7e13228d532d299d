"""What Twilio's rejections mean, and parsers for the formats they come in. Pure: no models, no HTTP.

lookup(30751)                       -> Failure (neutral, certain=False, when unknown)
match_text("profile", reason)       -> Failure | None; match_texts() gives all of them
of_state("brand", "SUSPENDED")      -> Failure | None
parse_error_items(brand.errors)     -> [ErrorItem, …], each with .failure and .inputs
parse_evaluation(results)           -> [ErrorItem, …]
parse_failure_reason("profile", t)  -> [TextReason(text, failure, suggestion), …]
merge_reasons("profile", errors, t) -> [Reason(failure, code, message, …), …]: both, each reason once
"""

from .entry import FIELD_PARTS, FORM_FIELDS, Failure, form_fields
from .error_items import ErrorItem, parse_error_items, parse_evaluation
from .failure_reasons import (
    AddressSuggestion,
    Reason,
    TextReason,
    merge_reasons,
    parse_address_suggestion,
    parse_failure_reason,
)
from .field_names import inputs_in_text
from .lookup import CATALOGUE, FAILURES, by_key, lookup, match_text, match_texts, of_state

__all__ = [
    "CATALOGUE",
    "FAILURES",
    "FIELD_PARTS",
    "FORM_FIELDS",
    "AddressSuggestion",
    "ErrorItem",
    "Failure",
    "Reason",
    "TextReason",
    "by_key",
    "form_fields",
    "inputs_in_text",
    "lookup",
    "match_text",
    "match_texts",
    "merge_reasons",
    "of_state",
    "parse_address_suggestion",
    "parse_error_items",
    "parse_evaluation",
    "parse_failure_reason",
]
