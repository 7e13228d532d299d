"""A stand of its own: one case at Twilio, and scans and acts as the worker runs them."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from registrations import clock, pipeline, reconcile, verbs
from registrations.gateway import Gateway, get_gateway
from registrations.models import Finding, Registration, Scan
from registrations.reconcile import judge
from registrations.states import Stage
from tests.cases import make_case
from tests.conftest import Desk

AUTO_YES = "+14155559999"  # docs/sandbox.md: answers YES by itself


@dataclass
class House:
    desk: Desk

    @property
    def gateway(self) -> Gateway:
        return get_gateway()

    def case(self, until: str = "", label: str = "Ann Lee Nails", **parts) -> Registration:
        """A submitted case, held when it has reached the stage `until` (empty: live)."""
        parts.setdefault("trust_bundle", {"mobile_phone_number": AUTO_YES})
        case = make_case(label, **parts)
        verbs.submit(case, actor="ann")
        case = self.desk.run(case.pk, until=lambda case: case.stage == until)
        assert case.stage == (until or Stage.LIVE), case.reason
        return case

    def scan(self) -> Scan:
        scan = reconcile.scan.ask(actor="ann", ring=None)
        assert reconcile.scan.run(scan.pk)
        scan.refresh_from_db()
        return scan

    def found(self) -> list[tuple[str, str, str]]:
        """What is unsettled: (what, kind, action)."""
        rows = Finding.objects.exclude(state="done").order_by("what", "kind", "id")
        return [(row.what, row.kind, row.action) for row in rows]

    def act(self, finding: Finding) -> Finding:
        assert reconcile.acts.ask(finding, actor="ann", ring=None)
        assert reconcile.acts.run(finding.pk, ring=self.desk.ring)
        finding.refresh_from_db()
        return finding

    def only(self, **fields) -> Finding:
        return Finding.objects.exclude(state="done").get(**fields)


@pytest.fixture
def house(desk, monkeypatch) -> House:
    # Young is what was made within the last 15 minutes; these tests do not wait that long.
    monkeypatch.setattr(judge, "YOUNG_SECONDS", -3600.0)
    return House(desk)


@pytest.fixture
def finished(house):
    """finished(case): its last call is long past, as for any case that nobody works on."""

    def age(case: Registration) -> Registration:
        case.runs.update(finished_at=clock.now() - timedelta(hours=1))
        return pipeline.load(case.pk)

    return age
