"""The rules on good and bad texts, and what every rule must have."""

import random
import re
import time
from re import _parser as parser  # type: ignore[attr-defined]

import pytest

from registrations.intake.preflight import BY_SLUG, ERROR, RULES, WARNING, check, saving_blockers, summary
from registrations.intake.preflight.prohibited_topics import TOPICS
from registrations.intake.preflight.rule import STEM_LENGTH
from registrations.twilio.rejections import FAILURES, FIELD_PARTS
from tests.intake.preflight.texts import BAD, GOOD, inputs_of, name_of

from . import measure


@pytest.mark.parametrize("campaign", GOOD, ids=name_of)
def test_good_texts_pass(campaign):
    found = check(inputs_of(campaign))
    assert [(finding.key, finding.excerpt) for finding in found if finding.is_error] == []
    assert {finding.slug for finding in found} == set(campaign.get("warnings", []))


@pytest.mark.parametrize("campaign", BAD, ids=name_of)
def test_bad_texts_are_found(campaign):
    found = check(inputs_of(campaign))
    assert set(campaign["rules"]) <= {finding.slug for finding in found}
    severities = [finding.severity for finding in found]
    assert severities == sorted(severities), "errors first"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.slug)
def test_each_rule_is_complete(rule):
    assert rule.severity in (ERROR, WARNING)
    assert rule.title
    assert rule.why
    assert rule.example
    assert set(rule.fields) <= set(FIELD_PARTS)
    known = {failure.code for failure in FAILURES}
    assert rule.codes
    assert set(rule.codes) <= known
    assert 1 <= rule.source_row <= 29


def test_each_rule_has_a_bad_text_and_its_own_name():
    assert len(BY_SLUG) == len(RULES)
    assert {slug for campaign in BAD for slug in campaign["rules"]} == set(BY_SLUG)


def test_empty_inputs_have_no_findings_while_typing():
    assert check({}, typing=True) == []
    assert {finding.slug for finding in check({})} == {"pages-missing"}


def test_findings_name_fields_of_the_form():
    names = {finding.field for campaign in BAD for finding in check(inputs_of(campaign))}
    assert names <= set(FIELD_PARTS) - {"message_samples"}


def test_rules_that_stop_the_form_from_saving():
    found = saving_blockers({"trust_bundle": {"brand_name": "Ann Lee Nails LLC"}})
    assert [finding.slug for finding in found] == ["company-suffix"]
    assert saving_blockers({"trust_bundle": {"brand_name": "Ann Lee Nails"}}) == []


def test_the_summary_counts():
    bad = next(campaign for campaign in BAD if campaign["title"] == "almost nothing said")
    assert summary(check(inputs_of(bad))) == "7 warnings"
    missing = next(campaign for campaign in BAD if campaign["title"] == "no terms")
    assert summary(check(inputs_of(missing))) == "1 error"


def test_long_hostile_texts_are_checked_quickly():
    for piece in (
        "a.",
        "a-",
        "1-",
        "no ",
        "STOP by ",
        "share to with ",
        "[",
        "{{",
        "https://",
        "1 to 2 ",
        "we text ",
    ):
        text = (piece * 4096)[:4096]
        began = time.process_time()
        check(
            {
                "campaign": {
                    "description": text,
                    "message_flow": text[:2048],
                    "message_samples": [text[:1024]] * 5,
                }
            }
        )
        assert time.process_time() - began < 2.0, piece


def test_the_document_is_current():
    assert measure.DOCUMENT.read_text() == measure.document(), "run: python -m tests.intake.preflight.measure"


# --- every match of a topic's patterns contains one of its stems ---------------------------------------------------
def _sample(tree, rng: random.Random) -> str:
    """A text that a parsed pattern matches; look-arounds and anchors are ignored."""
    made = []
    for kind, value in tree:
        name = str(kind)
        if name == "LITERAL":
            made.append(chr(value))
        elif name == "BRANCH":
            made.append(_sample(rng.choice(value[1]), rng))
        elif name == "SUBPATTERN":
            made.append(_sample(value[-1], rng))
        elif name in ("MAX_REPEAT", "MIN_REPEAT"):
            low, high, inner = value
            made += [_sample(inner, rng) for _ in range(rng.randint(low, min(int(high), low + 1)))]
        elif name == "IN":
            made.append(_one_of(value, rng))
        elif name in ("ANY", "NOT_LITERAL"):
            made.append(" ")
    return "".join(made)


def _one_of(options, rng: random.Random) -> str:
    kind, value = rng.choice(options)
    if str(kind) == "LITERAL":
        return chr(value)
    if str(kind) == "RANGE":
        return chr(value[0])
    return {"CATEGORY_DIGIT": "5", "CATEGORY_WORD": "x", "CATEGORY_SPACE": " "}.get(str(value), " ")


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.slug)
def test_everything_that_a_topic_matches_contains_one_of_its_stems(topic):
    rng = random.Random(1)
    stems = set(topic.stems.split())
    for pattern in (topic.certain, topic.possible):
        for branch in pattern_branches(pattern):
            for _ in range(30):
                text = _sample(branch, rng).lower()
                words = re.findall(r"[^\W_]+", text.replace("’", "").replace("'", ""))
                beginnings = {word[:n] for word in words for n in range(2, STEM_LENGTH + 1)}
                assert stems & beginnings, f"“{text}” would be missed"


def pattern_branches(pattern: str) -> list:
    tree = list(parser.parse(pattern))
    if len(tree) == 1 and str(tree[0][0]) == "BRANCH":
        return tree[0][1][1]
    return [tree]


def test_invalid_urls_are_left_to_the_form():
    addresses = {
        "privacy_policy_url": "https://[your-site]/privacy",
        "terms_and_conditions_url": "https://[x",
    }
    found = check({"campaign": addresses}, typing=True)
    assert "pages-distinct" not in [finding.slug for finding in found]
