"""The table of Twilio's kinds of objects, against the step table."""

from registrations.operations.reconciliation import remote_inventory, resource_types
from registrations.workflow.runner import runner
from registrations.workflow.steps import STEPS, Write
from tests.customers import make_draft


def test_every_named_object_of_the_step_table_has_a_slot(db):
    registration = runner.load(make_draft().pk)
    for row in STEPS:
        if isinstance(row, Write) and row.sid_field and not row.repair:
            request_params = row.request_params(registration)
            if "friendly_name" not in request_params:
                continue
            slot = resource_types.SLOT_OF_STEP[row.slug]
            name = resource_types.read_name(slot.resource_type, request_params["friendly_name"])
            assert name, row.slug
            assert (name.ref, name.generation, name.slot) == (registration.ref, 1, slot)


def test_every_step_to_redo_exists():
    for slot in resource_types.SLOTS:
        assert len(slot.writes) == 1 + len(slot.redo), slot.step


def test_times_of_both_apis():
    iso = remote_inventory._parse_time("2026-11-23T10:00:00Z")
    rfc = remote_inventory._parse_time("Mon, 23 Nov 2026 10:00:00 +0000")
    assert iso == rfc
    assert iso is not None
    assert remote_inventory._parse_time("soon") is remote_inventory._parse_time(None) is None
