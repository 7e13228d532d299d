"""A stand of its own: one registration at Twilio, and scans and acts as the worker runs them."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from registrations.core import clock
from registrations.models import Finding, Registration, Scan
from registrations.models.choices import Stage
from registrations.operations import actions, reconciliation
from registrations.operations.reconciliation import compare
from registrations.twilio.client import TwilioClient, get_client
from registrations.workflow.runner import runner
from tests.conftest import Harness
from tests.customers import make_draft

AUTO_YES = "+14155559999"  # docs/sandbox.md: answers YES by itself


@dataclass
class Account:
    harness: Harness

    @property
    def client(self) -> TwilioClient:
        return get_client()

    def registration(self, until: str = "", label: str = "Ann Lee Nails", **parts) -> Registration:
        """A submitted registration, held when it has reached the stage `until` (empty: live)."""
        parts.setdefault("trust_bundle", {"mobile_phone_number": AUTO_YES})
        registration = make_draft(label, **parts)
        actions.submit(registration, actor="ann")
        registration = self.harness.run(
            registration.pk, until=lambda registration: registration.stage == until
        )
        assert registration.stage == (until or Stage.LIVE), registration.reason
        return registration

    def scan(self) -> Scan:
        scan = reconciliation.scan.request(actor="ann", enqueue=False)
        assert reconciliation.scan.run(scan.pk)
        scan.refresh_from_db()
        return scan

    def found(self) -> list[tuple[str, str, str]]:
        """What is unsettled: (what, kind, action)."""
        rows = Finding.objects.exclude(state="done").order_by("finding_type", "resource_type", "id")
        return [(row.finding_type, row.resource_type, row.action) for row in rows]

    def run_action(self, finding: Finding) -> Finding:
        assert reconciliation.actions.request(finding, actor="ann", enqueue=False)
        assert reconciliation.actions.run(finding.pk)
        finding.refresh_from_db()
        return finding

    def only(self, **fields) -> Finding:
        return Finding.objects.exclude(state="done").get(**fields)


@pytest.fixture
def account(harness, monkeypatch) -> Account:
    # Recent is what was made within the last 15 minutes; these tests do not wait that long.
    monkeypatch.setattr(compare, "RECENT_SECONDS", -3600.0)
    return Account(harness)


@pytest.fixture
def finished(account):
    """finished(registration): its last call is long past, as for any registration that nobody works on."""

    def age(registration: Registration) -> Registration:
        registration.api_calls.update(finished_at=clock.now() - timedelta(hours=1))
        return runner.load(registration.pk)

    return age
