"""The search text follows every change of the values in it."""

import pytest

from registrations.models import Brand, Registration
from registrations.operations import actions
from registrations.workflow.recorder import read_models
from registrations.workflow.runner import runner
from tests.customers import make_draft
from tests.factories import make_registration


def stored(registration) -> list[str]:
    return Registration.objects.get(pk=registration.pk).search_text.split("\n")


@pytest.mark.django_db
def test_a_new_registration_is_found_by_its_names_phones_and_identifiers():
    registration = make_draft("Ann's  Näils", profile={"email": "Ann.Lee@HarborCrafts.com"})
    assert stored(registration) == [
        "ann's nails",
        registration.ref,
        "ann lee",
        "ann.lee@harborcrafts.com",
        "ann lee nails",
        "14155552671",
        "14155552672",
    ]


@pytest.mark.django_db
def test_an_edit_of_inputs_and_one_of_the_label_are_both_seen():
    registration = make_draft()
    actions.edit(registration, {"profile": {"last_name": "Poe"}}, actor="ann")
    assert "ann poe" in stored(registration)
    assert "ann lee" not in stored(registration)
    actions.edit(registration, {}, actor="ann", label="Poe's Nails", external_id="K-77")
    assert {"poe's nails", "k-77"} <= set(stored(registration))


@pytest.mark.django_db
def test_what_twilio_gives_is_found_too():
    live = make_registration("live")
    assert {"b4nkp7q", "c7lm2xy", "14155550101"} <= set(stored(live))


@pytest.mark.django_db
def test_a_typed_sender_is_found_before_it_is_confirmed_but_no_sid_is_taken_for_a_phone():
    typed = make_draft("Typed", phone_number={"sender_number": "+14155550111"})
    by_sid = make_draft("By SID", phone_number={"sender_number": "PN" + "1" * 32})
    assert "14155550111" in stored(typed)
    assert not any("1" * 20 in line for line in stored(by_sid))


def test_the_worker_does_not_put_back_what_a_person_changed_while_it_worked(harness, monkeypatch):
    registration = make_draft()
    actions.submit(registration, actor="ann")
    run_steps = runner._run

    def run_and_be_overtaken(pk, token):
        done = run_steps(pk, token)
        Brand.objects.filter(registration_id=pk).update(tcr_id="BZZZZZ9")
        actions.edit(runner.load(pk), {}, actor="bob", label="Renamed")
        return done

    monkeypatch.setattr(runner, "_run", run_and_be_overtaken)
    harness.advance(registration.pk)
    assert {"renamed", "bzzzzz9"} <= set(stored(registration))


@pytest.mark.parametrize(
    ("typed", "same"),
    [("  ANN   lee ", "ann lee"), ("ÉLAN", "elan"), ("Straße", "strasse"), ("Łódź", "łodz")],
)
def test_plain(typed, same):
    assert read_models.normalize(typed) == same
