"""Objects that Twilio does not delete while a registration is removed: they are listed, and the removal ends."""

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
def test_what_stays_is_listed_and_the_registration_goes_on(code: int, enter) -> None:
    session = enter("trust_bundle")
    part, column, path = STAYS[code]
    sid = getattr(getattr(session.registration, part), column)
    words = f"Words of Twilio's about {code}"
    session.fault(method="DELETE", path=path, action="error", status=400, code=code, message=words, times=0)
    registration = session.registration
    assert pages.press(session, "remove", revision=str(registration.revision), label=registration.label)
    session.go(
        lambda registration: registration.stage == Stage.REMOVED and registration.waiting_for == "nobody"
    )

    source = pages.source_of(session)
    assert f"code {code}: {words}" in pages.card(source, "timeline")
    assert pages.card(source, "problems") == "", "nobody is asked to mend anything"
    assert sid in pages.text_of(source)
    kept = RetiredResource.objects.get(registration_id=session.pk, sid=sid)
    assert kept.missing_since is None
    assert by_key(str(code)).redo == ("retry_later",)
    assert by_key(str(code)).resubmittable == "after_fix_elsewhere"
