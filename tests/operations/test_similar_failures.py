"""Similar failures: how they are grouped, what a changed text does to each, and the batch that applies it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registrations.models import OpenProblem, Registration
from registrations.models.choices import ItemState, Stage
from registrations.operations import actions, similar_failures
from registrations.operations.similar_failures import Change, Key
from registrations.workflow.recorder.read_models import input_digest, input_text
from registrations.workflow.runner import runner
from tests.factories import make_registration
from tests.operations.bulk.conftest import ann, done, outcomes, prepared

pytestmark = pytest.mark.django_db
__all__ = ["ann"]
FLOW = "Clients join by telling us so, and we add them to the list by hand afterwards."
BETTER = (
    "Clients tick an unticked box on https://annlee.example.com/book to get reminders. Reply STOP to opt out. "
    "Message and data rates may apply. Message frequency varies."
)


def refused(
    label: str,
    flow: str = FLOW,
    code: int = 30909,
    field: str = "MESSAGE_FLOW",
    brand: str = "Ann Lee Nails",
) -> Registration:
    """A campaign that Twilio refused because of one input."""
    n = Registration.objects.count()
    parts = {
        "campaign": {"message_flow": flow},
        "trust_bundle": {"mobile_phone_number": f"+1415555{2600 + n}", "brand_name": brand},
        "profile": {"email": f"c{n}@example.org", "street": f"{n + 1} Main St"},
    }
    errors = [{"error_code": code, "description": "Opt-in", "fields": [field], "url": ""}]
    answer = {"campaign_status": "FAILED", "errors": errors}
    return make_registration(Stage.CAMPAIGN, label=label, answer=answer, parts=parts)


def edit(registrations, change: Change, **revisions: int) -> dict:
    seen = {
        str(registration.pk): revisions.get(f"r{registration.pk}", registration.revision)
        for registration in registrations
    }
    return {"field": change.field, "text": change.text, "find": change.find, "revisions": seen}


def test_registrations_with_one_text_are_one_group():
    alike = [refused("A"), refused("B"), refused("C", flow=f"  {FLOW.upper()} ")]
    refused("Other text", flow="Something that is quite different from what the others have written here.")
    refused("Other code", code=30908)
    [group] = similar_failures.groups()
    assert (group.count, group.key.code, group.key.field) == (3, 30909, "message_flow")
    assert group.key.alike == input_digest(FLOW)
    assert set(group.key.registrations()) == set(alike)
    assert group.sample == alike[0].pk
    assert group.key.editable


def test_by_reason_alone_all_are_listed():
    refused("A")
    refused("B", flow="Something that is quite different from what the others have written here.")
    refused("C", code=30908)
    found = {group.key.code: group for group in similar_failures.groups(1, alike=False)}
    assert {code: group.count for code, group in found.items()} == {30909: 2, 30908: 1}
    assert found[30909].key.registrations().count() == 2


def test_what_has_no_code_is_grouped_by_its_title(db):
    registrations = [make_registration(label=f"Registration {n}") for n in range(3)]
    for registration, title in zip(registrations, ("One", "One", "Two"), strict=True):
        OpenProblem.objects.create(
            registration=registration, part="brand", title=title, since=registration.created_at
        )
    [group] = similar_failures.groups()
    assert group.key == Key("brand", None, "One", "", "")
    assert set(group.key.registrations()) == set(registrations[:2])
    assert not group.key.editable


def test_grouping_costs_one_query_and_samples_one():
    for n in range(4):
        refused(f"Registration {n}")
    with CaptureQueriesContext(connection) as seen:
        found = similar_failures.groups()
        shown = similar_failures.samples(group.sample for group in found)
        assert input_text(shown[found[0].sample], "message_flow") == FLOW
    assert len(seen) == 2


class TestChange:
    def test_the_whole_text_or_some_words(self):
        registration = refused("Rose", brand="Rose's Nails")
        assert Change("message_flow", "New.").applied(registration) == "New."
        assert Change("message_flow", "by form", "by hand").applied(registration) == FLOW.replace(
            "by hand", "by form"
        )
        assert Change("message_flow", "x", "not in it").applied(registration) == FLOW
        assert Change("message_flow", "Join {brand}.").applied(registration) == "Join Rose's Nails."

    def test_a_sample_is_one_of_a_list(self):
        registration = make_registration()
        first, second = registration.campaign.message_samples
        assert Change("message_sample_2", "New").parts(registration) == {
            "campaign": {"message_samples": [first, "New"]}
        }
        assert Change("message_sample_3", "New").parts(registration) == {
            "campaign": {"message_samples": [first, second, "New"]}
        }

    def test_every_text_can_be_read_and_changed(self):
        registration = make_registration()
        for field in similar_failures.TEXTS:
            text = "https://annlee.example.com/new" if field.endswith("_url") else f"New text for {field}."
            actions.edit(registration, Change(field, text).parts(runner.load(registration.pk)), actor="ann")
            after = runner.load(registration.pk)
            assert text in (input_text(after, field), *after.campaign.message_samples), field

    @pytest.mark.parametrize(
        ("old", "new", "kinds"),
        [
            ("a b c", "a b c", [""]),
            ("", "a b", ["ins"]),
            ("a b", "", ["del"]),
            ("a b c", "a x c", ["", "del", "ins", ""]),
            ("a b c d", "a x y d", ["", "del", "ins", ""]),
            ("one. two", "one, two", ["", "del", "ins", ""]),
        ],
    )
    def test_difference(self, old, new, kinds):
        pieces = similar_failures.difference(old, new)
        assert [piece.kind for piece in pieces] == kinds
        assert "".join(piece.text for piece in pieces if piece.kind != "ins") == old
        assert "".join(piece.text for piece in pieces if piece.kind != "del") == new


class TestBatch:
    def test_edits_and_submits_each(self, ann):
        registrations = [refused("A"), refused("B")]
        batch = done("group_edit", registrations, ann, **edit(registrations, Change("message_flow", BETTER)))
        assert {row[0] for row in outcomes(batch).values()} == {ItemState.DONE}, outcomes(batch)
        for registration in registrations:
            after = runner.load(registration.pk)
            assert after.campaign.message_flow == BETTER
            assert after.is_submitted
            assert after.submitted_batch == batch
            assert [*after.events.values_list("tag", flat=True)[:2]] == ["submitted", "edited"]

    def test_the_dry_run_knows_the_fee_and_writes_nothing(self, ann):
        registrations = [refused("A")]
        batch = prepared(
            "group_edit", registrations, ann, **edit(registrations, Change("message_flow", BETTER))
        )
        item = batch.items.get()
        assert (item.state, item.fee) == (ItemState.WILL, 15)
        registration = runner.load(registrations[0].pk)
        assert (registration.campaign.message_flow, registration.revision) == (
            FLOW,
            registrations[0].revision,
        )

    def test_edited_after_the_preview_is_skipped(self, ann):
        early, late, free = refused("Early"), refused("Late"), refused("Free")
        params = edit([early, late, free], Change("message_flow", BETTER))
        actions.edit(early, {"profile": {"city": "Salem"}}, actor="bo")
        batch = prepared("group_edit", [early, late, free], ann, **params)
        assert outcomes(batch)["Early"] == (ItemState.SKIPPED, "It was edited since the preview.")
        actions.edit(late, {"profile": {"city": "Salem"}}, actor="bo")
        after = done_from(batch, ann)
        assert after["Late"] == (ItemState.SKIPPED, "It was edited since the preview.")
        assert after["Free"][0] == ItemState.DONE
        assert runner.load(late.pk).campaign.message_flow == FLOW

    def test_what_is_skipped(self, ann):
        held, same, strange = refused("Held"), refused("Same"), refused("Strange")
        actions.hold(held, reason="x", actor="bo")
        params = edit([held, same], Change("message_flow", FLOW))
        rows = outcomes(prepared("group_edit", [held, same, strange], ann, **params))
        assert rows == {
            "Held": (ItemState.SKIPPED, "It is on hold. Release it first."),
            "Same": (ItemState.SKIPPED, "It already has this text."),
            "Strange": (ItemState.SKIPPED, "It was edited since the preview."),
        }

    def test_the_pre_flight_is_asked_with_the_new_text(self, ann):
        registration = refused("A", brand="Zebra Tiles")
        flow, sample = (
            Change("message_flow", BETTER),
            Change("message_sample_1", "{brand}: see you. Reply STOP to opt out."),
        )
        for change, state in ((flow, ItemState.SKIPPED), (sample, ItemState.WILL)):
            rows = outcomes(prepared("group_edit", [registration], ann, **edit([registration], change)))
            assert rows["A"][0] == state, rows
            assert rows["A"][1].startswith("Blocked by pre-flight: ") == (state == ItemState.SKIPPED)

    def test_other_reasons_are_said(self, ann):
        registration = refused("A", code=30886, field="USE_CASE_DESCRIPTION")
        rows = outcomes(
            prepared(
                "group_edit", [registration], ann, **edit([registration], Change("message_flow", BETTER))
            )
        )
        assert "This does not fix: " in rows["A"][1]


def done_from(batch, user) -> dict[str, tuple[str, str]]:
    from registrations.operations import bulk

    bulk.confirm(batch, user=user)
    bulk.advance(batch.pk)
    return outcomes(batch)
