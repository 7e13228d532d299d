"""Every catalogue entry: Twilio rejects, the pages show it, and what the entry advises works."""

import re

import pytest

from tests.scenarios.actions import PAID, actions_of, is_dead_end, promised
from tests.scenarios.catalogue_routes import ROUTES
from tests.scenarios.routes import Route, by_bundle_code, by_reason
from tests.scenarios.start_states import Session

from . import inputs, pages


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.id)
def test_entry(route: Route, enter) -> None:
    session: Session = enter(route.start)
    words = route.provoke(session, route.failure, f"Words of Twilio's about {route.failure.key}.")
    pages.assert_told(session, route.failure, words)
    pages.assert_told_in_form(session, route.failure)
    if is_dead_end(route.failure):
        check_dead_end(session, route, words)
    else:
        check_fix(session, route)


def check_dead_end(session: Session, route: Route, words: str) -> None:
    """Nothing is paid for even when Submit is pressed, and the page says who can help."""
    session.mark()
    pages.submit(session)
    if route.provoke in (by_bundle_code, by_reason):
        # A bundle is submitted again, free of charge, and rejected again.
        session.go(lambda registration: registration.profile.status != "twilio-rejected")
        route.provoke(session, route.failure, words)
    session.go()
    assert not set(actions_of(session.since())) & set(PAID)
    pages.assert_told(session, route.failure, words)
    source = pages.source_of(session)
    if "support" in route.failure.redo:
        assert "Text for Twilio's support" in pages.card(source, "tasks")
    if "console_delete" in route.failure.redo:
        assert "Delete a brand in Twilio's Console" in pages.card(source, "tasks")
    if "standard_brand" in route.failure.redo:
        assert "All fees again, as a Standard brand" in pages.card(source, "problems")


def check_fix(session: Session, route: Route) -> None:
    """After the inputs (or what was wrong elsewhere) are fixed, Submit takes the registration past the step."""
    session.mark()
    failure = route.failure
    names = (
        failure.form_fields
        if route.only is None
        else tuple(n for n in failure.form_fields if n in route.only)
    )
    changes = inputs.changes_of(names or inputs_of_actions(route)) if failure.resubmittable == "yes" else {}
    if isinstance(route.accepted_at, str):
        session.hold_before(route.accepted_at)
    if changes:
        pages.edit_and_submit(session, changes)
    else:
        assert pages.submit(session)
    done, expected = (
        session.since,
        promised(failure, route.start) if route.actions is None else list(route.actions),
    )
    if route.start == "live" and not expected:
        # Only Twilio can resolve it.
        session.post(f"number/{session.registration.phone_number.sid}", action="register")
        session.run_now()
    session.go(
        lambda registration: session.gate.held == route.accepted_at or registration.stage == route.accepted_at
    )
    if route.refused:
        made = [entry for entry in done() if re.search(route.refused, entry["path"])]
        assert made, "the refused call was not made again"
        assert set(expected) <= set(actions_of(done()))
        assert session.counts()["duplicates"] == {}
    else:
        assert actions_of(done()) == expected
    assert session.violations() == []
    inputs.assert_at_twilio(session, changes, route.start)


def inputs_of_actions(route: Route) -> tuple[str, ...]:
    """Inputs to change for an entry that names none, but says that person or address are sent again."""
    chosen = {"end_user": "email", "address": "street"}
    return tuple(chosen[action] for action in promised(route.failure, route.start) if action in chosen)
