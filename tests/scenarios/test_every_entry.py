"""Every catalogue entry: Twilio reports it, the pages show it, and the entry's advice works."""

import re

import pytest

from tests.scenarios.entry_ways import WAYS
from tests.scenarios.scenes import Play
from tests.scenarios.ways import Way, by_bundle_code, by_reason
from tests.scenarios.writes import PAID, actions_of, is_dead_end, promised

from . import inputs, pages


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.id)
def test_entry(way: Way, enter) -> None:
    play: Play = enter(way.scene)
    words = way.meet(play, way.failure, f"Words of Twilio's about {way.failure.key}.")
    pages.assert_shown(play, way.failure, words)
    pages.assert_shown_in_form(play, way.failure)
    if is_dead_end(way.failure):
        leads_nowhere(play, way, words)
    else:
        is_fixed(play, way)


def leads_nowhere(play: Play, way: Way, words: str) -> None:
    """Nothing is charged even after Submit, and the page says who can help."""
    play.mark()
    pages.submit(play)
    if way.meet in (by_bundle_code, by_reason):
        # A bundle is submitted again, free of charge, and rejected again.
        play.go(lambda registration: registration.profile.status != "twilio-rejected")
        way.meet(play, way.failure, words)
    play.go()
    assert not set(actions_of(play.since())) & set(PAID)
    pages.assert_shown(play, way.failure, words)
    source = pages.source_of(play)
    if "support" in way.failure.redo:
        assert "Message for Twilio Support" in pages.card(source, "tasks")
    if "console_delete" in way.failure.redo:
        assert "Delete a brand in Twilio's Console" in pages.card(source, "tasks")
    if "standard_brand" in way.failure.redo:
        assert "All fees again, as a Standard brand" in pages.card(source, "problems")


def is_fixed(play: Play, way: Way) -> None:
    """The named inputs are fixed, or the cause elsewhere is, and Submit takes the registration past the step."""
    play.mark()
    failure = way.failure
    names = (
        failure.form_fields if way.only is None else tuple(n for n in failure.form_fields if n in way.only)
    )
    changes = inputs.changes_of(names or by_actions(way)) if failure.resubmittable == "yes" else {}
    if isinstance(way.beyond, str):
        play.hold_before(way.beyond)
    if changes:
        pages.edit_and_submit(play, changes)
    else:
        assert pages.submit(play)
    done, expected = play.since, promised(failure, way.scene) if way.actions is None else list(way.actions)
    if way.scene == "live" and not expected:
        # Nobody here can do anything: only Twilio can.
        play.post(f"number/{play.registration.phone_number.sid}", action="register")
        play.run_now()
    play.go(lambda registration: play.gate.held == way.beyond or registration.stage == way.beyond)
    if way.refused:
        made = [entry for entry in done() if re.search(way.refused, entry["path"])]
        assert made, "the rejected call was not made again"
        assert set(expected) <= set(actions_of(done()))
        assert play.counts()["duplicates"] == {}
    else:
        assert actions_of(done()) == expected
    assert play.violations() == []
    inputs.assert_at_twilio(play, changes, way.scene)


def by_actions(way: Way) -> tuple[str, ...]:
    """Inputs to change for an entry that names none, but says that the person or address is sent again."""
    chosen = {"end_user": "email", "address": "street"}
    return tuple(chosen[action] for action in promised(way.failure, way.scene) if action in chosen)
