"""No entry of the catalogue is left out, and each is driven by a way that asserts something."""

from collections import Counter

from registrations.twilio.rejections import FAILURES
from registrations.twilio.rejections.entry import SCOPES
from tests.scenarios.programme import WAYS
from tests.scenarios.writes import AT, CALLS, OTHERWISE, is_dead_end, promised

from . import test_alone, test_by_itself, test_removal


def test_every_entry_is_driven_once_and_by_name() -> None:
    by_way = {way.failure.key for way in WAYS}
    apart = Counter((*test_alone.KEYS, *test_by_itself.KEYS, *test_removal.KEYS))
    assert set(apart.values()) == {1}
    assert by_way & set(apart) == set()
    assert by_way | set(apart) == {failure.key for failure in FAILURES}
    assert len({way.id for way in WAYS}) == len(WAYS)


def test_every_way_leads_to_calls_to_an_end_or_to_the_refused_call() -> None:
    """A way that promises no call and is no dead end would prove nothing."""
    for way in WAYS:
        acts = promised(way.failure, way.scene) if way.acts is None else list(way.acts)
        ends = is_dead_end(way.failure) or way.refused or "retry_later" in way.failure.redo
        assert acts or ends, way.id


def test_the_table_knows_every_act() -> None:
    assert set(CALLS) | OTHERWISE == set(SCOPES) | {"service"}
    assert {act for acts in AT.values() for act in acts} <= set(CALLS)
