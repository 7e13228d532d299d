"""manage.py reconcile as a shell sees it: what it prints, what it leaves alone, and its exit status."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from registrations.core import clock
from registrations.models import Scan
from registrations.operations import reconciliation
from tests.customers import make_draft
from tests.operations.reconciliation.conftest import account
from tests.operations.reconciliation.test_scan import ADDRESS, end_user, retire

__all__ = ["account"]


def run(*args: str) -> tuple[int, str]:
    out, status = StringIO(), 0
    try:
        call_command("reconcile", *args, stdout=out)
    except SystemExit as leave:
        status = int(str(leave.code))
    return status, out.getvalue()


def test_nothing_to_say(account):
    assert run() == (0, "4 objects read, 0 open findings.\n")
    assert run("--json") == (0, "")


def test_findings_are_printed_and_nothing_is_changed(account):
    registration = make_draft()
    sid = end_user(account, registration.friendly_name("person", 2))
    row = retire(registration, "end_user", end_user(account, registration.friendly_name("person")))
    before = len(account.harness.writes())
    status, out = run()
    assert status == 1
    assert sid in out
    assert row.sid in out
    assert out.endswith("2 open findings.\n")
    status, out = run("--json")
    found = [json.loads(text) for text in out.splitlines()]
    assert [(item["what"], item["sid"], item["registration"]) for item in found] == [
        ("orphan", sid, registration.pk),
        ("retired", row.sid, registration.pk),
    ]
    assert len(account.harness.writes()) == before


def test_only_retired_objects_are_deleted_and_in_an_order_that_works(account):
    registration = make_draft()
    address = account.client.create_address(friendly_name=registration.friendly_name("address"), **ADDRESS)[
        "sid"
    ]
    document = account.client.create_supporting_document(
        friendly_name=registration.friendly_name("document"),
        type="customer_profile_address",
        attributes={"address_sids": address},
    )["sid"]
    orphan = end_user(account, registration.friendly_name("person", 2))
    for kind, sid in (("supporting_document", document), ("address", address)):
        retire(registration, kind, sid)
    status, out = run("--fix-retired")
    assert (status, document in out, address in out, orphan in out) == (1, False, False, True)
    state = str(account.harness.get("state"))
    assert (document in state, address in state, orphan in state) == (False, False, True)


def test_what_may_be_under_way_does_not_count(account, monkeypatch):
    monkeypatch.setattr("registrations.operations.reconciliation.compare.RECENT_SECONDS", 15 * 60 / 0.001)
    sid = end_user(account, make_draft().friendly_name("person"))
    status, out = run()
    assert (status, sid in out, "in progress" in out) == (0, True, True)


def test_a_failed_or_a_second_scan_is_another_status(account, monkeypatch):
    monkeypatch.setattr("registrations.management.commands.reconcile.pause", lambda seconds: None)
    account.harness.fault(method="GET", path="EndUsers", action="503", times=0)
    with pytest.raises(CommandError, match="503") as failed:
        run()
    assert failed.value.returncode == 2
    reconciliation.scan.request(actor="ann", enqueue=False)
    Scan.objects.update(lease_until=clock.now() + reconciliation.scan.LEASE)
    with pytest.raises(CommandError, match="Another scan"):
        run()
