"""Owners and mentions."""

import pytest
from django.contrib.auth import get_user_model

from registrations.models import Event, Notification, Registration
from registrations.operations import actions, assignment
from tests.admin.conftest import browser, person
from tests.customers import make_draft

pytestmark = pytest.mark.django_db
RIGHTS = ("view_registration", "change_registration")


@pytest.fixture
def ann(db):
    return person("ann", *RIGHTS)


@pytest.fixture
def bob(db):
    return person("bob", *RIGHTS)


@pytest.fixture
def registration(db):
    return make_draft()


def owner_of(registration):
    return Registration.objects.get(pk=registration.pk).owner


def told(user) -> list[str]:
    return list(Notification.objects.filter(user=user).order_by("id").values_list("text", flat=True))


# --- owners -----------------------------------------------------------------------------------------------------
def test_who_claims_first_owns_it_and_the_second_learns_who(registration, ann, bob):
    assignment.claim(registration, user=ann)
    assignment.claim(registration, user=ann)
    with pytest.raises(assignment.Taken, match="now assigned to ann"):
        assignment.claim(registration, user=bob)
    assert owner_of(registration) == ann
    assert [event.text for event in registration.events.filter(tag="owner")] == ["Owner: ann."]
    assert told(ann) == []


def test_only_ones_own_registration_is_let_go(registration, ann, bob):
    assignment.claim(registration, user=ann)
    with pytest.raises(assignment.Taken):
        assignment.unassign(registration, user=bob)
    assignment.unassign(registration, user=ann)
    assert owner_of(registration) is None


def test_assigning_tells_the_new_owner_and_nobody_else(registration, ann, bob):
    assignment.assign(registration, to=bob, shown=None, actor="ann")
    assert told(bob) == ["ann assigned Ann Lee Nails to you."]
    assignment.assign(registration, to=ann, shown=bob.pk, actor="ann")
    assignment.assign(registration, to=None, shown=ann.pk, actor="bob")
    assert told(ann) == []
    assert owner_of(registration) is None


def test_assigning_on_a_stale_page_changes_nothing(registration, ann, bob):
    assignment.claim(registration, user=ann)
    with pytest.raises(assignment.Taken, match="now assigned to ann"):
        assignment.assign(registration, to=bob, shown=None, actor="eve")
    assert owner_of(registration) == ann
    assert told(bob) == []


def test_a_new_owner_by_the_form_or_in_bulk_is_notified_too(registration, bob):
    actions.edit(registration, {}, actor="ann", owner=bob)
    assert told(bob) == ["ann assigned Ann Lee Nails to you."]
    assert [event.text for event in registration.events.filter(tag__in=("owner", "edited"))] == [
        "Owner: bob."
    ]
    actions.edit(registration, {}, actor="ann", owner=bob, label="New label")
    assert len(told(bob)) == 1


# --- mentions ---------------------------------------------------------------------------------------------------
@pytest.fixture
def team(db):
    make = get_user_model().objects.create_user
    make("ann", email="ann.lee@desk.example", is_staff=True)
    make("bob.b", email="bob@desk.example", is_staff=True)
    make("carol", email="carol@one.example", is_staff=True)
    make("dan@desk.example", email="dan@desk.example", is_staff=True)
    make("x1", email="same@one.example", is_staff=True)
    make("x2", email="same@two.example", is_staff=True)
    make("gone", is_staff=True, is_active=False)
    make("customer")


@pytest.mark.parametrize(
    ("text", "names", "unknown"),
    [
        ("", [], []),
        ("no name here", [], []),
        ("@ann", ["ann"], []),
        ("@ANN and @Ann", ["ann"], []),
        ("Ask (@ann), please.", ["ann"], []),
        ("Thanks @ann.", ["ann"], []),
        ("@bob.b. Look", ["bob.b"], []),
        ("@bob look", ["bob.b"], []),
        ("@ann.lee @carol-", ["ann", "carol"], []),
        ("@dan@desk.example", ["dan@desk.example"], []),
        ("@dan", ["dan@desk.example"], []),
        ("mail ann@carol.example or x@ann", [], []),
        ("a@ann", [], []),
        ("@same", [], ["same"]),
        ("@gone @customer @nobody", [], ["gone", "customer", "nobody"]),
        ("@annette", [], ["annette"]),
        ("@", [], []),
        ("@@ann", [], []),
        ("@...", [], []),
        ("line\n@ann\n@carol", ["ann", "carol"], []),
    ],
)
def test_who_is_mentioned(team, text, names, unknown):
    found, missing = assignment.mentioned(text)
    assert [user.get_username() for user in found] == names
    assert missing == unknown


def test_a_text_without_a_name_asks_no_database(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert assignment.mentioned("mail ann@desk.example") == ([], [])


def test_a_note_tells_whom_it_names_but_not_its_writer_nor_who_may_not_see_it(registration, ann, bob):
    stranger = person("stranger")
    actions.add_note(registration, text="@bob @ann @stranger the customer called", actor="ann")
    assert told(bob) == ["ann mentioned you in a note on Ann Lee Nails."]
    assert told(ann) == told(stranger) == []
    note = Notification.objects.get()
    assert note.registration == registration
    # What the note says stays on the timeline.
    assert "customer called" not in note.text
    assert Event.objects.get(tag="note").text == "@bob @ann @stranger the customer called"
    actions.add_note(registration, text="@bob again", actor="ann")
    assert len(told(bob)) == 2


# --- on the page ------------------------------------------------------------------------------------------------
def act(client, registration, name, **data):
    url = f"/admin/registrations/registration/{registration.pk}/action/{name}/"
    return client.post(url, data, follow=True).content.decode()


def test_the_page_offers_what_fits(registration, ann, bob):
    page = f"/admin/registrations/registration/{registration.pk}/detail/"
    hers, his = browser(ann), browser(bob)
    assert "action/claim/" in hers.get(page).content.decode()
    assert "You own this registration now." in act(hers, registration, "claim")
    assert "action/unassign/" in hers.get(page).content.decode()
    theirs = his.get(page).content.decode()
    assert "action/claim/" not in theirs
    assert "action/unassign/" not in theirs
    assert "action/assign/" in theirs
    looking = browser(person("viewer", "view_registration")).get(page).content.decode()
    assert "action/assign/" not in looking


def test_claiming_a_registration_that_is_taken_says_who_has_it(registration, ann, bob):
    act(browser(ann), registration, "claim")
    assert "now assigned to ann" in act(browser(bob), registration, "claim")
    assert owner_of(registration) == ann


def test_assigning_from_the_page(registration, ann, bob):
    mine = browser(ann)
    assert "The owner is bob now." in act(mine, registration, "assign", owner=bob.pk, shown="")
    assert "now assigned to bob" in act(mine, registration, "assign", owner=ann.pk, shown="")
    assert "This registration has no owner now." in act(mine, registration, "assign", owner="", shown=bob.pk)
    for nonsense in ("x", "999999", "9" * 30):
        assert "cannot own" in act(mine, registration, "assign", owner=nonsense, shown="")
    assert owner_of(registration) is None


def test_who_may_only_look_cannot_take_a_registration(registration):
    client = browser(person("viewer", "view_registration"))
    for name in ("claim", "unassign", "assign"):
        url = f"/admin/registrations/registration/{registration.pk}/action/{name}/"
        assert client.post(url, {"owner": ""}).status_code == 403


def test_after_a_note_the_page_says_who_was_notified(registration, ann, bob):
    said = act(browser(ann), registration, "note", text="@bob @bobb look")
    assert "Note added. Notified: bob. No user is named @bobb." in said
