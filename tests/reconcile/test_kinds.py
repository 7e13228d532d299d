"""The table of Twilio's kinds of objects, against the step table."""

from registrations import pipeline
from registrations.reconcile import inventory, kinds
from registrations.steps import ROWS, Write
from tests.cases import make_case


def test_every_named_object_of_the_step_table_has_a_slot(db):
    case = pipeline.load(make_case().pk)
    for row in ROWS:
        if isinstance(row, Write) and row.sid_field and not row.repair:
            basis = row.basis(case)
            if "friendly_name" not in basis:
                continue
            slot = kinds.SLOT_OF_STEP[row.slug]
            name = kinds.read_name(slot.kind, basis["friendly_name"])
            assert name, row.slug
            assert (name.ref, name.generation, name.slot) == (case.ref, 1, slot)


def test_every_step_to_redo_exists():
    for slot in kinds.SLOTS:
        assert len(slot.rows) == 1 + len(slot.redo), slot.step


def test_times_of_both_apis():
    iso = inventory._moment("2026-11-23T10:00:00Z")
    rfc = inventory._moment("Mon, 23 Nov 2026 10:00:00 +0000")
    assert iso == rfc
    assert iso is not None
    assert inventory._moment("soon") is inventory._moment(None) is None
