"""Rules that catch a rejection before it is paid for. `check` is pure: no models, no HTTP.

check(parts)             -> [Finding, …]: errors first, then in the order of RULES; `parts` as in `form.parts()`
saving_blockers(parts)   -> the findings that stop the form from saving
summary(found)           -> "2 errors, 1 warning", or ""
gate                     -> whether a saved registration may continue to a paid call
online_checks            -> optional checks of the customer's web pages and mobile number
RULES                    -> all rules; each one lists the rejection codes that it prevents
"""

from .rule import ERROR, WARNING, Finding, Parts, Rule, Severity
from .rules import BY_SLUG, RULES, check, errors, saving_blockers, summary

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
    "saving_blockers",
    "summary",
]
