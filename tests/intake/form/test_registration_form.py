"""The registration form: limits at their fields, common formats accepted, nothing typed lost."""

import pytest
from django.contrib.auth import get_user_model

from registrations.intake.form import CSV_COLUMNS, PARTS, SAMPLE_FIELDS, RegistrationForm, data_of
from registrations.models import Brand, Campaign, PhoneNumber, Profile, Registration, TrustBundle
from tests.intake.form.rows import VALID

pytestmark = pytest.mark.django_db


def form_with(**changes):
    return RegistrationForm(VALID | changes)


def errors_of(**changes) -> dict[str, list[str]]:
    return {name: list(messages) for name, messages in form_with(**changes).errors.items()}


def hints_of(**changes) -> dict[str, list[str]]:
    form = form_with(**changes)
    assert form.is_valid(), form.errors
    return form.advice()


def cleaned(name: str, **changes):
    form = form_with(**changes)
    assert form.is_valid(), form.errors
    return form.cleaned_data[name]


def saved(**fields) -> Registration:
    form = RegistrationForm(VALID)
    assert form.is_valid()
    registration = Registration.objects.create(**(form.registration_fields() | fields))
    for part, model in (("profile", Profile), ("trust_bundle", TrustBundle), ("campaign", Campaign)):
        model.objects.create(registration=registration, **form.parts()[part])
    PhoneNumber.objects.create(registration=registration, **form.parts()["phone_number"])
    Brand.objects.create(registration=registration)
    return Registration.objects.get(pk=registration.pk)


def test_valid_row_gives_every_input_of_every_part():
    form = RegistrationForm(VALID)
    assert form.is_valid(), form.errors
    parts = form.parts()
    for part, (model, names) in PARTS.items():
        assert set(names) <= set(parts[part])
        assert all(model._meta.get_field(name).editable for name in parts[part])
    assert parts["profile"]["phone_number"] == "+14155550123"
    assert parts["trust_bundle"]["mobile_phone_number"] == "+14155550124"
    assert parts["campaign"]["message_samples"] == [VALID["message_sample_1"], VALID["message_sample_2"]]
    assert parts["campaign"]["has_embedded_links"] is False
    assert form.registration_fields() == {
        "label": "Ann Lee Nails",
        "external_id": None,
        "owner": None,
        "notes": "",
    }


def test_every_editable_input_of_the_models_is_on_the_form():
    for model, names in PARTS.values():
        editable = {
            f.name
            for f in model._meta.concrete_fields
            if f.editable and not f.primary_key and not f.is_relation
        }
        assert editable - {"message_samples"} == set(names)
    shown = [field.name for section in RegistrationForm().sections for field in section]
    assert sorted(shown) == sorted(set(RegistrationForm().fields) - {"revision"})
    assert set(CSV_COLUMNS) | {"label", "owner", "notes"} == set(shown)


def test_all_errors_come_at_once():
    errors = RegistrationForm({}).errors
    required = set(VALID) - {
        "street_secondary", "vertical", "sender_number", "external_id", *SAMPLE_FIELDS[2:],
        *(n for n in VALID if n.startswith(("has_", "opt_", "help_"))),
        "subscriber_opt_in", "age_gated", "direct_lending",
    }  # fmt: skip
    assert set(errors) == required
    mixed = errors_of(
        brand_name="Ann LLC", description="short", region="ON", privacy_policy_url="http://a.b/c"
    )
    assert set(mixed) == {"brand_name", "description", "region", "privacy_policy_url"}


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("description", 40, 4096),
        ("message_flow", 40, 2048),
        ("message_sample_1", 20, 1024),
        ("message_sample_5", 20, 1024),
        ("opt_out_message", 20, 320),
        ("help_message", 20, 320),
    ],
)
def test_lengths_of_texts(name, low, high):
    for length, good in ((low - 1, False), (low, True), (high, True), (high + 1, False)):
        assert (name not in errors_of(**{name: "x" * length})) is good, length
    attrs = RegistrationForm().fields[name].widget.attrs
    assert (attrs["data-min"], attrs["data-max"]) == (low, high)


def test_no_input_cuts_pasted_text():
    for field in RegistrationForm().fields.values():
        assert "maxlength" not in field.widget.attrs
    assert errors_of(first_name="x" * 101)["first_name"] == ["Write at most 100 characters (it has 101)."]
    assert errors_of(description="Texts.")["description"] == ["Write at least 40 characters (it has 6)."]


def test_line_breaks_count_once_and_blank_lines_collapse():
    typed = "x" * 1021 + "\r\n" + "yz"
    assert cleaned("message_sample_1", message_sample_1=typed) == "x" * 1021 + "\nyz"
    text = cleaned(
        "description", description="  Line one, and more to be long enough \r\n\r\n\r\n\r\nLine two "
    )
    assert text == "Line one, and more to be long enough\n\nLine two"
    assert cleaned("street", street=" 1\u00a0Main\r\nSt\u200b ") == "1 Main St"


