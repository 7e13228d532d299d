"""The page: what it shows to whom, that it asks jobs and never Twilio, and that nothing happens by looking."""

from datetime import timedelta

import pytest
from django.urls import reverse

from registrations.core import clock, queue
from registrations.models import Finding, Registration, Scan
from registrations.models.choices import Stage
from registrations.worker import jobs
from tests.admin.conftest import browser, person
from tests.customers import make_draft
from tests.factories import make_registration
from tests.operations.reconciliation.conftest import account

__all__ = ["account"]
PAGE = "/admin/registrations/scan/"


@pytest.fixture
def rung(monkeypatch) -> list[tuple]:
    """What was put into the queue. Nothing listens at Twilio's address in these tests."""
    sent: list[tuple] = []
    monkeypatch.setattr(queue, "async_task", lambda name, *args, **kwargs: sent.append((name, *args)))
    return sent


@pytest.fixture
def scan(db) -> Scan:
    counts = {"read": {"end_user": 40, "brand": 2}, "found": {}, "in_progress": 0, "closed": 0}
    return Scan.objects.create(state="done", finished_at=clock.now(), requested_by="ann", counts=counts)


def find(scan: Scan, serial: int = 1, **fields) -> Finding:
    values = {
        "finding_type": "orphan",
        "resource_type": "end_user",
        "sid": f"IT{serial:032x}",
        "action": "delete",
        "note": "Why.",
    }
    return Finding.objects.create(scan=scan, **(values | fields))


def agent(*more: str):
    return browser(person("clerk", "view_registration", "change_registration", "view_scan", *more))


def confirm_url(finding: Finding, page: str = "confirm") -> str:
    return reverse(f"admin:registrations_finding_{page}", args=[finding.pk])


def text(client, url: str = PAGE) -> str:
    return client.get(url).content.decode()


def test_before_the_first_scan(db, rung):
    page = text(agent())
    assert "No scan yet" in page
    assert "Scan now" in page


def test_scan_now_is_a_post_that_enqueues_once(db, rung):
    client = agent()
    assert client.get(f"{PAGE}now/").status_code == 405
    assert Scan.objects.count() == 0
    for _ in range(2):
        assert client.post(f"{PAGE}now/").headers["Location"] == PAGE
    scan = Scan.objects.get()
    assert (rung, scan.requested_by) == ([(queue.SCAN, scan.pk)], "clerk")
    assert "Scan running" in text(client)


def test_findings_are_grouped_and_paid_things_are_loud(scan, settings):
    registration = make_registration(Stage.LIVE)
    find(scan, 1, registration=registration)
    find(scan, 2, name="A2P abcdefghjkmn person", ref="abcdefghjkmn")
    find(scan, 3, finding_type="lost", action="forget", registration=registration)
    find(scan, 4, finding_type="retired", registration=registration)
    find(scan, 5, in_progress=True, action="none")
    find(
        scan,
        resource_type="brand",
        sid="BN" + "1" * 32,
        action="console",
        registration=registration,
        status="APPROVED",
    )
    find(scan, resource_type="number", sid="PN" + "7" * 32, action="console")
    page = text(agent("remove_registration"))
    for key in ("known", "unknown", "lost", "retired", "under-way"):
        assert f'id="group-{key}"' in page
    loud = page.split('id="paid-title"')[1].split("</section>")[0]
    assert f"${settings.A2P_FEES['brand']} once" in loud
    assert f"${settings.A2P_FEES['number_monthly']} a month" in loud
    assert "https://console.twilio.com" in page
    assert "6 open findings" in page
    assert page.count(">Delete at Twilio<") == 3
    assert page.count(">Forget<") == 1


