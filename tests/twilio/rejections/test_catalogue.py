"""Every entry is complete, uses only words that exist, and says something true of its kind."""

import ast
import random
import re
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from registrations.intake.form import RegistrationForm
from registrations.models import Campaign, PhoneNumber, Profile, TrustBundle
from registrations.twilio import rejections
from registrations.twilio.rejections import (
    FAILURES,
    FIELD_PARTS,
    FORM_FIELDS,
    Failure,
    by_key,
    lookup,
    of_state,
)
from registrations.twilio.rejections.entry import SCOPES, Area, Fee, Resubmittable, Who

CHOICES = {
    "area": Area.__args__,
    "resubmittable": Resubmittable.__args__,
    "fee": Fee.__args__,
    "who": Who.__args__,
}
PARTS = {"profile": Profile, "trust_bundle": TrustBundle, "campaign": Campaign, "number": PhoneNumber}

# A missing or unusable legal page is reported under any of these (Twilio facts, section 14).
MISSING_URL_CODES = (30882, 30908, 30933, 30934)

each = pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.key)


@each
def test_entry_is_complete(failure: Failure) -> None:
    for text in (failure.title, failure.explanation, failure.advice, failure.source):
        assert text == text.strip()
        assert len(text) > 5
    assert failure.advice.endswith(".")
    assert failure.explanation.endswith(".")
    assert not failure.title.endswith(".")
    assert failure.redo
    assert set(failure.redo) <= set(SCOPES)
    assert set(failure.fields) <= FORM_FIELDS
    assert len(set(failure.fields)) == len(failure.fields)
    for name, allowed in CHOICES.items():
        assert getattr(failure, name) in allowed
    if failure.code:
        assert failure.url == f"https://www.twilio.com/docs/api/errors/{failure.code}"
        assert lookup(failure.code, failure.fields[:1]).code == failure.code
    else:
        assert failure.url == ""
        assert failure.texts or failure.states or failure.key.startswith("evaluation_")


@each
def test_entry_costs_what_its_acts_cost(failure: Failure) -> None:
    if "standard_brand" in failure.redo:
        assert failure.fee == "standard"
    elif "new_brand" in failure.redo:
        assert failure.fee == "brand"
    elif "campaign_recreate" in failure.redo and failure.area == "campaign":
        assert failure.fee != "none" or failure.resubmittable != "yes"
    if set(failure.redo) <= {"none", "retry_later", "operator", "support", "resend_otp"}:
        assert failure.fee == "none" or "campaign_recreate" in failure.redo


def test_keys_and_codes_are_unique() -> None:
    assert len({failure.key for failure in FAILURES}) == len(FAILURES)
    doubled = [f.code for f in FAILURES if f.code and f.key != str(f.code)]
    assert doubled == [30882]


def test_entries_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        lookup(30751).title = "other"  # type: ignore[misc]


def test_fields_are_inputs_of_models_and_form() -> None:
    for name, part in FIELD_PARTS.items():
        column = "message_samples" if name.startswith("message_sample_") else name
        assert PARTS[part]._meta.get_field(column), name
        if name != "message_samples":
            assert name in RegistrationForm().fields, name


def test_form_fields_put_all_samples_at_the_first() -> None:
    assert lookup(30893).fields[0] == "message_samples"
    assert lookup(30893).form_fields[0] == "message_sample_1"


@pytest.mark.parametrize("code", [30751, "30751", " 30751 ", 30751.0])
def test_lookup_takes_any_spelling_of_a_number(code: object) -> None:
    assert lookup(code).title == "Not a real mobile"


@pytest.mark.parametrize(
    "code", [None, "", "x", True, -1, 0, 1e400, float("nan"), [], {}, object(), "9" * 5000]
)
def test_lookup_of_nonsense_is_neutral(code: object) -> None:
    failure = lookup(code)
    assert (failure.code, failure.certain, failure.url) == (None, False, "")
    assert failure.advice


def test_unknown_code_is_named_and_uncertain() -> None:
    failure = lookup(30999)
    assert "30999" in failure.title
    assert failure.url.endswith("/30999")
    assert not failure.certain
    assert failure.resubmittable == "unknown"
    assert by_key("no such key").key == "unknown"


def test_lookup_never_raises_on_random_numbers() -> None:
    rng = random.Random(7)
    for _ in range(2000):
        assert lookup(rng.randrange(-(10**12), 10**12)).title


# --- rules that connect codes and fields (Twilio facts, sections 4.2, 5.2 and 14) ---------------------------


