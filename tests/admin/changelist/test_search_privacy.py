"""Searches in addresses: only this desk can read them, and whoever uses a list notices nothing."""

import re
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.contrib.auth.models import User

from registrations.admin.changelist import search_privacy
from registrations.models import Event, SavedView
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
def test_a_search_comes_back_and_nothing_of_it_is_seen(text):
    address = search_privacy.sealed(text)
    assert search_privacy.opened(address) == text
    assert search_privacy.sealed(text) == address, "one search, one address"
    assert quote(address) == address
    assert len(text) < 3 or text not in address


def test_what_is_not_sealed_stays():
    assert search_privacy.opened("ann") == "ann"
    assert search_privacy.opened("") == search_privacy.sealed("") == ""


@pytest.mark.parametrize("text", ["~", "~x", "~ann", "~é", "~" + "A" * 44, search_privacy.MARK * 9])
def test_nonsense_is_told_apart(text):
    with pytest.raises(search_privacy.Unreadable):
        search_privacy.opened(text)


def test_one_letter_changed_is_noticed():
    address = search_privacy.sealed("ann")
    other = address[:5] + ("A" if address[5] != "A" else "B") + address[6:]
    with pytest.raises(search_privacy.Unreadable):
        search_privacy.opened(other)


def test_another_key_reads_it_only_as_a_fallback(settings):
    address, old = search_privacy.sealed("ann"), settings.SECRET_KEY
    settings.SECRET_KEY = "another"
    with pytest.raises(search_privacy.Unreadable):
        search_privacy.opened(address)
    settings.SECRET_KEY_FALLBACKS = ["yet another", old]
    assert search_privacy.opened(address) == "ann"


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
    assert 'name="q" value="jo@corner.example"' in page, "one can go on from there"
    # Every link and form of the page keeps the address as it is.
    leading = re.findall(r'(?:href|action)="([^"]*)"', page)
    assert not [url for url in leading if "corner" in url]
    assert [url for url in leading if given["q"][0] in url]


def test_an_emptied_box_leads_to_the_whole_list(boss, registrations):
    assert searched(boss, " ") == LIST
    assert searched(boss, "", stage__exact="draft") == f"{LIST}?stage__exact=draft"


def test_too_long_a_search_is_told(boss, registrations):
    page = boss.get(searched(boss, "a" * 201)).content.decode()
    assert "Search for 200 characters at most." in page


def test_an_address_that_cannot_be_read_finds_nothing(boss, registrations):
    page = boss.get(f"{LIST}?q=~gone").content.decode()
    assert "The search in this address cannot be read any more. Search again." in page
    assert "Nothing matches." in page
    csv = b"".join(boss.get(f"{LIST}export/csv/?q=~gone").streaming_content).decode()
    assert "Corner Bakery" not in csv


def test_an_export_follows_the_search(boss, registrations):
    query = urlsplit(searched(boss, "corner")).query
    csv = b"".join(boss.get(f"{LIST}export/csv/?{query}").streaming_content).decode()
    assert "Corner Bakery" in csv
    assert "Someone else" not in csv


@pytest.mark.parametrize("name", ["registrations/webhookdelivery", "registrations/event", "auth/user"])
def test_each_list_that_can_be_searched_seals(boss, registrations, name):
    Event.objects.create(registration=registrations[0], text="Seen.")
    where = f"/admin/{name}/"
    assert boss.get(searched(boss, "zz99", where)).status_code == 200
    assert "zz99" not in searched(boss, "zz99", where)


def test_a_view_outlives_its_key(boss, registrations, settings):
    address = searched(boss, "corner")
    page = boss.get(address).content.decode()
    assert 'name="query" value="q=corner"' in page
    boss.post(f"{LIST}views/save/", {"name": "Bakeries", "query": "q=corner"})
    assert SavedView.objects.get().query == "q=corner"
    assert 'aria-current="page">Bakeries' in boss.get(address).content.decode()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]  # keeps the session
    settings.SECRET_KEY = "another"
    shown = boss.get(LIST).content.decode()
    assert "q=corner" not in shown
    assert f'href="?q={search_privacy.sealed("corner")}">Bakeries' in shown


def test_searching_needs_a_post_and_the_right_to_see(boss, registrations, client):
    assert boss.get(f"{LIST}search/").status_code == 405
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    assert client.post(f"{LIST}search/", {"q": "ann"}).status_code == 403
