"""Objects that Twilio does not delete during a removal: they are listed, and the removal continues."""

import pytest

from registrations.models import RetiredResource
from registrations.models.choices import Stage
from registrations.twilio.rejections import by_key

from . import pages

# code: (the object that stays, the column of its SID, its path)
STAYS = {
    21644: ("profile", "end_user_sid", r"/EndUsers/IT\w+$"),
    21645: ("profile", "supporting_document_sid", r"/SupportingDocuments/RD\w+$"),
    21646: ("profile", "sid", r"/CustomerProfiles/BU\w+$"),
    21647: ("trust_bundle", "sid", r"/TrustProducts/BU\w+$"),
    21648: ("trust_bundle", "sid", r"/TrustProducts/BU\w+$"),
}
KEYS = tuple(map(str, STAYS))


@pytest.mark.parametrize("code", STAYS)
def test_what_stays_is_listed_and_the_removal_continues(code: int, enter) -> None:
    play = enter("trust_bundle")
    part, column, path = STAYS[code]
    sid = getattr(getattr(play.registration, part), column)
    words = f"Words of Twilio's about {code}"
    play.fault(method="DELETE", path=path, action="error", status=400, code=code, message=words, times=0)
    registration = play.registration
    assert pages.press(play, "remove", revision=str(registration.revision), label=registration.label)
    play.go(lambda registration: registration.stage == Stage.REMOVED and registration.waiting_for == "nobody")

    source = pages.source_of(play)
    assert f"code {code}: {words}" in pages.card(source, "timeline")
    assert pages.card(source, "problems") == "", "nobody is asked to fix anything"
    assert sid in pages.text_of(source)
    kept = RetiredResource.objects.get(registration_id=play.pk, sid=sid)
    assert kept.missing_since is None
    assert by_key(str(code)).redo == ("retry_later",)
    assert by_key(str(code)).resubmittable == "after_fix_elsewhere"
