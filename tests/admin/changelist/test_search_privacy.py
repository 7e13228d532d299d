"""Searches in addresses: nobody can read them there, and the list works as if they were."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from registrations.admin.changelist import search_privacy
from registrations.models import Event, SavedView, SearchTerm
from tests.admin.conftest import browser, person
from tests.customers import make_draft

LIST = "/admin/registrations/registration/"
TEXTS = ["ann", "(201) 555-0142", "Ann Lee's Näils 💅", "~", "a" * 200]


@pytest.fixture
def registrations(db):
    return [
        make_draft(label, profile={"email": email})
        for label, email in (("Corner Bakery", "jo@corner.example"), ("Someone else", "lee@else.example"))
    ]


@pytest.mark.parametrize("text", TEXTS)
def test_a_search_comes_back_and_its_address_does_not_show_it(db, text):
    address = search_privacy.hide([text])[text]
    assert search_privacy.reveal(address) == text
    assert search_privacy.hide([text])[text] == address, "one search, one address"
    assert quote(address) == address
    assert len(text) < 3 or text not in address


def test_plain_text_is_unchanged(db):
    assert search_privacy.reveal("ann") == "ann"
    assert search_privacy.reveal("") == ""
    assert search_privacy.hide([]) == {}


@pytest.mark.parametrize("text", ["~", "~x", "~ann", "~é", "~" + "A" * 44, search_privacy.MARK * 9])
def test_unknown_tokens_are_errors(db, text):
    with pytest.raises(search_privacy.UnknownSearch):
        search_privacy.reveal(text)


def test_one_changed_character_is_an_error(db):
    address = search_privacy.hide(["ann"])["ann"]
    other = address[:5] + ("A" if address[5] != "A" else "B") + address[6:]
    with pytest.raises(search_privacy.UnknownSearch):
        search_privacy.reveal(other)


def test_searches_are_deleted_after_a_while_and_get_a_new_token(db):
    address = search_privacy.hide(["ann"])["ann"]
    long_ago = timezone.now() - search_privacy.KEEP - timedelta(seconds=1)
    SearchTerm.objects.update(created_at=long_ago)
    assert search_privacy.reveal(address) == "ann"
    search_privacy.hide(["bob"])
    with pytest.raises(search_privacy.UnknownSearch):
        search_privacy.reveal(address)
    assert search_privacy.hide(["ann"])["ann"] != address


def test_a_new_secret_key_changes_nothing(db, settings):
    address = search_privacy.hide(["ann"])["ann"]
    settings.SECRET_KEY = "another"
    assert search_privacy.reveal(address) == "ann"


def searched(client, text, where=LIST, **filters):
    """What the search box sends; the address of the list that it leads to."""
    answer = client.post(f"{where}search/", {"q": text, **filters})
    assert answer.status_code == 302
    return answer.url


def test_the_box_leads_to_an_address_without_the_words(boss, registrations):
    address = searched(boss, " jo@corner.example ", waiting_for__exact="us", p="3")
    given = parse_qs(urlsplit(address).query)
    assert set(given) == {"q", "waiting_for__exact"}
    assert "jo" not in address
    assert "corner" not in address
    page = boss.get(address).content.decode()
    assert "Corner Bakery" in page
    assert "Someone else" not in page
    assert 'name="q" value="jo@corner.example"' in page, "it can be edited there"
    # Every link and form of the page keeps the address as it is.
    leading = re.findall(r'(?:href|action)="([^"]*)"', page)
    assert not [url for url in leading if "corner" in url]
    assert [url for url in leading if given["q"][0] in url]


def test_an_emptied_box_leads_to_the_whole_list(boss, registrations):
    assert searched(boss, " ") == LIST
    assert searched(boss, "", stage__exact="draft") == f"{LIST}?stage__exact=draft"


def test_a_search_that_is_too_long_is_rejected(boss, registrations):
    page = boss.get(searched(boss, "a" * 201)).content.decode()
    assert "A search can have up to 200 characters." in page


def test_an_unknown_token_finds_nothing(boss, registrations):
    page = boss.get(f"{LIST}?q=~gone").content.decode()
    assert "This search has expired. Search again." in page
    assert "Nothing matches." in page
    csv = b"".join(boss.get(f"{LIST}export/csv/?q=~gone").streaming_content).decode()
    assert "Corner Bakery" not in csv


def test_an_export_follows_the_search(boss, registrations):
    query = urlsplit(searched(boss, "corner")).query
    csv = b"".join(boss.get(f"{LIST}export/csv/?{query}").streaming_content).decode()
    assert "Corner Bakery" in csv
    assert "Someone else" not in csv


@pytest.mark.parametrize("name", ["registrations/webhookdelivery", "registrations/event", "auth/user"])
def test_every_list_with_a_search_hides_it(boss, registrations, name):
    Event.objects.create(registration=registrations[0], text="Seen.")
    where = f"/admin/{name}/"
    assert boss.get(searched(boss, "zz99", where)).status_code == 200
    assert "zz99" not in searched(boss, "zz99", where)


def test_a_saved_view_outlives_the_token(boss, registrations):
    address = searched(boss, "corner")
    page = boss.get(address).content.decode()
    assert 'name="query" value="q=corner"' in page
    boss.post(f"{LIST}views/save/", {"name": "Bakeries", "query": "q=corner"})
    assert SavedView.objects.get().query == "q=corner"
    assert 'aria-current="page">Bakeries' in boss.get(address).content.decode()
    SearchTerm.objects.all().delete()
    shown = boss.get(LIST).content.decode()
    assert "q=corner" not in shown
    link = f"?q={search_privacy.hide(['corner'])['corner']}"
    assert f'href="{link}">Bakeries' in shown
    assert "Corner Bakery" in boss.get(LIST + link).content.decode()


def test_a_link_to_a_search_works_for_a_colleague(boss, registrations):
    address = searched(boss, "corner")
    colleague = browser(person("colleague", "view_registration"))
    page = colleague.get(address).content.decode()
    assert "Corner Bakery" in page
    assert "Someone else" not in page


def test_searching_needs_a_post_and_the_right_to_see(boss, registrations, client):
    assert boss.get(f"{LIST}search/").status_code == 405
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    assert client.post(f"{LIST}search/", {"q": "ann"}).status_code == 403
