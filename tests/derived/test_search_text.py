"""The column that a search looks at follows every change of what is in it."""

import pytest

from registrations import pipeline, search_text, verbs
from registrations.models import Brand, Registration
from tests.cases import make_case
from tests.factories import make_registration


def stored(case) -> list[str]:
    return Registration.objects.get(pk=case.pk).search_text.split("\n")


@pytest.mark.django_db
def test_a_new_case_is_found_by_its_names_phones_and_identifiers():
    case = make_case("Ann's  Näils", profile={"email": "Ann.Lee@HarborCrafts.com"})
    assert stored(case) == [
        "ann's nails",
        case.ref,
        "ann lee",
        "ann.lee@harborcrafts.com",
        "ann lee nails",
        "14155552671",
        "14155552672",
    ]


@pytest.mark.django_db
def test_an_edit_of_inputs_and_one_of_the_label_are_both_seen():
    case = make_case()
    verbs.edit(case, {"profile": {"last_name": "Poe"}}, actor="ann")
    assert "ann poe" in stored(case)
    assert "ann lee" not in stored(case)
    verbs.edit(case, {}, actor="ann", label="Poe's Nails", external_id="K-77")
    assert {"poe's nails", "k-77"} <= set(stored(case))


@pytest.mark.django_db
def test_what_twilio_gives_is_found_too():
    live = make_registration("live")
    assert {"b4nkp7q", "c7lm2xy", "14155550101"} <= set(stored(live))


@pytest.mark.django_db
def test_a_typed_sender_is_found_before_it_is_confirmed_but_no_sid_is_taken_for_a_phone():
    typed = make_case("Typed", phone_number={"sender_number": "+14155550111"})
    by_sid = make_case("By SID", phone_number={"sender_number": "PN" + "1" * 32})
    assert "14155550111" in stored(typed)
    assert not any("1" * 20 in line for line in stored(by_sid))


def test_the_worker_does_not_put_back_what_a_person_changed_while_it_worked(desk, monkeypatch):
    case = make_case()
    verbs.submit(case, actor="ann")
    run = pipeline._run

    def run_and_be_overtaken(pk, token):
        done = run(pk, token)
        Brand.objects.filter(registration_id=pk).update(tcr_id="BZZZZZ9")
        verbs.edit(pipeline.load(pk), {}, actor="bob", label="Renamed")
        return done

    monkeypatch.setattr(pipeline, "_run", run_and_be_overtaken)
    desk.advance(case.pk)
    assert {"renamed", "bzzzzz9"} <= set(stored(case))


@pytest.mark.parametrize(
    ("typed", "same"),
    [("  ANN   lee ", "ann lee"), ("ÉLAN", "elan"), ("Straße", "strasse"), ("Łódź", "łodz")],
)
def test_plain(typed, same):
    assert search_text.plain(typed) == same
