"""Every combination of choices makes texts that pass the pre-flight and fit the form."""

import itertools

import pytest

from registrations.intake import preflight
from registrations.intake.composer import BUSINESSES, OPT_INS, PURPOSES, Choices, compose
from registrations.models.campaign import (
    AUTO_MESSAGE_LENGTH,
    DESCRIPTION_LENGTH,
    MESSAGE_FLOW_LENGTH,
    SAMPLE_LENGTH,
)

LIMITS = {
    "description": DESCRIPTION_LENGTH,
    "message_flow": MESSAGE_FLOW_LENGTH,
    "message_sample_1": SAMPLE_LENGTH,
    "message_sample_2": SAMPLE_LENGTH,
    "opt_in_message": AUTO_MESSAGE_LENGTH,
}
BRANDS = ("Ann Lee Nails", "Tío Beto's Tacos & More", "Bo", "The Reminder Club")
COMBINATIONS = list(itertools.product(BUSINESSES, PURPOSES, OPT_INS))


def choices(brand: str, business: str, purpose: str, opt_in: str) -> Choices:
    site = "https://annlee.example.com"
    return Choices(brand, business, purpose, opt_in, f"{site}/texts", f"{site}/privacy", f"{site}/terms")


@pytest.mark.parametrize(
    ("business", "purpose", "opt_in"), COMBINATIONS, ids=lambda row: row.key if hasattr(row, "key") else row
)
def test_every_combination_passes(business, purpose, opt_in):
    for brand in BRANDS:
        texts = compose(choices(brand, business.key, purpose.key, opt_in.key))
        parts = {"trust_bundle": {"brand_name": brand}, "campaign": texts}
        assert [finding.key for finding in preflight.check(parts)] == []
        for field, (low, high) in LIMITS.items():
            assert not texts[field] or low <= len(texts[field]) <= high, field


def test_no_two_combinations_make_the_same_texts():
    made = [
        compose(choices("Ann Lee Nails", business.key, purpose.key, opt_in.key))
        for business, purpose, opt_in in COMBINATIONS
    ]
    assert len(
        {texts["message_flow"] + texts["message_sample_1"] + texts["description"] for texts in made}
    ) == len(made)


def test_opt_in_by_text_has_keyword_reply_and_checked_box():
    texts = compose(choices("Ann Lee Nails", "shop", "news", "keyword"))
    assert (texts["subscriber_opt_in"], texts["opt_in_keywords"]) == (True, "JOIN")
    assert "Ann Lee Nails" in texts["opt_in_message"]
    others = compose(choices("Ann Lee Nails", "shop", "news", "web"))
    assert (others["subscriber_opt_in"], others["opt_in_keywords"], others["opt_in_message"]) == (
        False,
        "",
        "",
    )


def test_a_brand_name_is_inserted_as_it_is():
    """Braces in a name are not placeholders."""
    texts = compose(choices("Bella {audience} {nails}", "shop", "news", "web"))
    assert texts["message_sample_1"].startswith("Bella {audience} {nails}: ")
