"""Every entry of the catalogue: Twilio says it, the pages tell it, and what the entry advises works."""

import re

import pytest

from tests.scenarios.programme import WAYS
from tests.scenarios.scenes import Play
from tests.scenarios.ways import Way, by_bundle_code, by_reason
from tests.scenarios.writes import PAID, acts_of, is_dead_end, promised

from . import inputs, pages


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.id)
def test_entry(way: Way, enter) -> None:
    play: Play = enter(way.scene)
    words = way.meet(play, way.failure, f"Words of Twilio's about {way.failure.key}.")
    pages.assert_told(play, way.failure, words)
    pages.assert_told_in_form(play, way.failure)
    if is_dead_end(way.failure):
        leads_nowhere(play, way, words)
    else:
        is_mended(play, way)


def leads_nowhere(play: Play, way: Way, words: str) -> None:
    """Nothing is paid for even when Submit is pressed, and the page says who can help."""
    play.mark()
    pages.submit(play)
    if way.meet in (by_bundle_code, by_reason):
        # A bundle is put before Twilio again, free of charge, and refused again.
        play.go(lambda registration: registration.profile.status != "twilio-rejected")
        way.meet(play, way.failure, words)
    play.go()
    assert not set(acts_of(play.since())) & set(PAID)
    pages.assert_told(play, way.failure, words)
    source = pages.source_of(play)
    if "support" in way.failure.redo:
        assert "Text for Twilio's support" in pages.card(source, "tasks")
    if "console_delete" in way.failure.redo:
        assert "Delete a brand in Twilio's Console" in pages.card(source, "tasks")
    if "standard_brand" in way.failure.redo:
        assert "All fees again, as a Standard brand" in pages.card(source, "problems")


def is_mended(play: Play, way: Way) -> None:
    """The named inputs, or what was wrong elsewhere, are corrected, and Submit gets the registration past the step."""
    play.mark()
    failure = way.failure
    names = (
        failure.form_fields if way.only is None else tuple(n for n in failure.form_fields if n in way.only)
    )
    changes = inputs.changes_of(names or by_acts(way)) if failure.resubmittable == "yes" else {}
    if isinstance(way.beyond, str):
        play.hold_before(way.beyond)
    if changes:
        pages.edit_and_submit(play, changes)
    else:
        assert pages.submit(play)
    done, expected = play.since, promised(failure, way.scene) if way.acts is None else list(way.acts)
    if way.scene == "live" and not expected:
        # Nobody here can do anything: it ends at Twilio.
        play.post(f"number/{play.registration.phone_number.sid}", action="register")
        play.ring_now()
    play.go(lambda registration: play.gate.held == way.beyond or registration.stage == way.beyond)
    if way.refused:
        made = [entry for entry in done() if re.search(way.refused, entry["path"])]
        assert made, "the refused call was not made again"
        assert set(expected) <= set(acts_of(done()))
        assert play.counts()["duplicates"] == {}
    else:
        assert acts_of(done()) == expected
    assert play.violations() == []
    inputs.assert_at_twilio(play, changes, way.scene)


def by_acts(way: Way) -> tuple[str, ...]:
    """Inputs that stand for an entry that names none, but says that person and address are sent again."""
    chosen = {"end_user": "email", "address": "street"}
    return tuple(chosen[act] for act in promised(way.failure, way.scene) if act in chosen)