@pytest.mark.parametrize("token", ["TERMS_AND_CONDITIONS_URL", "termsAndConditionsUrl", "PRIVACY_POLICY_URL"])
def test_30882_with_a_url_field_is_a_missing_page(token: str) -> None:
    failure = lookup(30882, [token])
    assert failure.key == "30882_url"
    assert failure.resubmittable == "yes"
    assert failure.redo == ("campaign_update",)


@pytest.mark.parametrize("tokens", [[], ["USE_CASE_DESCRIPTION"], ["SOMETHING_NEW"]])
def test_30882_without_a_url_field_may_be_a_policy_violation(tokens: list[str]) -> None:
    failure = lookup(30882, tokens)
    assert failure.key == "30882"
    assert "support" in failure.redo


@pytest.mark.parametrize("code", MISSING_URL_CODES)
def test_missing_pages_lead_to_a_url_field_and_an_edit(code: int) -> None:
    failure = lookup(code, ["TERMS_AND_CONDITIONS_URL"] if code == 30882 else ())
    assert failure.fields[0] in {"privacy_policy_url", "terms_and_conditions_url"}
    assert failure.redo == ("campaign_update",)


def test_30793_needs_a_new_brand_and_the_console() -> None:
    failure = lookup(30793)
    assert failure.resubmittable == "no"
    assert failure.redo[-2:] == ("console_delete", "new_brand")
    assert failure.fee == "brand"


@pytest.mark.parametrize("code", [30790, 30791, 30792, 30794])
def test_faults_at_the_registry_are_retried(code: int) -> None:
    failure = lookup(code)
    assert failure.redo[0] == "retry_later"
    assert failure.who == "twilio"
    assert not failure.fields


@pytest.mark.parametrize("code", [30903, 30915, 30757, 30795, 30796, 30797, 30798])
def test_companies_leave_sole_proprietor(code: int) -> None:
    """Where the registry may be mistaken, Twilio's support is the other way out."""
    doubtful = ("support",) if code in (30903, 30915) else ()
    assert lookup(code).redo == ("standard_brand", *doubtful)


@pytest.mark.parametrize("code", [30750, 30751])
def test_a_wrong_mobile_is_fixed_in_the_trust_bundle(code: int) -> None:
    assert lookup(code).fields == ("mobile_phone_number",)
    assert lookup(code).redo == ("end_user", "trust_bundle", "brand_update")


def test_an_unanswered_text_is_sent_again() -> None:
    assert lookup(30752).redo == ("resend_otp",)


def test_what_the_api_can_only_create_is_created_again() -> None:
    assert lookup(30890).redo == ("campaign_recreate",)
    assert lookup(30909).redo == ("campaign_update",)


@pytest.mark.parametrize("code", [30497, 30532, 30543, 30556, 30569])
def test_codes_shared_with_toll_free_belong_to_the_campaign(code: int) -> None:
    assert lookup(code).area == "campaign"
    assert lookup(code).certain
    assert lookup(30561).area == "campaign"  # of the same series, its page unknown
    assert lookup(30561).key == "unknown_30561"


def test_failing_states_of_each_part_have_an_entry() -> None:
    assert of_state("brand", "SUSPENDED") is by_key("brand_suspended")
    assert of_state("brand", "EXPIRED") is by_key("brand_expired")
    assert of_state("campaign", "SUSPENDED") is by_key("campaign_suspended")
    assert of_state("number", "PENDING_DEREGISTRATION") is by_key("number_pending_deregistration")
    assert of_state("phone_number", "failure") is by_key("number_failure")
    assert of_state("profile", "twilio-rejected") is by_key("bundle_rejected")
    assert of_state("brand", "APPROVED") is None
    assert of_state("brand", None) is None
    assert of_state("", "SUSPENDED") is None


def test_texts_are_our_own_plain_words() -> None:
    """No leftovers of Twilio's boilerplate, and no placeholders."""
    for failure in FAILURES:
        prose = f"{failure.title} {failure.explanation} {failure.advice}"
        assert not re.search(r"campaign submission has been reviewed|TODO|XXX|\{|\}", prose), failure.key


def test_the_package_is_pure() -> None:
    """Imports point one way: failures know nothing of models, Django or HTTP."""
    for path in Path(rejections.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = ["."] if node.level == 1 else [f"{'.' * node.level}{node.module}"]
            for name in names:
                assert name == "." or name.split(".")[0] in sys.stdlib_module_names, (path.name, name)
