"""Similar failures: how they are grouped, what a changed text does to each, and the batch that applies it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registrations import groups, pipeline, verbs
from registrations.groups import Change, Key
from registrations.models import OpenProblem, Registration
from registrations.open_problems import input_key, input_text
from registrations.states import ItemState, Stage
from tests.factories import make_registration

from .conftest import done, outcomes, prepared

pytestmark = pytest.mark.django_db
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


def edit(cases, change: Change, **revisions: int) -> dict:
    seen = {str(case.pk): revisions.get(f"r{case.pk}", case.revision) for case in cases}
    return {"field": change.field, "text": change.text, "find": change.find, "revisions": seen}


def test_cases_with_one_text_are_one_group():
    alike = [refused("A"), refused("B"), refused("C", flow=f"  {FLOW.upper()} ")]
    refused("Other text", flow="Something that is quite different from what the others have written here.")
    refused("Other code", code=30908)
    [group] = groups.groups()
    assert (group.count, group.key.code, group.key.field) == (3, 30909, "message_flow")
    assert group.key.alike == input_key(FLOW)
    assert set(group.key.cases()) == set(alike)
    assert group.sample == alike[0].pk
    assert group.key.editable


def test_by_reason_alone_all_are_listed():
    refused("A")
    refused("B", flow="Something that is quite different from what the others have written here.")
    refused("C", code=30908)
    found = {group.key.code: group for group in groups.groups(1, alike=False)}
    assert {code: group.count for code, group in found.items()} == {30909: 2, 30908: 1}
    assert found[30909].key.cases().count() == 2


def test_what_has_no_code_is_grouped_by_its_title(db):
    cases = [make_registration(label=f"Case {n}") for n in range(3)]
    for case, title in zip(cases, ("One", "One", "Two"), strict=True):
        OpenProblem.objects.create(registration=case, part="brand", title=title, since=case.created_at)
    [group] = groups.groups()
    assert group.key == Key("brand", None, "One", "", "")
    assert set(group.key.cases()) == set(cases[:2])
    assert not group.key.editable


def test_grouping_costs_one_query_and_samples_one():
    for n in range(4):
        refused(f"Case {n}")
    with CaptureQueriesContext(connection) as seen:
        found = groups.groups()
        shown = groups.samples(group.sample for group in found)
        assert input_text(shown[found[0].sample], "message_flow") == FLOW
    assert len(seen) == 2


class TestChange:
    def test_the_whole_text_or_some_words(self):
        case = refused("Rose", brand="Rose's Nails")
        assert Change("message_flow", "New.").applied(case) == "New."
        assert Change("message_flow", "by form", "by hand").applied(case) == FLOW.replace(
            "by hand", "by form"
        )
        assert Change("message_flow", "x", "not in it").applied(case) == FLOW
        assert Change("message_flow", "Join {brand}.").applied(case) == "Join Rose's Nails."

    def test_a_sample_is_one_of_a_list(self):
        case = make_registration()
        first, second = case.campaign.message_samples
        assert Change("message_sample_2", "New").parts(case) == {
            "campaign": {"message_samples": [first, "New"]}
        }
        assert Change("message_sample_3", "New").parts(case) == {
            "campaign": {"message_samples": [first, second, "New"]}
        }

    def test_every_text_can_be_read_and_changed(self):
        case = make_registration()
        for field in groups.TEXTS:
            text = "https://annlee.example.com/new" if field.endswith("_url") else f"New text for {field}."
            verbs.edit(case, Change(field, text).parts(pipeline.load(case.pk)), actor="ann")
            after = pipeline.load(case.pk)
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
        pieces = groups.difference(old, new)
        assert [piece.kind for piece in pieces] == kinds
        assert "".join(piece.text for piece in pieces if piece.kind != "ins") == old
        assert "".join(piece.text for piece in pieces if piece.kind != "del") == new


class TestBatch:
    def test_edits_and_submits_each(self, ann):
        cases = [refused("A"), refused("B")]
        batch = done("group_edit", cases, ann, **edit(cases, Change("message_flow", BETTER)))
        assert {row[0] for row in outcomes(batch).values()} == {ItemState.DONE}, outcomes(batch)
        for case in cases:
            after = pipeline.load(case.pk)
            assert after.campaign.message_flow == BETTER
            assert after.is_submitted
            assert after.submitted_batch == batch
            assert [*after.events.values_list("tag", flat=True)[:2]] == ["submitted", "edited"]

    def test_the_dry_run_knows_the_fee_and_writes_nothing(self, ann):
        cases = [refused("A")]
        batch = prepared("group_edit", cases, ann, **edit(cases, Change("message_flow", BETTER)))
        item = batch.items.get()
        assert (item.state, item.fee) == (ItemState.WILL, 15)
        case = pipeline.load(cases[0].pk)
        assert (case.campaign.message_flow, case.revision) == (FLOW, cases[0].revision)

    def test_edited_after_the_preview_is_passed_over(self, ann):
        early, late, free = refused("Early"), refused("Late"), refused("Free")
        params = edit([early, late, free], Change("message_flow", BETTER))
        verbs.edit(early, {"profile": {"city": "Salem"}}, actor="bo")
        batch = prepared("group_edit", [early, late, free], ann, **params)
        assert outcomes(batch)["Early"] == (ItemState.SKIPPED, "Somebody has edited it since the preview.")
        verbs.edit(late, {"profile": {"city": "Salem"}}, actor="bo")
        after = done_from(batch, ann)
        assert after["Late"] == (ItemState.SKIPPED, "Somebody has edited it since the preview.")
        assert after["Free"][0] == ItemState.DONE
        assert pipeline.load(late.pk).campaign.message_flow == FLOW

    def test_what_is_passed_over(self, ann):
        held, same, strange = refused("Held"), refused("Same"), refused("Strange")
        verbs.hold(held, reason="x", actor="bo")
        params = edit([held, same], Change("message_flow", FLOW))
        rows = outcomes(prepared("group_edit", [held, same, strange], ann, **params))
        assert rows == {
            "Held": (ItemState.SKIPPED, "It is on hold. Release it first."),
            "Same": (ItemState.SKIPPED, "The text is like that already."),
            "Strange": (ItemState.SKIPPED, "Somebody has edited it since the preview."),
        }

    def test_the_pre_flight_is_asked_with_the_new_text(self, ann):
        case = refused("A", brand="Zebra Tiles")
        flow, sample = (
            Change("message_flow", BETTER),
            Change("message_sample_1", "{brand}: see you. Reply STOP to opt out."),
        )
        for change, state in ((flow, ItemState.SKIPPED), (sample, ItemState.WILL)):
            rows = outcomes(prepared("group_edit", [case], ann, **edit([case], change)))
            assert rows["A"][0] == state, rows
            assert rows["A"][1].startswith("The pre-flight stops it: ") == (state == ItemState.SKIPPED)

    def test_other_reasons_are_said(self, ann):
        case = refused("A", code=30886, field="USE_CASE_DESCRIPTION")
        rows = outcomes(prepared("group_edit", [case], ann, **edit([case], Change("message_flow", BETTER))))
        assert "Not mended by this: " in rows["A"][1]


def done_from(batch, user) -> dict[str, tuple[str, str]]:
    from registrations import batches

    batches.confirm(batch, user=user)
    batches.advance(batch.pk)
    return outcomes(batch)
