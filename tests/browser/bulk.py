"""Batches in each state that looks different, for pictures and for what must hold on every page."""

from django.contrib.auth import get_user_model

from registrations import batches, groups, verbs
from registrations.admin.groups import address
from registrations.groups import Key
from registrations.models import Batch, Registration
from tests.factories import make_registration

from .pages import Desk


def make_batches(cases: list[Registration]) -> dict[str, Batch]:
    """preparing, ready, done: submits of these cases; done: of a case of its own."""
    user = get_user_model().objects.create_user("bulk", is_staff=True)
    own = make_registration(label="Bulk Begonias")
    held = make_registration(label="Held Heather")
    verbs.hold(held, reason="Waits.", actor="ann")
    chosen = {"preparing": cases, "ready": [*cases, own, held], "done": [own, held]}
    made = {
        name: batches.start("submit", [case.pk for case in rows], user=user) for name, rows in chosen.items()
    }
    for name in ("ready", "done"):
        batches.advance(made[name].pk)
    batches.confirm(made["done"], user=user)
    batches.advance(made["done"].pk)
    return made


def open_preview(desk: Desk) -> None:
    """The differences that one text makes in the cases of a group."""
    desk.page.goto(address(_texts()))
    desk.page.locator("#group-text").fill("A new text for {brand}. " * 4)
    desk.button("Show each difference").click()
    desk.page.get_by_role("heading", name="Look at each difference").wait_for()


def group_url() -> str:
    return address(_texts())


def _texts() -> Key:
    """The largest group of failures whose text can be edited."""
    return next(group.key for group in groups.groups(1, alike=False) if group.key.editable)
