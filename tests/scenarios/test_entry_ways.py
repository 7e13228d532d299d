"""No catalogue entry is left out, and each one's test asserts something."""

from collections import Counter

from registrations.twilio.rejections import FAILURES
from registrations.twilio.rejections.entry import SCOPES
from tests.scenarios.entry_ways import WAYS
from tests.scenarios.writes import AT, CALLS, OTHERWISE, is_dead_end, promised

from . import test_alone, test_by_itself, test_removal


def test_every_entry_is_tested_once_and_by_name() -> None:
    by_way = {way.failure.key for way in WAYS}
    apart = Counter((*test_alone.KEYS, *test_by_itself.KEYS, *test_removal.KEYS))
    assert set(apart.values()) == {1}
    assert by_way & set(apart) == set()
    assert by_way | set(apart) == {failure.key for failure in FAILURES}
    assert len({way.id for way in WAYS}) == len(WAYS)


def test_every_way_leads_to_calls_to_a_dead_end_or_to_the_rejected_call() -> None:
    """A way without calls that is no dead end would prove nothing."""
    for way in WAYS:
        actions = promised(way.failure, way.scene) if way.actions is None else list(way.actions)
        ends = is_dead_end(way.failure) or way.refused or "retry_later" in way.failure.redo
        assert actions or ends, way.id


def test_the_table_knows_every_action() -> None:
    assert set(CALLS) | OTHERWISE == set(SCOPES) | {"service"}
    assert {action for actions in AT.values() for action in actions} <= set(CALLS)
