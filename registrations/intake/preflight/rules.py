"""The table of all rules, and what they find in a case's inputs."""

from collections.abc import Iterable

from . import brand, description, keywords, links, message_flow, samples, topics
from .rule import ERROR, WARNING, Case, Finding, Parts, Rule

RULES: tuple[Rule, ...] = (
    *brand.RULES,
    *description.RULES,
    *message_flow.RULES,
    *samples.RULES,
    *links.RULES,
    *keywords.RULES,
    *topics.RULES,
)
BY_SLUG: dict[str, Rule] = {rule.slug: rule for rule in RULES}


def check(parts: Parts, *, typing: bool = False, rules: Iterable[Rule] = RULES) -> list[Finding]:
    """What Twilio's reviewers would object to in these inputs; errors first.

    `parts`: part of the case -> inputs, as `RegistrationForm.parts()` or a saved case has them. Missing and empty
    inputs are the form's business. `typing` leaves out what is merely not there yet.
    """
    case = Case(parts)
    found = [
        Finding(rule, hit.severity or rule.severity, hit.field, hit.text, hit.excerpt)
        for rule in rules
        if not (typing and rule.missing)
        for hit in rule.check(case)
    ]
    return sorted(found, key=lambda finding: not finding.is_error)


def errors(found: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.is_error]


def hard(parts: Parts) -> list[Finding]:
    """What Twilio cannot take at all: the form does not save it."""
    return check(parts, typing=True, rules=[rule for rule in RULES if rule.hard])


def summary(found: Iterable[Finding]) -> str:
    """
    >>> summary([])
    ''
    """
    severities = [finding.severity for finding in found]
    counts = [(severities.count(kind), kind) for kind in (ERROR, WARNING)]
    return ", ".join(f"{n} {kind}{'s' if n > 1 else ''}" for n, kind in counts if n)