def test_hostile_and_unknown_words_are_shown_not_run(scan):
    evil = "<script>alert(1)</script>"
    registration = make_draft(label=evil)
    find(
        scan,
        registration=registration,
        name=evil,
        status=evil,
        note=evil,
        state="failed",
        result=evil,
        resource_type="warp",
    )
    find(
        scan,
        2,
        registration=registration,
        finding_type="orphan",
        state="done",
        result=evil,
        settled_at=clock.now(),
    )
    page = text(agent("remove_registration"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert "warp" in page


def test_deleting_needs_its_own_permission(scan, rung):
    finding = find(scan, registration=make_draft())
    lost = find(scan, 2, finding_type="lost", action="forget", registration=finding.registration)
    client = agent()
    page = text(client)
    assert ">Delete at Twilio<" not in page
    assert ">Forget<" in page
    assert client.get(confirm_url(finding)).status_code == 403
    assert client.post(confirm_url(finding, "action"), {"action": "delete"}).status_code == 403
    assert client.post(confirm_url(lost, "action"), {"action": "forget"}).status_code == 302
    assert rung == [(queue.FINDING, lost.pk)]


def test_who_may_not_change_registrations_only_looks(scan, rung):
    finding = find(scan, finding_type="lost", action="forget", registration=make_draft())
    client = browser(person("looker", "view_scan"))
    assert "Scan now" not in text(client)
    assert client.post(f"{PAGE}now/").status_code == 403
    assert client.post(confirm_url(finding, "action"), {"action": "forget"}).status_code == 403
    stranger = browser(person("stranger", "view_registration", "change_registration", "remove_registration"))
    for url in (PAGE, f"{PAGE}refresh/", confirm_url(finding)):
        assert stranger.get(url).status_code == 403
    assert stranger.post(f"{PAGE}now/").status_code == 403
    assert rung == []


def test_an_act_is_confirmed_then_asked_once(scan, rung):
    finding = find(scan, registration=make_draft(), name="A2P abcdefghjkmn person v2")
    client = agent("remove_registration")
    assert client.get(confirm_url(finding, "action")).status_code == 405
    confirm = text(client, confirm_url(finding))
    assert "This cannot be undone" in confirm
    assert 'name="sure"' not in confirm
    finding.refresh_from_db()
    assert (finding.state, rung) == ("open", [])
    for _ in range(2):
        client.post(confirm_url(finding, "action"), {"action": "delete"})
    finding.refresh_from_db()
    assert (finding.state, finding.requested_by) == ("requested", "clerk")
    assert rung == [(queue.FINDING, finding.pk)]
    assert "In progress" in text(client)
    assert client.get(confirm_url(finding)).headers["Location"] == PAGE


def test_what_nobody_here_knows_takes_a_promise(scan, rung):
    finding = find(scan)
    client = agent("remove_registration")
    assert 'name="sure"' in text(client, confirm_url(finding))
    back = client.post(confirm_url(finding, "action"), {"action": "delete"})
    assert (back.headers["Location"], rung) == (confirm_url(finding), [])
    client.post(confirm_url(finding, "action"), {"action": "delete", "sure": "1"})
    assert rung == [(queue.FINDING, finding.pk)]


def test_a_page_that_went_stale_does_nothing_else(scan, rung):
    """Between looking and clicking a scan decided otherwise: what was confirmed is not what would be done."""
    finding = find(scan, action="forget", finding_type="lost", registration=make_draft())
    page = agent("remove_registration").post(confirm_url(finding, "action"), {"action": "adopt"}, follow=True)
    assert "Review it and try again" in page.content.decode()
    assert rung == []


def test_a_refusal_is_on_the_page_and_may_be_tried_again(scan, rung):
    finding = find(scan, registration=make_draft(), state="failed", result="HTTP 400, code 21644: In use.")
    client = agent("remove_registration")
    page = text(client)
    assert "HTTP 400, code 21644: In use." in page
    client.post(confirm_url(finding, "action"), {"action": "delete"})
    assert rung == [(queue.FINDING, finding.pk)]


def test_only_what_changed_is_sent_again(scan):
    client = agent()
    page = client.get(PAGE)
    versions = {region.name: region.version for region in page.context["regions"]}
    assert client.get(f"{PAGE}refresh/", versions).status_code == 204
    find(scan, action="none")
    answer = client.get(f"{PAGE}refresh/", versions)
    assert b'id="live-reconcile"' in answer.content
    assert b'id="poller"' in answer.content


def test_the_page_asks_more_often_while_something_runs(scan):
    client = agent()
    assert "every 15s" in text(client)
    Scan.objects.create()
    assert "every 2s" in text(client)


def test_queries_do_not_grow(scan, django_assert_max_num_queries):
    registration = make_draft()
    for serial in range(60):
        find(scan, serial, registration=registration)
    client = agent()
    client.get(PAGE)
    with django_assert_max_num_queries(12):
        client.get(PAGE)


def test_long_groups_are_cut_and_say_so(scan):
    registration = make_draft()
    Finding.objects.bulk_create(
        Finding(
            scan=scan,
            finding_type="orphan",
            resource_type="end_user",
            sid=f"IT{n:032x}",
            registration=registration,
        )
        for n in range(103)
    )
    page = text(agent())
    assert page.count('id="finding-') == 100
    assert "3 more" in page


def test_nothing_inline(scan):
    find(scan, registration=make_draft())
    client = agent("remove_registration")
    for url in (PAGE, confirm_url(Finding.objects.get())):
        page = text(client, url)
        assert "<style" not in page
        assert " style=" not in page
        assert " onclick=" not in page


def test_from_the_click_to_twilio(account, rung):
    """The page, the job, Twilio, and the page again."""
    registration = make_draft()
    account.client.create_service(friendly_name=registration.friendly_name("service", 2))
    client = agent("remove_registration")
    client.post(f"{PAGE}now/")
    jobs.run_scan(rung.pop()[1])
    Registration.objects.update(lease_until=clock.now() + timedelta(minutes=1))
    finding = account.only()
    client.post(confirm_url(finding, "action"), {"action": "delete"})
    jobs.act_on_finding(rung.pop()[1])
    assert "Its registration is being worked on" in text(client)
    Registration.objects.update(lease_until=None)
    client.post(confirm_url(finding, "action"), {"action": "delete"})
    jobs.act_on_finding(rung.pop()[1])
    assert account.harness.counts()["Services"] == 0
    page = text(client)
    assert "Deleted at Twilio." in page.split('id="settled"')[1]
