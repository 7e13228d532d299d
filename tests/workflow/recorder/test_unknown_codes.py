"""What the catalogue does not know is collected, and stays when the registration is fixed."""

import pytest

from registrations.models import Campaign, OpenProblem, UnknownTwilioCode
from registrations.workflow.runner import runner
from tests.admin.conftest import person
from tests.factories import make_registration

pytestmark = pytest.mark.django_db
LIST = "/admin/registrations/openproblem/unknown-codes/"
NEW_CODE = {
    "error_code": 39999,
    "fields": ["MESSAGE_FLOW", "NEW_THING"],
    "description": "Ann of Ann Lee Nails 12.",
}
KNOWN = {"error_code": 30886, "fields": ["USE_CASE_DESCRIPTION"], "description": "Too short."}


def refused(*errors: object):
    return make_registration("campaign", answer={"campaign_status": "FAILED", "errors": list(errors)})


def collected() -> set[tuple[str, str, str, int]]:
    return {(row.part, row.kind, row.value, row.occurrences) for row in UnknownTwilioCode.objects.all()}


def test_codes_and_fields_are_collected_once_for_each_registration(client):
    refused(KNOWN)
    assert collected() == set()
    first, second = refused(NEW_CODE), refused(NEW_CODE, KNOWN)
    runner.refresh_status(second.pk)
    kept = {("campaign", "code", "39999", 2), ("campaign", "field", "NEW_THING", 2)}
    assert collected() == kept

    # Fixed registrations drop out, but what they revealed stays, without their data.
    Campaign.objects.update(errors=[], status="VERIFIED")
    for registration in (first, second):
        runner.refresh_status(registration.pk)
    assert not OpenProblem.objects.filter(code=39999).exists()
    assert collected() == kept
    assert {row.message for row in UnknownTwilioCode.objects.all()} == {"••• of ••• #."}

    client.force_login(person("looker", "view_registration"))
    page = client.get(LIST).content.decode()
    for text in ("39999", "NEW_THING", second.label):
        assert text in page


def test_a_reason_as_text_is_collected_without_an_address():
    words = "Moon phase unsuitable. Address suggestion -> Street: 5 Elm Rd."
    for _ in range(2):
        registration = make_registration("profile", answer={"status": "twilio-rejected"})
        registration.profile.failure_reason = words
        registration.profile.save()
        runner.refresh_status(registration.pk)
    [row] = UnknownTwilioCode.objects.all()
    assert (row.part, row.kind, row.occurrences) == ("profile", "message", 2)
    assert row.message == "Moon phase unsuitable. #"


def test_the_page_says_when_there_is_nothing(client):
    client.force_login(person("looker", "view_registration"))
    assert "No unrecognized errors yet" in client.get(LIST).content.decode()
