"""Codes that need no person: the page explains them, and the worker continues by itself."""

import pytest

from registrations.models.choices import WaitingFor
from registrations.twilio.rejections import by_key
from tests.scenarios.writes import CALLS, actions_of

from . import pages

PERSON = r"/v1/EndUsers$"
# {code: its HTTP status}. After a 5xx it is unknown whether the call was executed.
BUSY = {20429: 429, 20409: 409, 20412: 412, 20162: 409, 21726: 400, 21730: 400, 22404: 400}
UNCLEAR = {20500: 500, 20503: 503, 20504: 504}
REFUSED_US = {20003: 401, 20005: 403, 20006: 403, 20008: 403, 20010: 403, 20403: 403}
BRAND = {21726, 21730}
KEYS = tuple(map(str, (*BUSY, *UNCLEAR, *REFUSED_US)))


@pytest.mark.parametrize("code", [*BUSY, *UNCLEAR, *REFUSED_US])
def test_continues_by_itself(code: int, enter) -> None:
    failure = by_key(str(code))
    scene, path, beyond = ("trust_bundle", "/BrandRegistrations$", "campaign.create_service")
    if code not in BRAND:
        scene, path, beyond = ("start", PERSON, "trust_bundle.create")
    play = enter(scene)
    status = (BUSY | UNCLEAR | REFUSED_US)[code]
    words = f"Words of Twilio's about {code}"
    play.fault(method="POST", path=path, action="error", status=status, code=code, message=words)
    play.go(lambda registration: str(code) in registration.reason)

    registration = play.registration
    source = pages.source_of(play)
    status_line = pages.text_of(source)
    for text in (failure.title, words, str(code)):
        assert text in status_line, text
    assert pages.card(source, "problems") == "", "nobody is asked to fix anything"
    expected = WaitingFor.US if code in REFUSED_US else WaitingFor.TWILIO
    assert registration.waiting_for == (WaitingFor.WORKER if code in UNCLEAR else expected)
    assert ("operator" in failure.redo) == (code in REFUSED_US)
    assert "retry_later" in failure.redo or code in REFUSED_US
    assert ("Ask your administrator" in status_line) == (code in REFUSED_US)

    play.mark()
    play.hold_before(beyond)
    play.go(lambda registration: bool(play.gate.held) or registration.stage == "otp")
    assert play.counts()["duplicates"] == {}
    assert play.violations() == []
    assert actions_of(play.since())[0] == ("new_brand" if code in BRAND else "end_user")
    assert set(actions_of(play.since())) <= set(CALLS)
