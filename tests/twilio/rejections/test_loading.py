"""Every kind of mistake in the catalogue is named by file, rejection and field, and takes nothing else down."""

from dataclasses import fields
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from registrations.management.commands import failure_table
from registrations.twilio import checks
from registrations.twilio.rejections import CATALOGUE, FAILURES, Failure
from registrations.twilio.rejections.loading import CATALOGUE_DIR, OWN, SHARED, Catalogue, load

START = """
heading = "Brand"
position = 1

[defaults]
area = "brand"
source = "Twilio facts, section 4.2"
"""
WHOLE = """
[[rejection]]
code = 30751
title = "Not a real mobile"
explanation = "It is a landline."
advice = "Ask for a mobile."
"""


@pytest.fixture
def read(tmp_path: Path):
    """Reads a catalogue of these files: brand.toml="…", number.toml="…"."""

    def read_files(**files: str) -> Catalogue:
        for name, text in files.items():
            (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        return load(tmp_path)

    return read_files


def rejection(**values: str) -> str:
    """A whole rejection with some fields written otherwise; "" leaves one out."""
    written = {
        "code": "30751",
        "title": '"Not a real mobile"',
        "explanation": '"It is a landline."',
        "advice": '"Ask for a mobile."',
        **values,
    }
    return "\n[[rejection]]\n" + "".join(f"{name} = {value}\n" for name, value in written.items() if value)


def test_our_own_catalogue_has_no_mistakes():
    assert CATALOGUE.mistakes == ()
    assert len(FAILURES) > 250
    assert len(CATALOGUE.sections) == len(list(CATALOGUE_DIR.glob("*.toml")))


def test_every_field_of_an_entry_can_be_written():
    assert {field.name for field in fields(Failure)} <= OWN.keys() | SHARED.keys()


def test_a_rejection_is_one_table(read):
    catalogue = read(brand=START + WHOLE)
    assert catalogue.mistakes == ()
    (failure,) = catalogue.failures
    assert (failure.key, failure.code, failure.area, failure.redo) == ("30751", 30751, "brand", ("support",))


def test_a_long_text_runs_over_several_lines(read):
    (failure,) = read(brand=START + rejection(advice='"""\nAsk for\n  a mobile."""')).failures
    assert failure.advice == "Ask for a mobile."


def test_own_fields_come_before_the_template_and_the_template_before_the_defaults(read):
    template = '\n[template.mobile]\nwho = "customer"\nfee = "brand"\nsource = "Of the template"\n'
    text = START + template + rejection(template='"mobile"', fee='"none"')
    (failure,) = read(brand=text).failures
    assert (failure.who, failure.fee, failure.source) == ("customer", "none", "Of the template")


def test_several_codes_with_the_same_words_are_an_entry_each(read):
    catalogue = read(brand=START + rejection(code="", codes="[20500, 20503]"))
    assert [(failure.code, failure.key) for failure in catalogue.failures] == [
        (20500, "20500"),
        (20503, "20503"),
    ]


def test_a_subject_takes_its_place_in_the_texts_of_a_template(read):
    template = '\n[template.forbidden]\ntitle = "Not allowed: {subject}"\n'
    text = START + template + rejection(template='"forbidden"', title="", subject='"firearms"')
    assert read(brand=text).failures[0].title == "Not allowed: firearms"


def test_sections_come_in_the_order_of_their_positions(read):
    catalogue = read(
        a=START.replace("position = 1", "position = 2") + WHOLE, b=START + rejection(code="30752")
    )
    assert [section.name for section in catalogue.sections] == ["b", "a"]


ENTRY_MISTAKES = {
    "unknown field": (rejection(advise='"Ask."'), "30751: advise: is unknown; did you mean 'advice'?"),
    "field nowhere near": (rejection(xyz="1"), "30751: xyz: is unknown; known are advice, area, certain,"),
    "no title": (rejection(title=""), "30751: title: is missing"),
    "no explanation": (rejection(explanation=""), "30751: explanation: is missing"),
    "no advice": (rejection(advice=""), "30751: advice: is missing"),
    "empty advice": (rejection(advice='" "'), "30751: advice: must be a text that is not empty"),
    "text that is a number": (rejection(title="5"), "30751: title: must be a text that is not empty"),
    "unknown step": (
        rejection(redo='["end_user", "brand_updat"]'),
        "30751: redo: 'brand_updat' is unknown; did you mean 'brand_update'?",
    ),
    "no steps": (rejection(redo="[]"), "30751: redo: must be a list that is not empty"),
    "steps that are no list": (rejection(redo='"support"'), "30751: redo: must be a list that is not empty"),
    "a step twice": (rejection(redo='["support", "support"]'), "30751: redo: names the same thing twice"),
    "a step that is a table": (rejection(redo="[{a = 1}]"), "30751: redo: {'a': 1} is unknown; known are"),
    "unknown input": (
        rejection(fields='["mobile_phone"]'),
        "30751: fields: 'mobile_phone' is unknown; did you mean 'mobile_phone_number'?",
    ),
    "unknown area": (rejection(area='"brands"'), "30751: area: 'brands' is unknown; did you mean 'brand'?"),
    "unknown fee": (rejection(fee='"free"'), "30751: fee: 'free' is unknown; known are brand,"),
    "unknown who": (rejection(who='"them"'), "30751: who: 'them' is unknown; known are customer, twilio, us"),
    "unknown resubmittable": (
        rejection(resubmittable="true"),
        "30751: resubmittable: True is unknown; known",
    ),
    "certain in words": (rejection(certain='"no"'), "30751: certain: must be true or false"),
    "code in words": (rejection(code='"30751"'), "30751: code: must be a number above 0"),
    "code that is a flag": (rejection(code="true"), "True: code: must be a number above 0"),
    "no code and no key": (
        rejection(code=""),
        "rejection 1 of the file: code: is missing; a rejection without a code needs a key",
    ),
    "code and codes": (rejection(codes="[20500]"), "30751: codes: cannot be given together with code"),
    "code and key": (rejection(key='"x"'), "x: key: the code is the key, unless when_inputs is given"),
    "a second meaning without a key": (
        rejection(when_inputs='["email"]'),
        "30751: when_inputs: needs a code and a key of its own",
    ),
    "a second meaning without a first": (
        rejection(key='"30751_email"', when_inputs='["email"]'),
        "30751_email: when_inputs: no rejection has the code 30751 for other inputs",
    ),
    "state without a part": (rejection(states='["FAILED"]'), "30751: states: 'FAILED' must be part:word"),
    "state of an unknown part": (rejection(states='["brnd:FAILED"]'), "30751: states: 'brnd:FAILED' must be"),
    "unknown template": (rejection(template='"mobile"'), "30751: template: 'mobile' is unknown"),
    "subject without a place": (
        rejection(subject='"firearms"'),
        "30751: subject: is given, but no text contains {subject}",
    ),
    "place without a subject": (
        rejection(title='"No {subject}"'),
        "30751: subject: is missing; the texts contain {subject}",
    ),
    "other placeholder": (rejection(title='"No {name}"'), "30751: title: contains a brace"),
}


@pytest.mark.parametrize(("text", "expected"), ENTRY_MISTAKES.values(), ids=ENTRY_MISTAKES)
def test_a_mistake_in_a_rejection_costs_that_rejection_alone(read, text, expected):
    catalogue = read(brand=START + text + rejection(code="30790"))
    (mistake,) = catalogue.mistakes
    assert str(mistake).startswith(f"brand.toml: {expected}")
    assert [failure.key for failure in catalogue.failures] == ["30790"]


FILE_MISTAKES = {
    "no TOML": ("[[rejection]", "brand.toml: cannot be read: "),
    "unknown table": (START + "[defualts]\n", "brand.toml: defualts: is unknown; did you mean 'defaults'?"),
    "no heading": (START.replace('heading = "Brand"', ""), "brand.toml: heading: is missing"),
    "no position": (START.replace("position = 1", ""), "brand.toml: position: is missing"),
    "unknown default": (START + 'colour = "red"\n', "brand.toml: defaults: colour: is unknown; known are"),
    "a default code": (START + "code = 1\n", "brand.toml: defaults: code: belongs to a single rejection"),
    "bad default": (START + 'who = "them"\n', "brand.toml: defaults: who: 'them' is unknown"),
    "bad template": (
        START + '[template.a]\nredo = ["x"]\n' + rejection(template='"a"'),
        "brand.toml: template a: redo: 'x' is unknown",
    ),
    "unused template": (START + '[template.a]\nwho = "us"\n', "brand.toml: template a: no rejection uses it"),
    "templates that are no tables": (
        "template = 1\n" + START,
        "brand.toml: template: must be written as [template.x]",
    ),
    "one template that is no table": (
        START + "[template]\na = 1\n" + rejection(template='"a"'),
        "brand.toml: template a: must be a table",
    ),
    "one rejection in single brackets": (
        START + "[rejection]\ncode = 1\n",
        "brand.toml: rejection: must be written as [[rejection]]",
    ),
}


@pytest.mark.parametrize(("text", "expected"), FILE_MISTAKES.values(), ids=FILE_MISTAKES)
def test_a_mistake_in_a_file_is_named_and_other_files_are_read(read, text, expected):
    other = START.replace("position = 1", "position = 2") + rejection(code="30790")
    catalogue = read(brand=text, other=other)
    (mistake,) = catalogue.mistakes
    assert str(mistake).startswith(expected)
    assert [failure.key for failure in catalogue.failures] == ["30790"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({}, {}, "30751: code: 30751 is already in a.toml"),
        ({}, {"code": "", "codes": "[30790, 30751]"}, "30751: code: 30751 is already in a.toml"),
        (
            {"code": "", "key": '"x"'},
            {"code": "", "key": '"x"'},
            "x: key: x is already in a.toml",
        ),
        (
            {"texts": '["Email is invalid"]'},
            {"code": "30790", "texts": '["email is invalid"]'},
            "30790: texts: email is invalid is already in a.toml",
        ),
        (
            {"states": '["brand:FAILED"]'},
            {"code": "30790", "states": '["brand:failed"]'},
            "30790: states: brand:failed is already in a.toml",
        ),
    ],
)
def test_two_rejections_cannot_claim_the_same(read, first, second, expected):
    later = START.replace("position = 1", "position = 2")
    catalogue = read(a=START + rejection(**first), b=later + rejection(**second))
    assert [str(mistake) for mistake in catalogue.mistakes] == [f"b.toml: {expected}"]


def test_two_files_cannot_have_the_same_position(read):
    catalogue = read(a=START + WHOLE, b=START + rejection(code="30790"))
    assert [str(mistake) for mistake in catalogue.mistakes] == ["b.toml: position: a.toml has the same"]


def test_a_folder_without_files_is_a_mistake(tmp_path):
    (mistake,) = load(tmp_path / "moved").mistakes
    assert "no .toml file" in str(mistake)


def test_mistakes_are_errors_of_manage_py_check(read, monkeypatch):
    assert checks.rejection_catalogue(None) == []
    monkeypatch.setattr(checks, "CATALOGUE", read(brand=START + rejection(advice="")))
    (error,) = checks.rejection_catalogue(None)
    assert error.id == "registrations.E014"
    assert error.msg == "brand.toml: 30751: advice: is missing"
    assert error.is_serious()


def test_no_page_is_written_from_a_catalogue_with_mistakes(read, monkeypatch):
    monkeypatch.setattr(failure_table, "CATALOGUE", read(brand=START + rejection(advice="")))
    with pytest.raises(CommandError, match="advice: is missing"):
        call_command("failure_table")
