"""JSON lines of where each registration stands."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registrations.core import clock
from registrations.models import ApiCall, Brand, Campaign, Registration
from registrations.models.choices import CallState
from registrations.operations import actions
from registrations.reporting.json_export import SIDS, STATUSES, as_dict, errors
from tests.customers import make_draft

pytestmark = pytest.mark.django_db


def run(*args) -> str:
    from io import StringIO

    out = StringIO()
    call_command("registrations", *args, stdout=out)
    return out.getvalue()


def lines(*args) -> list[dict]:
    return [json.loads(text) for text in run("--json", *args).splitlines()]


def test_a_draft():
    registration = make_draft()
    (found,) = lines()
    assert {key: found[key] for key in ("id", "external_id", "label", "stage", "waiting_for")} == {
        "id": registration.pk, "external_id": None, "label": "Ann Lee Nails", "stage": "draft", "waiting_for": "us",
    }  # fmt: skip
    assert (found["errors"], found["hold"], found["submitted"], found["next_run_at"]) == (
        [],
        False,
        False,
        None,
    )
    assert set(found["sids"]) == set(SIDS)
    assert set(found["sids"].values()) | set(found["statuses"].values()) == {""}
    assert found["reason"]


def test_every_sid_column_of_the_resources_is_exported():
    columns = {
        (part, field.name)
        for part in Registration.PARTS
        for field in Registration._meta.get_field(part).related_model._meta.concrete_fields
        if field.name == "sid" or field.name.endswith("_sid")
    }
    # The number's service is the campaign's; it is kept to see where Twilio has the number.
    assert set(SIDS.values()) == columns - {("phone_number", "service_sid")}


def test_statuses_errors_and_times_of_a_failed_registration():
    registration = make_draft()
    actions.submit(registration, actor="ann")
    Brand.objects.filter(registration=registration).update(
        sid="BN1", status="FAILED", identity_status="UNVERIFIED", tcr_id="B123",
        errors=[{"error_code": 30751, "description": "Not a mobile"}, {"code": 99999, "description": "New words"}],
    )  # fmt: skip
    Campaign.objects.filter(registration=registration).update(status="SOMETHING_NEW", service_sid="MG1")
    (found,) = lines("--id", str(registration.pk))
    assert found["statuses"] | {"profile": "", "trust_bundle": "", "number": ""} == {
        "brand": "FAILED", "identity": "UNVERIFIED", "campaign": "SOMETHING_NEW",
        "profile": "", "trust_bundle": "", "number": "",
    }  # fmt: skip
    assert set(found["statuses"]) == set(STATUSES)
    assert [(e["code"], e["message"], e["part"]) for e in found["errors"]] == [
        (30751, "Not a mobile", "brand"),
        (99999, "New words", "brand"),
    ]
    assert "mobile_phone_number" in found["errors"][0]["fields"]
    assert (found["sids"]["brand"], found["sids"]["service"], found["tcr_ids"]["brand"]) == (
        "BN1",
        "MG1",
        "B123",
    )
    assert found["submitted"] is True
    assert found["next_run_at"].endswith("Z")


def test_the_newest_refusal_of_a_call_counts_and_a_later_success_ends_it():
    registration = make_draft()
    when = clock.now()
    refused = {
        "registration": registration,
        "step": "brand.create",
        "state": CallState.REJECTED,
        "error_code": 21726,
    }
    ApiCall.objects.create(**refused, error_message="Disabled", started_at=when, finished_at=when)
    assert [e["code"] for e in lines()[0]["errors"]] == [21726]
    later = when + timedelta(seconds=5)
    ApiCall.objects.create(
        registration=registration,
        step="brand.create",
        state=CallState.OK,
        started_at=later,
        finished_at=later,
    )
    assert lines()[0]["errors"] == []


def test_streamed_lines_equal_single_ones():
    registration = make_draft()
    ApiCall.objects.create(
        registration=registration,
        step="brand.create",
        state=CallState.REJECTED,
        error_code=1,
        started_at=clock.now(),
    )
    registration = Registration.objects.get(pk=registration.pk)
    assert lines()[0]["errors"] == errors(registration) == as_dict(registration)["errors"] != []


def test_filters():
    first, second, third = (make_draft(label=name) for name in ("A", "B", "C"))
    Registration.objects.filter(pk=second.pk).update(stage="otp", waiting_for="customer")
    Registration.objects.filter(pk=third.pk).update(stage="live", waiting_for="nobody")
    assert [f["label"] for f in lines()] == ["A", "B", "C"]
    assert [f["label"] for f in lines("--stage", "otp", "--stage", "live")] == ["B", "C"]
    assert [f["label"] for f in lines("--waiting-for", "us")] == ["A"]
    assert [f["label"] for f in lines("--stage", "live", "--waiting-for", "us")] == []
    assert [f["label"] for f in lines("--id", str(first.pk), "--id", str(third.pk))] == ["A", "C"]


def test_queries_do_not_grow_with_the_registrations():
    counts = []
    for _ in range(2):
        for _ in range(3):
            make_draft()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            lines()
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 3


def test_the_table():
    registration = make_draft(label="Ann <Boston>")
    actions.hold(registration, reason="", actor="ann")
    text = run()
    assert "Ann <Boston>" in text
    assert "On hold" in text or "HOLD" in text
    assert "draft" in text