def test_nothing_typed_is_lost():
    typed = {
        "phone_number": "41555501",
        "region": "Massachusets",
        "has_embedded_links": "yes",
        "age_gated": "no",
    }
    form = form_with(**typed)
    assert not form.is_valid()
    assert 'value="41555501"' in str(form["phone_number"])
    assert 'value="Massachusets"' in str(form["region"])
    assert "checked" in str(form["has_embedded_links"])
    assert "checked" not in str(form["age_gated"])
    assert 'value="no"' not in str(form["age_gated"])


@pytest.mark.parametrize(
    "typed",
    ["4155550124", "+1 415 555 0124", "1-415-555-0124", "415.555.0124", "tel:+14155550124", "(415)555-0124"],
)
def test_common_formats_of_a_mobile(typed):
    assert str(cleaned("mobile_phone_number", mobile_phone_number=typed)) == "+14155550124"


@pytest.mark.parametrize(
    "typed",
    [
        "+44 7400 123456",
        "+1 800 555 0124",
        "+1 876 555 0124",
        "415555012",
        "4.15556E+09",
        "abc",
        "415 555 0124 x9",
    ],
)
def test_mobiles_that_cannot_receive_the_otp_text(typed):
    found = errors_of(mobile_phone_number=typed)
    assert set(found) == {"mobile_phone_number"}
    assert ("rounded" in found["mobile_phone_number"][0]) == ("E+" in typed)


def test_a_contact_phone_may_be_foreign_and_a_mobile_canadian():
    assert str(cleaned("phone_number", phone_number="+44 20 7946 0018")) == "+442079460018"
    assert str(cleaned("mobile_phone_number", mobile_phone_number="416 555 0124")) == "+14165550124"


@pytest.mark.parametrize(
    ("country", "region", "postal", "want"),
    [
        ("US", "massachusetts", "02139", ("MA", "02139")),
        ("usa", "ma", "02139-1234", ("MA", "02139-1234")),
        ("United States", "D.C.", "200011234", ("DC", "20001-1234")),
        ("ca", "Ontario", "k1a0b1", ("ON", "K1A 0B1")),
        ("Canada", "Québec", "h2x 1y4", ("QC", "H2X 1Y4")),
    ],
)
def test_places(country, region, postal, want):
    form = form_with(iso_country=country, region=region, postal_code=postal)
    assert form.is_valid(), form.errors
    assert (form.cleaned_data["region"], form.cleaned_data["postal_code"]) == want


def test_places_that_do_not_fit():
    assert "change the country or the region" in errors_of(region="ON")["region"][0]
    assert "02139?" in errors_of(postal_code="2139")["postal_code"][0]
    assert set(errors_of(iso_country="CA", region="MA", postal_code="02139")) == {"region", "postal_code"}
    assert set(errors_of(iso_country="FR")) == {"iso_country"}
    assert set(errors_of(region="Narnia")) == {"region"}


@pytest.mark.parametrize("name", ["privacy_policy_url", "terms_and_conditions_url"])
def test_pages_are_https(name):
    assert "30964" in errors_of(**{name: "http://annlee.example.com/x"})[name][0]
    assert name in errors_of(**{name: ""})
    assert name in errors_of(**{name: "ftp://annlee.example.com/x"})
    assert name in errors_of(**{name: "not an address"})
    assert cleaned(name, **{name: "annlee.example.com/x"}) == "https://annlee.example.com/x"


@pytest.mark.parametrize("email", ["ann", "ann@", "ann@localhost", "a b@example.com", "jürgen@example.com"])
def test_bad_addresses_say_why(email):
    assert errors_of(email=email)["email"][0].startswith("This is not an email address.")


@pytest.mark.parametrize(
    "name",
    [
        "Ann LLC",
        "Ann L.L.C.",
        "Ann, Inc.",
        "Ann Corp",
        "Ann Corporation",
        "Ann Ltd.",
        "Ann PLLC",
        "Ann Limited",
        "Ann LP",
    ],
)
def test_company_suffixes_name_the_code(name):
    assert "30915" in errors_of(brand_name=name)["brand_name"][0]


@pytest.mark.parametrize(
    "name", ["Incredible Nails", "Corpus Books", "Limited Editions by Ann", "Nails Unlimited"]
)
def test_names_that_only_look_like_companies_are_accepted(name):
    assert cleaned("brand_name", brand_name=name) == name


def test_brand_name_is_no_address_nor_sid():
    assert "brand_name" in errors_of(brand_name="ann@example.com")
    assert "brand_name" in errors_of(brand_name="AC" + "0" * 32)
    assert "brand_name" in hints_of(brand_name="Ann & Co.")


def test_vertical_is_found_by_key_or_label_in_any_case():
    for typed in ("real_estate", "Real Estate", "REAL-ESTATE"):
        assert cleaned("vertical", vertical=typed) == "REAL_ESTATE"
    for typed in ("", " \u00a0"):
        assert cleaned("vertical", vertical=typed) == ""
    assert "NGO" in errors_of(vertical="bakery")["vertical"][0]


