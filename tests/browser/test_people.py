"""Two colleagues at one desk: owners, mentions, conflicts, and what each is told."""

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import expect

from registrations.models import NotificationSettings, Registration
from tests.factories import make_registration

pytestmark = pytest.mark.browser


@pytest.fixture
def bob(transactional_db):
    return get_user_model().objects.create_superuser("bob", password="another-long-password")


@pytest.fixture
def registration(transactional_db) -> Registration:
    return make_registration("draft", label="Dahlias by Dora")


def test_a_registration_is_claimed_given_away_and_the_new_owner_finds_it(app, signed_in, bob, registration):
    page = app.registration(registration).page
    app.button("Claim").click()
    app.expect_said("You own this registration now.")
    page.get_by_text("Assign to…").click()
    app.field("New owner").select_option(label="bob")
    app.button("Assign").click()
    app.expect_said("The owner is bob now.")
    his = signed_in(bob)
    his.list()
    entry = his.page.get_by_role("navigation", name="Main").get_by_role("link", name="Notifications")
    expect(entry).to_contain_text("1")
    entry.click()
    expect(his.page.get_by_role("main")).to_contain_text("ann assigned Dahlias by Dora to you.")
    his.page.get_by_role("button", name="Open").click()
    his.page.wait_for_url(f"**{registration.get_absolute_url()}")
    his.list()
    expect(entry).not_to_contain_text("1")


def test_a_colleague_who_is_named_in_a_note_is_notified(app, signed_in, bob, registration):
    app.registration(registration)
    app.field("Add a note").fill("@bob, can you call the customer? And @nobody.")
    app.button("Add note").click()
    app.expect_said("Note added. Notified: bob. No user is named @nobody.")
    his = signed_in(bob)
    his.page.goto("/admin/registrations/notification/")
    expect(his.page.get_by_role("main")).to_contain_text("ann mentioned you in a note on Dahlias by Dora.")
    his.button("Mark all as read").click()
    expect(his.page.get_by_role("button", name="Mark all as read")).to_have_count(0)


def test_two_edit_different_inputs_and_both_edits_stay(app, signed_in, bob, registration):
    his = signed_in(bob)
    app.edit(registration)
    his.edit(registration)
    his.field("City").fill("Lowell")
    his.button("Save").click()
    his.expect_said("Saved.")
    app.field("Last name").fill("Poe")
    app.button("Save").click()
    app.expect_said("In the meantime, bob changed City. These changes are kept.")
    registration.refresh_from_db()
    assert (registration.profile.city, registration.profile.last_name) == ("Lowell", "Poe")


@pytest.mark.parametrize(("choice", "city"), [("Yours", "Salem"), ("Theirs (saved)", "Lowell")])
@pytest.mark.parametrize("scripts", [True, False])
def test_two_edit_the_same_input_and_one_chooses(signed_in, bob, registration, choice, city, scripts):
    hers, his = signed_in(java_script_enabled=scripts), signed_in(bob)
    hers.edit(registration)
    his.edit(registration)
    his.field("City").fill("Lowell")
    his.button("Save").click()
    his.expect_said("Saved.")
    hers.field("City").fill("Salem")
    hers.field("Last name").fill("Poe")
    hers.button("Save").click()
    merge = hers.page.get_by_role("alert").filter(has_text="Bob changed the same fields")
    for value in ("Salem", "Lowell", "Before: Boston"):
        expect(merge).to_contain_text(value)
    # Without a choice nothing is saved.
    hers.button("Save").click()
    expect(merge).to_be_visible()
    registration.refresh_from_db()
    assert (registration.profile.city, registration.profile.last_name) == ("Lowell", "Lee")
    merge.get_by_label(choice).check()
    hers.button("Save").click()
    hers.page.wait_for_url("**/detail/")
    saved = Registration.objects.get(pk=registration.pk)
    assert (saved.profile.city, saved.profile.last_name) == (city, "Poe")


def test_a_plan_that_changed_meanwhile_is_not_sent_but_shown_again(app, signed_in, bob, registration):
    his = signed_in(bob)
    app.page.goto(f"/admin/registrations/registration/{registration.pk}/confirm/submit/")
    his.edit(registration)
    his.field("City").fill("Lowell")
    his.button("Save").click()
    his.expect_said("Saved.")
    app.button("Submit · $19.50").click()
    app.expect_said("Someone edited this registration after you opened it.")
    assert not Registration.objects.get(pk=registration.pk).was_submitted
    app.button("Submit · $19.50").click()
    app.page.wait_for_url("**/detail/")
    assert Registration.objects.get(pk=registration.pk).is_submitted


def test_each_person_chooses_their_notifications(app):
    page = app.page
    page.goto("/admin/registrations/notification/settings/")
    app.field("Webhook URL").fill("https://10.0.0.1/x")
    app.button("Save").click()
    expect(page.get_by_text("This URL cannot be used: the address is not public.")).to_be_visible()
    app.field("Webhook URL").fill("https://hooks.slack.com/services/T0/B0/secret-part")
    app.field("Someone mentions me").select_option(label="Daily digest")
    app.field("Digest hour").select_option(label="17:00")
    app.button("Save").click()
    app.expect_said("Saved.")
    saved = NotificationSettings.objects.get()
    assert (saved.kinds["mention"], saved.digest_hour) == ("digest", 17)
    assert "secret-part" not in page.content()
    expect(page.get_by_role("button", name="Send test")).to_be_visible()
