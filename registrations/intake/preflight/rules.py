"""All rules, and what they find in the inputs of a registration."""

from collections.abc import Iterable

from . import brand, description, keywords, links, message_flow, samples, topics
from .rule import ERROR, WARNING, Draft, Finding, Parts, Rule

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

    parts: {part: {input: value}}, from `RegistrationForm.parts()` or `gate.parts_of()`. Missing and empty inputs are
    left to the form. typing: leaves out rules about things that are not filled in yet.
    """
    draft = Draft(parts)
    found = [
        Finding(rule, hit.severity or rule.severity, hit.field, hit.text, hit.excerpt)
        for rule in rules
        if not (typing and rule.skip_while_typing)
        for hit in rule.check(draft)
    ]
    return sorted(found, key=lambda finding: not finding.is_error)


def errors(found: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.is_error]


def saving_blockers(parts: Parts) -> list[Finding]:
    """What Twilio cannot accept at all, so that the form does not save it."""
    return check(parts, typing=True, rules=[rule for rule in RULES if rule.blocks_saving])


def summary(found: Iterable[Finding]) -> str:
    """
    >>> summary([])
    ''
    """
    severities = [finding.severity for finding in found]
    counts = [(severities.count(kind), kind) for kind in (ERROR, WARNING)]
    return ", ".join(f"{n} {kind}{'s' if n > 1 else ''}" for n, kind in counts if n)