@pytest.mark.parametrize("name", ["first_name", "description", "external_id", "email"])
@pytest.mark.parametrize(
    ("typed", "message"), [("#N/A", "error"), ('=VLOOKUP(A2,"x",3)', "formula"), ("=-A1", "formula")]
)
def test_spreadsheet_errors_and_formulas_are_refused(name, typed, message):
    assert message in errors_of(**{name: typed})[name][0]


@pytest.mark.parametrize(
    ("word", "want"),
    [("true", True), ("YES", True), ("1", True), ("on", True), ("No", False), ("0", False), ("", False)],
)
def test_flag_words(word, want):
    assert cleaned("age_gated", age_gated=word) is want


def test_unknown_flag_word_is_refused():
    assert errors_of(age_gated="maybe") == {"age_gated": ["Write yes or no."]}


def test_keywords():
    assert cleaned("help_keywords", help_keywords="help; Info,help  AIDE") == "HELP, INFO, AIDE"
    assert "YES!" in errors_of(help_keywords="yes! ok")["help_keywords"][0]
    assert "255" in errors_of(help_keywords=" ".join(f"KEYWORD{n:03}" for n in range(30)))["help_keywords"][0]


def test_opt_in_message_needs_the_flag_and_the_flag_hints_at_the_message():
    message = "Ann Lee Nails: you are subscribed. Reply STOP to opt out."
    assert "30709" in errors_of(opt_in_message=message)["subscriber_opt_in"][0]
    assert errors_of(opt_in_message=message, subscriber_opt_in="yes") == {}
    assert "opt_in_message" in hints_of(subscriber_opt_in="yes")
    assert "subscriber_opt_in" in hints_of(opt_in_keywords="JOIN")


def test_sender():
    assert cleaned("sender_number", sender_number="(415) 555-0199") == "+14155550199"
    sid = "PN" + "0aF" * 10 + "00"
    assert cleaned("sender_number", sender_number=sid) == "PN" + "0af" * 10 + "00"
    for bad in ("PN123", "AC" + "0" * 32, "+18005550199", "+442079460018", "hello", "12345"):
        assert set(errors_of(sender_number=bad)) == {"sender_number"}, bad
    assert cleaned("area_code", sender_number="", area_code="(415)") == "415"
    assert set(errors_of(sender_number="", area_code="115")) == {"area_code"}
    assert set(errors_of(area_code="415")) == {"area_code"}
    assert "sender_number" in hints_of(sender_number="")


def test_samples_are_kept_in_order_without_gaps():
    form = form_with(message_sample_4="Ann Lee Nails: a fourth sample, the third is empty.")
    assert form.is_valid()
    assert len(form.parts()["campaign"]["message_samples"]) == 3
    assert "message_sample_2" in errors_of(message_sample_2="")


def test_initial_and_round_trip_of_a_saved_registration():
    registration = saved(external_id="C-1", notes="Two\nlines")
    form = RegistrationForm(instance=registration)
    assert 'value="(415) 555-0123"' in str(form["phone_number"])
    assert VALID["message_sample_2"] in str(form["message_sample_2"])
    again = RegistrationForm(data_of(registration), instance=registration)
    assert again.is_valid(), again.errors
    assert again.changed_inputs() == []
    assert again.expected_revision == registration.revision
    edited = RegistrationForm(data_of(registration) | {"city": "Salem", "notes": ""}, instance=registration)
    assert edited.is_valid()
    assert edited.changed_inputs() == ["city", "notes"]


def test_external_id_belongs_to_one_registration():
    registration = saved(external_id="C-1")
    assert "already has this ID" in errors_of(external_id="C-1")["external_id"][0]
    assert RegistrationForm(data_of(registration), instance=registration).is_valid()
    assert cleaned("external_id", external_id="  ") is None


def test_owner_is_active_staff_or_the_present_owner():
    users = get_user_model().objects
    staff = users.create_user("staff", is_staff=True)
    gone = users.create_user("gone", is_staff=True, is_active=False)
    assert form_with(owner=str(staff.pk)).is_valid()
    assert "owner" in errors_of(owner=str(gone.pk))
    registration = saved(owner=gone)
    assert RegistrationForm(data_of(registration), instance=registration).is_valid()


def test_label_falls_back_to_the_brand_name_within_its_limit():
    assert cleaned("label", brand_name="B" * 200) == "B" * 160
    assert cleaned("label", label="Ann (Boston)") == "Ann (Boston)"
    assert "label" in errors_of(label="x" * 161)


@pytest.mark.parametrize(
    "name", ["first_name", "description", "external_id", "sender_number", "phone_number"]
)
def test_odd_characters_never_crash(name):
    for text in ("\x00", "\x07bell", "\ud800", "😀" * 60, "<script>", "'; --", "\u202e", "１２３"):
        str(form_with(**{name: text}).errors)
