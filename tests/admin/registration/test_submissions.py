"""Each submission of a registration, and two of them compared."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registrations.models import Registration, Submission
from registrations.models.choices import Stage
from tests.admin.conftest import page_url
from tests.factories import make_registration

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>"


def sent(registration: Registration, part: str, number: int, **values) -> Submission:
    fields = {"status": "FAILED", "errors": [], **values.pop("answer", {})}
    registration.submissions.filter(part=part, number=number).delete()
    return Submission.objects.create(
        registration=registration,
        part=part,
        number=number,
        step=f"{part}.create" if number == 1 else f"{part}.update",
        accepted_params=values,
        actor="ann",
        submitted_at=timezone.now(),
        **fields,
    )


@pytest.fixture
def registration(db) -> Registration:
    registration = make_registration(Stage.CAMPAIGN)
    registration.submissions.all().delete()
    return registration


def test_nothing_submitted_yet(boss):
    page = boss.get(page_url(make_registration(), "submissions")).content.decode()
    assert "Nothing has been submitted yet" in page


def test_a_submission_without_an_answer_says_so(boss, registration):
    sent(registration, "campaign", 1, answer={"status": ""})
    assert "No answer yet" in boss.get(page_url(registration, "submissions")).content.decode()


def test_every_submission_with_its_result_and_all_its_errors(boss, registration):
    errors = [{"error_code": 30909, "description": "No call to action."}, {"code": 30886}]
    sent(registration, "campaign", 1, description="First.", answer={"errors": errors})
    sent(registration, "campaign", 2, description="Second.", answer={"status": "IN_PROGRESS"})
    sent(registration, "brand", 1, answer={"status": "NEW_WORD", "failure_reason": "A reason in words."})
    page = boss.get(page_url(registration, "submissions")).content.decode()
    assert page.index("Brand</h2>") < page.index("Campaign</h2>"), "in the order of the walkthrough"
    for words in (
        "30909",
        "No call to action.",
        "30886",
        "In review",
        "NEW_WORD",
        "A reason in words.",
        "by ann",
    ):
        assert words in page
    assert page.count("Compare<span") == 1, "one submission cannot be compared"
    campaign = page.split("Campaign</h2>")[1]
    assert campaign.index("Submission 2") < campaign.index("Submission 1")


def test_the_values_of_a_single_submission(boss, registration):
    one = sent(
        registration,
        "brand",
        1,
        bundle={"sole_proprietor": {"mobile_phone_number": "+14155550100", "vertical": ""}},
    )
    page = boss.get(page_url(registration, "submissions")).content.decode()
    values = page.split(f'id="sent-{one.pk}"')[1].split("</details>")[0]
    assert "Values sent in submission 1" in values
    assert '<dt>Mobile for the OTP text</dt><dd class="prewrap">+14155550100</dd>' in values
    assert "Industry" not in values


def test_two_submissions_compared_the_older_first(boss, registration):
    one = sent(
        registration, "campaign", 1, description="First words.", message_samples=["a", "b"], age_gated=False
    )
    two = sent(
        registration, "campaign", 2, description="Other words.", message_samples=["a", "b"], age_gated=True
    )
    for a, b in ((one, two), (two, one)):
        page = boss.get(page_url(registration, "submissions"), {"a": a.pk, "b": b.pk}).content.decode()
        table = page.split('id="comparison"')[1].split("</table>")[0]
        assert table.index("First words.") < table.index("Other words.")
        assert table.count('class="differs"') == 2
        assert "Message samples" not in table
        assert "1 value unchanged" in page


def test_two_identical_submissions(boss, registration):
    one, two = (sent(registration, "brand", n, brand_name="Ann") for n in (1, 2))
    page = boss.get(page_url(registration, "submissions"), {"a": one.pk, "b": two.pk}).content.decode()
    assert "Both submissions are the same" in page


def test_submissions_that_cannot_be_compared(boss, registration):
    brand, campaign = sent(registration, "brand", 1), sent(registration, "campaign", 1)
    other = sent(make_registration(Stage.BRAND), "brand", 1, brand_name="Not yours")
    for a, b in ((brand.pk, campaign.pk), (brand.pk, brand.pk), (brand.pk, other.pk), ("x", "1")):
        page = boss.get(page_url(registration, "submissions"), {"a": a, "b": b}).content.decode()
        assert "Select two different submissions" in page
        assert "Not yours" not in page


def test_hostile_values_are_escaped(boss, registration):
    one = sent(
        registration, "campaign", 1, description=HOSTILE, answer={"errors": [{"code": 1, "message": HOSTILE}]}
    )
    two = sent(
        registration, "campaign", 2, description="x", answer={"status": HOSTILE, "failure_reason": HOSTILE}
    )
    page = boss.get(page_url(registration, "submissions"), {"a": one.pk, "b": two.pk}).content.decode()
    assert "<script>alert" not in page


def test_permissions(viewer, nobody, registration):
    assert viewer.get(page_url(registration, "submissions")).status_code == 200
    assert nobody.get(page_url(registration, "submissions")).status_code == 403
    assert viewer.post(page_url(registration, "submissions")).status_code == 405


def test_queries_do_not_grow_with_the_submissions(boss, registration):
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            boss.get(page_url(registration, "submissions"))
        return len(asked)

    sent(registration, "campaign", 1)
    queries()
    few = queries()
    for number in range(2, 6):
        sent(registration, "campaign", number)
    assert queries() == few <= 10
