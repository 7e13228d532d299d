"""The rules on good and bad texts, and what every row of the table must have."""

import random
import re
import time
from re import _parser as parser  # type: ignore[attr-defined]

import pytest

from registrations.intake.preflight import BY_SLUG, ERROR, RULES, WARNING, check, hard, summary
from registrations.intake.preflight.prohibited_topics import TOPICS
from registrations.intake.preflight.rule import STEM
from registrations.twilio.rejections import FAILURES, FIELD_PARTS
from tests.intake.preflight.texts import BAD, GOOD, inputs_of, name_of

from . import measure


@pytest.mark.parametrize("case", GOOD, ids=name_of)
def test_good_texts_pass(case):
    found = check(inputs_of(case))
    assert [(finding.key, finding.excerpt) for finding in found if finding.is_error] == []
    assert {finding.slug for finding in found} == set(case.get("doubts", []))


@pytest.mark.parametrize("case", BAD, ids=name_of)
def test_bad_texts_are_found(case):
    found = check(inputs_of(case))
    assert set(case["rules"]) <= {finding.slug for finding in found}
    severities = [finding.severity for finding in found]
    assert severities == sorted(severities), "errors first"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.slug)
def test_each_row_is_whole(rule):
    assert rule.severity in (ERROR, WARNING)
    assert rule.title
    assert rule.why
    assert rule.example
    assert set(rule.fields) <= set(FIELD_PARTS)
    known = {failure.code for failure in FAILURES}
    assert rule.codes
    assert set(rule.codes) <= known
    assert 1 <= rule.source <= 29


def test_each_rule_has_a_bad_text_and_its_own_name():
    assert len(BY_SLUG) == len(RULES)
    assert {slug for case in BAD for slug in case["rules"]} == set(BY_SLUG)


def test_nothing_given_is_no_finding_while_somebody_types():
    assert check({}, typing=True) == []
    assert {finding.slug for finding in check({})} == {"pages-missing"}


def test_findings_name_fields_of_the_form():
    names = {finding.field for case in BAD for finding in check(inputs_of(case))}
    assert names <= set(FIELD_PARTS) - {"message_samples"}


def test_hard_rules_are_what_the_form_refuses():
    found = hard({"trust_bundle": {"brand_name": "Ann Lee Nails LLC"}})
    assert [finding.slug for finding in found] == ["company-suffix"]
    assert hard({"trust_bundle": {"brand_name": "Ann Lee Nails"}}) == []


def test_the_summary_counts():
    bad = next(case for case in BAD if case["case"] == "almost nothing said")
    assert summary(check(inputs_of(bad))) == "7 warnings"
    missing = next(case for case in BAD if case["case"] == "no terms")
    assert summary(check(inputs_of(missing))) == "1 error"


def test_long_hostile_texts_do_not_stall_it():
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


# --- a topic's stems are found in whatever its patterns match ---------------------------------------------------
def _sample(tree, rng: random.Random) -> str:
    """A text that a parsed pattern matches; look-arounds and anchors stand for nothing."""
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
def test_no_pattern_of_a_topic_is_without_its_stem(topic):
    rng = random.Random(1)
    stems = set(topic.stems.split())
    for pattern in (topic.plain, topic.maybe):
        for branch in pattern_branches(pattern):
            for _ in range(30):
                text = _sample(branch, rng).lower()
                words = re.findall(r"[^\W_]+", text.replace("’", "").replace("'", ""))
                beginnings = {word[:n] for word in words for n in range(2, STEM + 1)}
                assert stems & beginnings, f"“{text}” would be missed"


def pattern_branches(pattern: str) -> list:
    tree = list(parser.parse(pattern))
    if len(tree) == 1 and str(tree[0][0]) == "BRANCH":
        return tree[0][1][1]
    return [tree]


def test_an_address_that_cannot_be_read_is_the_forms_affair():
    addresses = {
        "privacy_policy_url": "https://[your-site]/privacy",
        "terms_and_conditions_url": "https://[x",
    }
    found = check({"campaign": addresses}, typing=True)
    assert "pages-distinct" not in [finding.slug for finding in found]
