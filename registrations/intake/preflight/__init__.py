"""Rules that catch a rejection before it is paid for. Pure: no models, no HTTP (optional look-ups: online.py).

check(parts)    -> [Finding, …]: errors first, then by the order of the rules; `parts` as `form.parts()` gives them
summary(found)  -> "2 errors, 1 warning", "" when there are none
gate            -> whether a saved case may go on to a paid call
RULES           -> the table; each row names the rejection codes that it prevents
"""

from .rule import ERROR, WARNING, Finding, Parts, Rule, Severity
from .rules import BY_SLUG, RULES, check, errors, hard, summary

__all__ = [
    "BY_SLUG",
    "ERROR",
    "RULES",
    "WARNING",
    "Finding",
    "Parts",
    "Rule",
    "Severity",
    "check",
    "errors",
    "hard",
    "summary",
]
