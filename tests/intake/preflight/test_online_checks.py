"""Online checks: off by default, run in the background, valid only for the inputs that were checked."""

from decimal import Decimal

import pytest

from registrations.intake.preflight import gate, online_checks
from registrations.intake.preflight.fetching import Page
from registrations.operations import actions
from registrations.worker import jobs
from registrations.workflow import spending
from registrations.workflow.runner import runner
from tests.customers import PARTS, make_draft

GOOD_PRIVACY = (
    "<html><h1>Privacy policy</h1><p>"
    + "We keep what you tell us safe. " * 15
    + "Mobile numbers and opt-in data are "
    "not shared with or sold to third parties for marketing.</p></html>"
)
SHARED = "<p>We may share personal information with our partners for their marketing. "
GOOD_TERMS = (
    "<html><h1>Terms and conditions</h1><p>" + "You book with us and we do the nails. " * 15 + "</p></html>"
)


def fetch_from(**pages: Page):
    known = {
        "privacy": Page("https://annlee.example.com/privacy", 200, GOOD_PRIVACY),
        "terms": Page("https://annlee.example.com/terms", 200, GOOD_TERMS),
        "book": Page("https://annlee.example.com/book", 200, "<form><input type=checkbox></form>"),
    } | pages
    return lambda url: known[url.rsplit("/", 1)[-1]]


@pytest.fixture
def fetching_on(settings):
    settings.A2P_PREFLIGHT_FETCH = True


def keys(found) -> list[tuple[str, str, str]]:
    return [(finding.slug, finding.field, finding.severity) for finding in found]


@pytest.mark.django_db
def test_it_is_off_by_default():
    registration = make_draft()
    with pytest.raises(actions.Refused, match="off"):
        actions.request_online_checks(registration, actor="ann")
    assert online_checks.run(registration, fetch=lambda url: pytest.fail("nothing may be fetched")) == []


@pytest.mark.django_db
def test_good_pages_have_no_findings(fetching_on):
    assert keys(online_checks.run(make_draft(), fetch=fetch_from())) == []


PRIVACY, TERMS = "privacy_policy_url", "terms_and_conditions_url"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("page", "answer", "expected"),
    [
        ("privacy", Page("https://annlee.example.com/privacy", 404), ("page-open", PRIVACY, "error")),
        ("terms", Page("https://annlee.example.com/terms", problem="unknown"), ("page-open", TERMS, "error")),
        ("terms", Page("https://annlee.example.com/terms", problem="private"), ("page-open", TERMS, "error")),
        ("terms", Page("https://annlee.example.com/terms", problem="slow"), ("page-open", TERMS, "warning")),
        ("terms", Page("https://annlee.example.com/terms", 403), ("page-open", TERMS, "warning")),
        ("book", Page("https://annlee.example.com/book", 401), ("page-login", "message_flow", "error")),
        ("book", Page("https://annlee.example.com/login?next=book", 200, "x"), ("page-login", "message_flow", "error")),
        (
            "privacy",
            Page("https://annlee.example.com/privacy", 200, GOOD_PRIVACY.replace("not shared", "shared")),
            ("privacy-sharing", PRIVACY, "warning"),
        ),
        (
            "privacy",
            Page("https://annlee.example.com/privacy", 200, GOOD_PRIVACY + SHARED),
            ("privacy-sharing", PRIVACY, "warning"),
        ),
        (
            "privacy",
            Page("https://annlee.example.com/privacy", 200, "%PDF-1.7", content_type="application/pdf"),
            ("page-content", PRIVACY, "warning"),
        ),
        (
            "book",
            Page("https://annlee.example.com/book", 200, "<h1>This domain may be for sale!</h1>"),
            ("page-content", "message_flow", "warning"),
        ),
        (
            "terms",
            Page("https://annlee.example.com/terms", 200, "<p>" + "nails and more nails " * 40),
            ("page-content", TERMS, "warning"),
        ),
        (
            "terms",
            Page("https://annlee.example.com/terms", 200, "<script>render('terms')</script>"),
            ("page-content", TERMS, "warning"),
        ),
    ],
)  # fmt: skip
def test_problems_of_a_page(fetching_on, page, answer, expected):
    assert keys(online_checks.run(make_draft(), fetch=fetch_from(**{page: answer}))) == [expected]


@pytest.mark.django_db
def test_evidence_and_exceptions_are_not_findings(fetching_on):
    photo = Page("https://annlee.example.com/sign-in-sheet.jpg", 200, "\ufffd", content_type="image/jpeg")
    excepted = GOOD_PRIVACY + SHARED + "All of the above exclude text messaging opt-in data and consent."
    policy = Page("https://annlee.example.com/privacy", 200, excepted, content_type="text/html")
    assert keys(online_checks.run(make_draft(), fetch=fetch_from(book=photo, privacy=policy))) == []


@pytest.mark.django_db
def test_an_error_stops_submit_until_the_inputs_change(fetching_on):
    registration = make_draft()
    online_checks.run(registration, fetch=fetch_from(privacy=Page("https://annlee.example.com/privacy", 404)))
    with pytest.raises(actions.Refused, match="does not exist"):
        actions.submit(registration, actor="ann")
    actions.edit(
        registration,
        {"campaign": {"privacy_policy_url": "https://annlee.example.com/legal/privacy"}},
        actor="ann",
    )
    registration = runner.load(registration.pk)
    assert online_checks.latest(registration) is None
    actions.submit(registration, actor="ann")


@pytest.mark.django_db
def test_a_new_run_replaces_the_old_one(fetching_on):
    registration = make_draft()
    online_checks.run(registration, fetch=fetch_from(terms=Page("https://annlee.example.com/terms", 404)))
    assert gate.blocking_errors(registration)
    online_checks.run(registration, fetch=fetch_from())
    assert gate.blocking_errors(registration) == []


@pytest.mark.parametrize(
    ("mobile", "expected"),
    [
        ("+14155552672", []),
        ("+14155550751", [("line-type", "mobile_phone_number", "error")]),
        ("+14155550753", [("line-type", "mobile_phone_number", "error")]),
    ],
)
def test_the_line_type_by_twilios_lookup(harness, settings, mobile, expected):
    settings.A2P_PREFLIGHT_LOOKUP = True
    registration = make_draft(trust_bundle={**PARTS["trust_bundle"], "mobile_phone_number": mobile})
    actions.request_online_checks(registration, actor="ann")
    jobs.run_online_checks(registration.pk)
    assert keys(online_checks.latest(runner.load(registration.pk)) or []) == expected
    event = registration.events.filter(tag=online_checks.TAG).get()
    assert mobile not in event.text + str(event.data), "the timeline holds no personal data"
    assert [entry["path"] for entry in harness.reads()] == [f"/v2/PhoneNumbers/{mobile}"]
    paid = spending.paid(kind="lookup").get()
    assert (paid.registration, paid.fee, paid.actor, paid.request) == (
        registration,
        Decimal("0.008"),
        "ann",
        {},
    )


@pytest.mark.django_db
def test_an_unreachable_twilio_is_only_a_warning(settings):
    settings.A2P_PREFLIGHT_LOOKUP = True
    found = online_checks.run(make_draft())
    assert keys(found) == [("line-type", "mobile_phone_number", "warning")]
    assert not spending.paid().exists()
