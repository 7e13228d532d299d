"""Batches in each state that looks different, for pictures and for what must hold on every page."""

from django.contrib.auth import get_user_model

from registrations.admin.bulk.similar_failures import group_url
from registrations.models import Batch, Registration
from registrations.operations import actions, bulk, similar_failures
from registrations.operations.similar_failures import Key
from tests.browser.pages import App
from tests.factories import make_registration


def make_batches(registrations: list[Registration]) -> dict[str, Batch]:
    """preparing, ready, done: submits of these registrations; done: of a registration of its own."""
    user = get_user_model().objects.create_user("bulk", is_staff=True)
    own = make_registration(label="Bulk Begonias")
    held = make_registration(label="Held Heather")
    actions.hold(held, reason="Waits.", actor="ann")
    chosen = {"preparing": registrations, "ready": [*registrations, own, held], "done": [own, held]}
    made = {
        name: bulk.start("submit", [registration.pk for registration in rows], user=user)
        for name, rows in chosen.items()
    }
    for name in ("ready", "done"):
        bulk.advance(made[name].pk)
    bulk.confirm(made["done"], user=user)
    bulk.advance(made["done"].pk)
    return made


def open_preview(app: App) -> None:
    """The differences that one text makes in the registrations of a group."""
    app.page.goto(group_url(_texts()))
    app.page.locator("#group-text").fill("A new text for {brand}. " * 4)
    app.button("Review changes").click()
    app.page.get_by_role("heading", name="Review changes").wait_for()


def shared_failure_url() -> str:
    return group_url(_texts())


def _texts() -> Key:
    """The largest group of failures whose text can be edited."""
    return next(group.key for group in similar_failures.groups(1, alike=False) if group.key.editable)
