"""FailureReason and failure_reason texts, and the address that Twilio suggests in them."""

import random
import string

import pytest

from registrations.twilio.rejections import (
    AddressSuggestion,
    match_text,
    match_texts,
    parse_address_suggestion,
    parse_failure_reason,
)

FENWAY = (
    "Address suggestion -> Street: 1 Jersey St. Secondary Street: Boston, MA 02215-4147. "
    "Locality: Boston. Region: MA. Postal Code: 02215-4147. Country: US"
)
EXPECTED = AddressSuggestion(
    street="1 Jersey St", city="Boston", region="MA", postal_code="02215-4147", iso_country="US"
)
# As documented, with what must be understood.
VERBATIM = [
    ("Email domain has an invalid address syntax.", "email_syntax", "email"),
    ("Unknown email domain.", "email_unknown_domain", "email"),
    ("Email is a suspected disposable address.", "email_disposable", "email"),
    ("Email is invalid.", "email_invalid", "email"),
    ("Address not found with sid AD" + "0" * 32, "address_sid_not_found", "street"),
    ("The provided address is not a valid US or Canada address", "address_not_us_ca", "street"),
    (f"[address_sids] - Invalid Postal Code. {FENWAY};", "address_postal_code", "postal_code"),
    (f"[address_sids] - Invalid Street. {FENWAY}", "address_street", "street"),
    (f"[address_sids] - Invalid Locality. {FENWAY};", "address_locality", "city"),
    (f"[address_sids] - Invalid Region. {FENWAY};", "address_region", "region"),
    ("[address_sids] - Invalid House Number", "address_house_number", "street"),
]


@pytest.mark.parametrize(("text", "key", "field"), VERBATIM, ids=[row[1] for row in VERBATIM])
def test_documented_profile_reason(text: str, key: str, field: str) -> None:
    (reason,) = parse_failure_reason("profile", text)
    assert reason.failure is not None
    assert (reason.failure.key, reason.failure.fields[0]) == (key, field)
    assert match_text("profile", text) is reason.failure
    assert reason.suggestion == (EXPECTED if "suggestion" in text else None)
    assert match_text("profile", text.upper()) is reason.failure
    assert match_text("brand", text) is reason.failure  # a brand's failure may repeat its bundle's
    assert match_text("campaign", text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Unable to fetch A2P Bundle Details, please check the SID and try again", 30793),
        ("Unable to fetch A2P bundle details , check the SID", 30793),
        ("Unable to fetch Customer Profile Bundle details, please verify", 30793),
        ("Unable to register Brand with The Campaign Registry", 30791),
        ("Please unable to please register brand with the campaign registry. Retry.", 30791),
        ("https://www.twilio.com/docs/api/errors/30751", 30751),
    ],
)
def test_brand_reason(text: str, code: int) -> None:
    found = match_text("brand", text)
    assert found is not None
    assert found.code == code


def test_number_reason_may_be_a_link() -> None:
    found = match_text("number", "https://www.twilio.com/docs/api/errors/30126")
    assert found is not None
    assert found.code == 30126


def test_refused_campaign_edit_is_recognised() -> None:
    text = (
        "Campaign update is allowed only for FAILURE state(s). "
        "It is not allowed in the current state PENDING_DCA1_REVIEW"
    )
    found = match_text("campaign", text)
    assert found is not None
    assert found.key == "campaign_not_editable_now"


@pytest.mark.parametrize("text", [None, 7, "", "Something entirely new happened.", ["Email is invalid."]])
def test_unknown_reason_matches_nothing(text: object) -> None:
    assert match_texts("profile", text) == []
    assert match_text("profile", text) is None


def test_words_inside_other_words_are_no_match() -> None:
    assert match_text("profile", "The e-mail isinvalidated; femail is invalidish") is None


def test_several_issues_in_one_text() -> None:
    text = (
        f"Email is invalid. [address_sids] - Invalid Street. {FENWAY}; "
        f"[address_sids] - Invalid Region. {FENWAY} [address_sids] - Invalid House Number"
    )
    reasons = parse_failure_reason("profile", text)
    assert [reason.failure.key for reason in reasons if reason.failure] == [
        "email_invalid",
        "address_street",
        "address_region",
        "address_house_number",
    ]
    assert [reason.suggestion for reason in reasons] == [None, EXPECTED, EXPECTED, None]
    assert reasons[0].text == "Email is invalid."
    assert reasons[3].text == "Invalid House Number"


