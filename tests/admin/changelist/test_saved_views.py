"""Saved views: a list under a name, one's own or the team's."""

import pytest

from registrations.admin.changelist.saved_views import normalized
from registrations.models import SavedView
from registrations.models.choices import Stage
from tests.admin.conftest import browser, person
from tests.factories import make_registration

pytestmark = pytest.mark.django_db
LIST = "/admin/registrations/registration/"
QUERY = "owner=me&stage__exact=otp"


@pytest.fixture
def ann():
    return person("ann", "view_registration", "change_registration")


@pytest.fixture
def bob():
    return person("bob", "view_registration")


def save(client, name="My texts", query=QUERY, **more):
    return client.post(f"{LIST}views/save/", {"name": name, "query": query, **more})


def test_a_view_is_saved_and_opens_again_with_its_filters(ann):
    mine = make_registration(Stage.OTP, label="Mine", owner=ann)
    make_registration(Stage.OTP, label="Nobody's")
    client = browser(ann)
    response = save(client, query=f"p=2&{QUERY}&e=1")
    view = SavedView.objects.get()
    assert (view.user, view.model_name, view.name, view.query) == (ann, "registration", "My texts", QUERY)
    assert response.headers["Location"] == f"{LIST}?{QUERY}"
    page = client.get(f"{LIST}?{view.query}").content.decode()
    assert f'<a href="?{QUERY.replace("&", "&amp;")}" aria-current="page">My texts</a>' in page
    assert mine.label in page
    assert "Nobody&#x27;s" not in page


def test_views_are_ones_own_unless_shared(ann, bob):
    save(browser(ann), "Private")
    save(browser(ann), "Shared", "stage__exact=brand", shared="on")
    page = browser(bob).get(LIST).content.decode()
    assert "Private" not in page
    assert ">Shared</a>" in page
    assert "by ann" in page


def test_a_shared_view_of_mine_shows_each_person_their_own(ann, bob):
    save(browser(ann), "Mine", "owner=me", shared="on")
    make_registration(label="Of Ann", owner=ann)
    make_registration(label="Of Bob", owner=bob)
    query = SavedView.objects.get().query
    page = browser(bob).get(f"{LIST}?{query}").content.decode()
    assert "Of Bob" in page
    assert "Of Ann" not in page


def test_only_the_owner_changes_a_view(ann, bob):
    save(browser(ann), "Shared", shared="on")
    url = f"{LIST}views/{SavedView.objects.get().pk}/"
    for do in ("rename", "delete"):
        assert browser(bob).post(url, {"do": do, "name": "Taken"}).status_code == 404
    assert SavedView.objects.get().name == "Shared"


def test_rename_share_and_delete(ann):
    client = browser(ann)
    save(client)
    url = f"{LIST}views/{SavedView.objects.get().pk}/"
    client.post(url, {"do": "rename", "name": "  Texts   owed ", "shared": "on"})
    view = SavedView.objects.get()
    assert (view.name, view.shared) == ("Texts owed", True)
    client.post(url, {"do": "delete"})
    assert not SavedView.objects.exists()


def test_a_name_that_is_taken_is_refused_and_nothing_is_lost(ann):
    client = browser(ann)
    save(client, "One")
    save(client, "Two", "stage__exact=brand")
    two = SavedView.objects.get(name="Two")
    page = client.post(f"{LIST}views/{two.pk}/", {"do": "rename", "name": "One"}, follow=True)
    assert "already have a view called" in page.content.decode()
    assert set(SavedView.objects.values_list("name", flat=True)) == {"One", "Two"}


def test_saving_under_ones_own_name_again_replaces(ann):
    client = browser(ann)
    save(client)
    save(client, query="stage__exact=brand")
    assert SavedView.objects.get().query == "stage__exact=brand"


@pytest.mark.parametrize(
    ("name", "query"), [("", QUERY), ("x" * 61, QUERY), ("Empty", "p=3"), ("Long", "q=" + "x" * 3000)]
)
def test_an_invalid_view_is_rejected_with_a_message(ann, name, query):
    response = save(browser(ann), name, query)
    assert response.status_code == 302
    assert not SavedView.objects.exists()


def test_each_list_has_its_own_views(boss):
    boss.post("/admin/registrations/brand/views/save/", {"name": "Failed", "query": "status=FAILED"})
    assert ">Failed</a>" in boss.get("/admin/registrations/brand/").content.decode()
    assert ">Failed</a>" not in boss.get("/admin/registrations/campaign/").content.decode()


def test_nothing_is_saved_by_get_or_without_the_right(boss, nobody):
    assert boss.get(f"{LIST}views/save/", {"name": "X", "query": QUERY}).status_code == 405
    assert save(nobody).status_code == 403
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    ("query", "clean"),
    [
        ("", ""),
        ("p=1&e=1", ""),
        ("b=2&a=1", "a=1&b=2"),
        ("q=", ""),
        ("q=a%26b", "q=a%26b"),
        ("a=2&a=1", "a=1&a=2"),
    ],
)
def test_the_normalized_query(query, clean):
    assert normalized(query) == clean
