"""The list of a person's notes, and how they wish to be told."""

import re

import pytest
from django.urls import reverse

from registrations.admin.reports.notifications import PAGE_SIZE
from registrations.models import Notification, NotificationSettings
from registrations.operations import notifications
from registrations.workflow import notices
from tests.admin.conftest import browser, person
from tests.customers import make_draft

pytestmark = pytest.mark.django_db
LIST = "/admin/registrations/notification/"
SETTINGS = f"{LIST}settings/"
HOOK = "https://hooks.slack.com/services/T0/B0/very-secret"


@pytest.fixture
def mine(ann):
    """Ann's browser; she has no right but to sign in."""
    return browser(ann)


def tell(user, key="k", text="It stopped.", **more):
    notices.notify(user, "failure", key, text, **more)
    return Notification.objects.get(user=user, key=key)


def test_one_sees_ones_own_notes_alone_newest_first(mine, ann):
    tell(ann, "a", "First <b>one</b>")
    tell(ann, "b", "Second one")
    tell(person("bob"), "c", "For Bob")
    text = mine.get(LIST).content.decode()
    assert "First &lt;b&gt;one&lt;/b&gt;" in text
    assert text.index("Second one") < text.index("First ")
    assert "For Bob" not in text


def test_nothing_yet_says_what_will_be_here(mine):
    assert "No notifications yet." in mine.get(LIST).content.decode()


def test_the_navigation_counts_what_is_unread_for_everybody_alone(mine, ann):
    tell(ann, "a")
    tell(ann, "b")
    entry = re.search(
        r'href="/admin/registrations/notification/".*?</a>', mine.get(LIST).content.decode(), re.S
    )
    assert ">2<span" in entry.group()
    other = browser(person("bob")).get(LIST).content.decode()
    assert "nav-count" not in other


def test_open_marks_it_read_and_leads_to_the_registration(mine, ann):
    registration = make_draft()
    note = tell(ann, registration=registration)
    answer = mine.post(f"{LIST}{note.pk}/open/")
    assert (answer.status_code, answer.url) == (302, registration.get_absolute_url())
    note.refresh_from_db()
    assert note.read_at


@pytest.mark.parametrize("url", [LIST, SETTINGS])
def test_looking_changes_nothing(mine, ann, url):
    note = tell(ann)
    assert mine.get(url).status_code == 200
    note.refresh_from_db()
    assert note.read_at is None
    assert not NotificationSettings.objects.exists()


@pytest.mark.parametrize("url", [f"{LIST}read/", f"{LIST}test/", f"{LIST}1/open/"])
def test_acts_are_by_post_alone(mine, url):
    assert mine.get(url).status_code == 405


def test_another_persons_note_cannot_be_opened_or_marked(mine):
    note = tell(person("bob"))
    assert mine.post(f"{LIST}{note.pk}/open/").status_code == 404
    mine.post(f"{LIST}read/", {"note": note.pk})
    mine.post(f"{LIST}read/", {"newest": note.pk})
    note.refresh_from_db()
    assert note.read_at is None


def test_mark_all_spares_what_came_after_the_page_was_made(mine, ann):
    seen, later = tell(ann, "a"), tell(ann, "b")
    mine.post(f"{LIST}read/", {"newest": seen.pk})
    seen.refresh_from_db()
    later.refresh_from_db()
    assert (bool(seen.read_at), later.read_at) == (True, None)
    assert mine.get(LIST + "?unread=1").context["notes"][0][0] == later
    mine.post(f"{LIST}read/", {"note": later.pk, "newest": "0"})
    assert "No unread notifications." in mine.get(LIST + "?unread=1").content.decode()


@pytest.mark.parametrize("nonsense", ["", "x", "-1", "9" * 40])
def test_nonsense_marks_nothing_and_breaks_nothing(mine, ann, nonsense):
    tell(ann)
    assert (
        mine.post(f"{LIST}read/", {"newest": nonsense[:5] if nonsense != "9" * 40 else ""}).status_code == 302
    )
    assert mine.get(f"{LIST}?before={nonsense}").status_code == 200
    assert mine.post(f"{LIST}read/", {"note": nonsense}).status_code == 302
    assert Notification.objects.get().read_at is None


def test_pages_by_id_with_a_constant_number_of_queries(mine, ann, django_assert_max_num_queries):
    registration = make_draft()
    for number in range(PAGE_SIZE + 5):
        tell(ann, str(number), f"Note {number}.", registration=registration)
    with django_assert_max_num_queries(8):
        first = mine.get(LIST)
    assert len(first.context["notes"]) == PAGE_SIZE
    rest = mine.get(f"{LIST}?before={first.context['older']}")
    assert [note.text for note, _ in rest.context["notes"]] == [f"Note {n}." for n in (4, 3, 2, 1, 0)]
    assert rest.context["older"] is None


# --- settings ---------------------------------------------------------------------------------------------------
def form(**changes):
    kinds = {f"kind_{kind.slug}": kind.default for kind in notices.KINDS.values() if kind.shown}
    return {"digest_hour": "8", "slack_webhook_url": "", **kinds, **changes}


def test_settings_are_saved_and_the_webhook_is_never_shown_again(mine, ann):
    answer = mine.post(
        SETTINGS, form(by_email="on", slack_webhook_url=HOOK, digest_hour="17", kind_failure="off")
    )
    assert answer.status_code == 302
    saved = NotificationSettings.objects.get(user=ann)
    assert (saved.by_email, saved.slack_webhook_url, saved.digest_hour) == (True, HOOK, 17)
    assert saved.kinds["failure"] == "off"
    assert "test" not in saved.kinds
    shown = mine.get(SETTINGS).content.decode()
    assert "very-secret" not in shown
    assert "One is saved" in shown
    # An empty box keeps it, and only saying so forgets it.
    mine.post(SETTINGS, form())
    saved.refresh_from_db()
    assert saved.slack_webhook_url == HOOK
    mine.post(SETTINGS, form(forget_webhook="on"))
    saved.refresh_from_db()
    assert saved.slack_webhook_url == ""


@pytest.mark.parametrize("url", ["http://hooks.slack.com/x", "https://10.0.0.1/x", "javascript:alert(1)"])
def test_an_address_inside_our_network_is_refused_and_not_echoed(mine, url):
    answer = mine.post(SETTINGS, form(slack_webhook_url=url))
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "This URL cannot be used" in text
    assert url not in text
    assert not NotificationSettings.objects.exists()


def test_by_e_mail_needs_an_address(mine, ann):
    ann.email = ""
    ann.save()
    assert "no email address" in mine.post(SETTINGS, form(by_email="on")).content.decode()


def test_nonsense_in_the_choices_is_refused(mine):
    assert mine.post(SETTINGS, form(kind_failure="loudly")).status_code == 422
    assert mine.post(SETTINGS, form(digest_hour="25")).status_code == 422


def test_a_test_is_sent_by_the_worker_and_its_outcome_is_shown(mine, ann, settings, mailoutbox):
    settings.A2P_SENDS_EMAIL = True
    assert "Send test" not in mine.get(SETTINGS).content.decode()
    mine.post(SETTINGS, form(by_email="on"))
    assert "Send test" in mine.get(SETTINGS).content.decode()
    mine.post(f"{LIST}test/", form())
    assert not mailoutbox
    notifications.send_due()
    assert [message.to for message in mailoutbox] == [["ann@desk.example"]]
    assert "Sent" in mine.get(SETTINGS).content.decode()


def test_strangers_are_sent_to_sign_in(client):
    assert client.get(LIST).status_code == 302
    assert reverse("admin:login") in client.get(SETTINGS).url