def test_an_issue_after_a_suggestion_without_semicolon_is_not_lost() -> None:
    reasons = parse_failure_reason("profile", f"[address_sids] - Invalid Street. {FENWAY}. Email is invalid.")
    assert [reason.failure.key for reason in reasons if reason.failure] == ["address_street", "email_invalid"]
    assert reasons[0].suggestion == EXPECTED


def test_unknown_words_before_a_known_clause_are_kept() -> None:
    first, second = parse_failure_reason("profile", "Moon phase unsuitable; Email is invalid.")
    assert (first.text, first.failure) == ("Moon phase unsuitable", None)
    assert second.failure is not None


def test_unknown_text_is_one_issue_without_an_entry() -> None:
    (reason,) = parse_failure_reason("trust_bundle", "  Brand new reason.  ")
    assert (reason.text, reason.failure, reason.suggestion) == ("Brand new reason.", None, None)
    assert parse_failure_reason("profile", None) == []
    assert parse_failure_reason("profile", " \n ") == []


def test_street_named_like_a_reason_is_no_reason() -> None:
    text = (
        "[address_sids] - Invalid Region. Address suggestion -> Street: 5 Invalid Street. Locality: Reno. "
        "Region: NV. Postal Code: 89501. Country: US;"
    )
    assert [failure.key for failure in match_texts("profile", text)] == ["address_region"]


# --- suggestions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tail", ["", ";", ".", "; ", " ;\n", "; [address_sids] - Invalid House Number"])
@pytest.mark.parametrize("head", ["", "[address_sids] - Invalid Street. ", "Email is invalid. "])
def test_suggestion_ends_however_it_ends(head: str, tail: str) -> None:
    assert parse_address_suggestion(head + FENWAY + tail) == EXPECTED


def suggest(**values: str) -> AddressSuggestion | None:
    keys = {
        "street": "Street",
        "secondary": "Secondary Street",
        "city": "Locality",
        "region": "Region",
        "postal": "Postal Code",
        "country": "Country",
    }
    parts = ". ".join(f"{keys[name]}: {value}" for name, value in values.items())
    return parse_address_suggestion(f"[address_sids] - Invalid Street. Address suggestion -> {parts};")


@pytest.mark.parametrize(
    ("secondary", "kept"),
    [
        ("Boston, MA 02215-4147", ""),
        ("BOSTON MA 02215", ""),
        ("Boston, MA", ""),
        ("Boston", ""),
        ("MA 02215", ""),
        ("02215-4147", ""),
        ("Apt 4, Boston, MA 02215-4147", "Apt 4"),
        ("Apt. 4 Boston MA 02215", "Apt. 4"),
        ("Ste 200, Boston, MA", "Ste 200"),
        ("Apt 4", "Apt 4"),
        ("Fenway, MA 02215", ""),  # another name of the same place
        ("Apt 4, Fenway, MA 02215", "Apt 4"),
        ("Boston, Massachusetts 02215", ""),
        ("Boston Building", "Boston Building"),
        ("", ""),
    ],
)
def test_secondary_line_never_repeats_city_state_and_zip(secondary: str, kept: str) -> None:
    found = suggest(
        street="1 Jersey St",
        secondary=secondary,
        city="Boston",
        region="MA",
        postal="02215-4147",
        country="US",
    )
    assert found is not None
    assert found.street_secondary == kept
    assert found.street == "1 Jersey St"


@pytest.mark.parametrize("street", ["1 St. James Pl.", "12 Dr. M. L. King Jr. Blvd.", "P.O. Box 7"])
def test_full_stops_inside_a_value_stay(street: str) -> None:
    found = suggest(street=street, city="St. Louis", region="MO", postal="63101", country="US")
    assert found is not None
    assert found.street == street.removesuffix(".") or found.street == street
    assert found.city == "St. Louis"


