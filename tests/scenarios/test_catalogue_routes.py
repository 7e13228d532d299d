"""No catalogue entry is left out, and each has a route that asserts something."""

from collections import Counter

from registrations.twilio.rejections import FAILURES
from registrations.twilio.rejections.entry import SCOPES
from tests.scenarios.actions import AT, CALLS, OTHERWISE, is_dead_end, promised
from tests.scenarios.catalogue_routes import ROUTES

from . import test_automatic_retries, test_removal, test_special_entries


def test_every_entry_has_exactly_one_kind_of_test() -> None:
    by_route = {route.failure.key for route in ROUTES}
    apart = Counter((*test_special_entries.KEYS, *test_automatic_retries.KEYS, *test_removal.KEYS))
    assert set(apart.values()) == {1}
    assert by_route & set(apart) == set()
    assert by_route | set(apart) == {failure.key for failure in FAILURES}
    assert len({route.id for route in ROUTES}) == len(ROUTES)


def test_every_route_ends_with_calls_a_dead_end_or_the_refused_call() -> None:
    """A route without a call that is not a dead end either would prove nothing."""
    for route in ROUTES:
        actions = promised(route.failure, route.start) if route.actions is None else list(route.actions)
        ends = is_dead_end(route.failure) or route.refused or "retry_later" in route.failure.redo
        assert actions or ends, route.id


def test_every_action_is_in_the_table() -> None:
    assert set(CALLS) | OTHERWISE == set(SCOPES) | {"service"}
    assert {action for actions in AT.values() for action in actions} <= set(CALLS)