@pytest.mark.parametrize(
    ("named", "read"),
    [
        ({"region": "Massachusetts", "country": "United States"}, {"region": "MA", "iso_country": "US"}),
        ({"region": "Québec", "country": "Canada"}, {"region": "QC", "iso_country": "CA"}),
        ({"region": "MA. Email is invalid"}, {"region": "MA"}),
        ({"postal": "02215 4147"}, {"postal_code": "02215-4147"}),
        ({"postal": "m5v3l9"}, {"postal_code": "M5V 3L9"}),
        # What the form would not take is not offered.
        ({"region": "Elsewhere", "country": "MX", "postal": "123", "city": "Reno"}, {"city": "Reno"}),
    ],
)
def test_parts_are_brought_to_what_the_form_takes(named: dict[str, str], read: dict[str, str]) -> None:
    found = suggest(**named)
    assert found is not None
    assert found.as_inputs() == read


def test_a_suggestion_that_names_nothing_usable_hides_no_other() -> None:
    found = parse_address_suggestion(f"Address suggestion -> Region: Elsewhere. Country: MX; {FENWAY}")
    assert found == EXPECTED


def test_a_repeated_last_line_is_seen_through_spacing_and_accents() -> None:
    for secondary, postal in (("Montréal QC  H2X 1Y4", "H2X1Y4"), ("Montreal, QC H2X1Y4", "H2X 1Y4")):
        found = suggest(street="1 Rue", secondary=secondary, city="Montréal", region="QC", postal=postal)
        assert found is not None
        assert (found.street_secondary, found.postal_code) == ("", "H2X 1Y4")


def test_canadian_address() -> None:
    found = suggest(
        street="200 Bay St",
        secondary="Toronto, ON M5J 2J2",
        city="Toronto",
        region="on",
        postal="M5J 2J2",
        country="ca",
    )
    assert found == AddressSuggestion("200 Bay St", "", "Toronto", "ON", "M5J 2J2", "CA")


def test_missing_keys_leave_their_fields_alone() -> None:
    found = suggest(street="1 Jersey St", postal="02215")
    assert found is not None
    assert found.as_inputs() == {"street": "1 Jersey St", "postal_code": "02215"}
    assert str(found) == "1 Jersey St, 02215"


def test_inputs_of_a_full_suggestion() -> None:
    assert EXPECTED.as_inputs() == {
        "street": "1 Jersey St",
        "city": "Boston",
        "region": "MA",
        "postal_code": "02215-4147",
        "iso_country": "US",
    }
    assert str(EXPECTED) == "1 Jersey St, Boston, MA 02215-4147, US"


@pytest.mark.parametrize(
    "text",
    [
        None,
        42,
        "",
        "Email is invalid.",
        "[address_sids] - Invalid House Number",
        "Address suggestion -> ",
        "Address suggestion -> ;",
        "Address suggestion -> Street: . Locality: null;",
        "Street: 1 Jersey St. Locality: Boston",
    ],
)
def test_no_suggestion(text: object) -> None:
    assert parse_address_suggestion(text) is None


def test_an_empty_suggestion_is_passed_over_for_a_later_one() -> None:
    assert parse_address_suggestion(f"Address suggestion -> ; {FENWAY}") == EXPECTED


def test_random_texts_never_raise_and_lose_no_issue() -> None:
    rng = random.Random(11)
    pieces = [
        *(text for text, _, _ in VERBATIM),
        *(
            "Street:",
            "Secondary Street:",
            "Region: ",
            ";",
            "[address_sids] - ",
            "Address suggestion ->",
            ". ",
        ),
        *(chr(rng.randrange(1, 0x2FFF)) for _ in range(10)),
        *rng.choices(string.printable, k=20),
    ]
    for _ in range(3000):
        text = "".join(rng.choices(pieces, k=rng.randrange(12)))
        reasons = parse_failure_reason(rng.choice(["", "profile", "brand", "nonsense"]), text)
        assert all(reason.text and reason.text in text for reason in reasons)
        suggestion = parse_address_suggestion(text)
        assert suggestion is None or suggestion.as_inputs()


def test_long_texts_are_read_in_reasonable_time() -> None:
    # A quadratic reader would need minutes for these, and the test run would stand still.
    for unit in ("Address suggestion ->", "Street: a. ", "Unable to fetch ", "[address_sids] - ", " . "):
        parse_failure_reason("profile", unit * 20_000)
        parse_address_suggestion(unit * 20_000)
