"""The pages of money and prices."""

import csv
import io
import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone
from openpyxl import load_workbook

from registrations.models import ApiCall, Batch, Campaign, Fee
from registrations.models.choices import CallState
from registrations.workflow import prices, spending
from tests.admin.conftest import browser, person
from tests.customers import make_draft

pytestmark = pytest.mark.django_db
URL = "/admin/registrations/fee/spending/"
PRICES = "/admin/registrations/fee/"


@pytest.fixture
def viewer(db):
    return browser(person("vi", "view_registration", "view_apicall", "view_fee"))


def pay(registration, step="brand.create", fee="4.50", at=None, **values):
    at = at or timezone.now()
    return ApiCall.objects.create(
        registration=registration,
        step=step,
        fee=Decimal(fee),
        started_at=at,
        finished_at=at,
        **{"state": CallState.OK, "actor": "ann", **values},
    )


def on(year, month, day=15, hour=12):
    return datetime(year, month, day, hour, tzinfo=UTC)


@pytest.fixture
def registration(db):
    return make_draft("Ann's Nails")


# --- sums -------------------------------------------------------------------------------------------------------
def test_every_paid_step_is_charged_as_one_kind():
    assert spending.FEE_KINDS == {
        "brand.create": "brand",
        "campaign.create": "campaign_vetting",
        "campaign.update": "campaign_vetting",
        "number.buy": "number_monthly",
        "preflight.lookup": "lookup",
    }
    assert set(spending.FEE_KINDS.values()) == set(spending.KIND_LABELS)


def test_months_by_kind_of_good_calls_alone(registration):
    pay(registration, at=on(2025, 3))
    pay(registration, "campaign.create", "15.00", at=on(2025, 3), state=CallState.FOUND)
    pay(registration, "campaign.update", "15.00", at=on(2025, 3))
    pay(registration, "brand.create", "4.50", at=on(2025, 3), state=CallState.REJECTED)
    pay(registration, "number.buy", "1.15", at=on(2025, 12, 31, 23))
    pay(registration, at=on(2024, 12, 31, 23))
    pay(registration, at=on(2026, 1, 1, 0))
    months = spending.months(2025)
    assert [month.first for month in months][::11] == [date(2025, 1, 1), date(2025, 12, 1)]
    march, december = months[2], months[11]
    assert march.by_kind == {"brand": Decimal("4.50"), "campaign_vetting": Decimal("30.00")}
    assert (march.total, march.calls) == (Decimal("34.50"), 3)
    assert december.by_kind == {"number_monthly": Decimal("1.15")}
    assert sum(month.calls for month in months) == 4


def test_a_month_begins_at_midnight_here(registration, settings):
    settings.TIME_ZONE = "America/New_York"
    pay(registration, at=on(2025, 6, 1, 3))
    with timezone.override("America/New_York"):
        months = spending.months(2025)
        assert [month.calls for month in months[4:6]] == [1, 0]
        assert spending.paid(spending.Period.month(2025, 5)).count() == 1


@pytest.mark.parametrize("year", [2024, 2025])
def test_periods_meet_without_gap_or_overlap(year):
    months = [spending.Period.month(year, month) for month in range(1, 13)]
    assert all(one.ends == other.begins for one, other in itertools.pairwise(months))
    assert (months[0].begins, months[-1].ends) == (
        spending.Period.year(year).begins,
        spending.Period.year(year).ends,
    )


def test_by_registration_and_by_bulk_work(registration):
    other = make_draft("Bob")
    batch = Batch.objects.create(kind="submit", actor="ann")
    pay(registration)
    pay(registration, "campaign.create", "15.00", batch=batch)
    pay(other, batch=batch)
    rows = list(spending.by_registration(spending.paid()))
    assert [(row["registration__label"], row["sum"], row["calls"]) for row in rows] == [
        ("Ann's Nails", Decimal("19.50"), 2),
        ("Bob", Decimal("4.50"), 1),
    ]
    rows = list(spending.by_batch(spending.paid()))
    assert [(row["batch_id"], row["sum"], row["calls"]) for row in rows] == [(batch.pk, Decimal("19.50"), 2)]


def test_what_runs_on_each_month_is_estimated_at_todays_prices(registration):
    Campaign.objects.filter(registration=registration).update(sid="QE1", status="verified")
    rejected = make_draft("Rejected")
    Campaign.objects.filter(registration=rejected).update(sid="QE2", status="FAILED")
    number = registration.phone_number
    number.sid, number.purchase_confirmed_at = "PN1", timezone.now()
    number.save()
    assert spending.monthly_estimate(*spending.billed_monthly_counts()) == spending.MonthlyEstimate(
        1, Decimal("2.00"), 1, Decimal("1.15")
    )
    assert spending.monthly_estimate(*spending.billed_monthly_counts()).total == Decimal("3.15")
    Fee.objects.create(kind="campaign_monthly", valid_from=timezone.localdate(), amount="1.50")
    assert spending.monthly_estimate(*spending.billed_monthly_counts()).total == Decimal("2.65")


# --- the page ---------------------------------------------------------------------------------------------------
def test_the_page_shows_sums_and_leads_to_each_call(viewer, registration):
    run = pay(registration)
    page = viewer.get(URL).content.decode()
    assert "$4.50" in page
    assert f"/admin/registrations/apicall/{run.pk}/change/" in page
    assert registration.get_absolute_url() in page
    assert "Twilio&#x27;s invoice is authoritative" in page or "Twilio's invoice is authoritative" in page


def test_filters_by_month_and_kind(viewer, registration):
    pay(registration, at=on(2025, 3))
    pay(registration, "campaign.create", "15.00", at=on(2025, 3))
    pay(registration, at=on(2025, 4))

    def listed(query):
        return [run.step for run in viewer.get(URL + query).context["rows"]]

    assert len(listed("?period=2025")) == 3
    assert listed("?period=2025-03") == ["campaign.create", "brand.create"]
    assert listed("?period=2025-03&kind=brand") == ["brand.create"]
    assert listed("?period=2025-05") == []
    shown = viewer.get(URL + "?period=2025-03&kind=brand")
    assert shown.context["spent"] == Decimal("4.50")
    for view in ("registrations", "batches"):
        assert viewer.get(f"{URL}?period=2025&view={view}").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "period=x",
        "period=2025-13",
        "period=2025-00",
        "period=99999999",
        "period=0001",
        "period=²",
        "kind=x",
        "view=x",
        "p=x",
        "p=999",
    ],
)
def test_nonsense_in_the_address_shows_this_year(viewer, query):
    answer = viewer.get(f"{URL}?{query}")
    assert answer.status_code == 200
    assert answer.context["selection"].year in (timezone.localdate().year, 2025)


def test_bulk_work_is_named_and_led_to_by_who_may_see_it(viewer, registration):
    batch = Batch.objects.create(kind="submit", actor="ann")
    pay(registration, batch=batch)
    agent = browser(person("bulk", "view_registration", "view_apicall", "bulk_registration"))
    assert f"/batch/{batch.pk}/" in agent.get(f"{URL}?view=batches").content.decode()
    assert f"/batch/{batch.pk}/" not in viewer.get(f"{URL}?view=batches").content.decode()


def test_the_number_of_queries_does_not_grow(viewer, registration, django_assert_max_num_queries):
    for number in range(60):
        pay(make_draft(f"Registration {number}") if number % 20 == 0 else registration, batch=None)
    for view in ("calls", "registrations", "batches"):
        with django_assert_max_num_queries(20):
            viewer.get(f"{URL}?view={view}")


def test_who_may_not_see_the_ledger_sees_no_money(db):
    nobody = browser(person("nobody", "view_registration"))
    assert nobody.get(URL).status_code == 403
    assert nobody.get(f"{URL}csv/").status_code == 403


def test_the_page_is_for_looking(viewer):
    assert viewer.post(URL).status_code == 405
    assert viewer.post(f"{URL}csv/").status_code == 405


# --- the file ---------------------------------------------------------------------------------------------------
def test_csv_and_xlsx_hold_the_same_lines_and_no_formula(viewer):
    registration = make_draft("=1+1")
    pay(registration, at=on(2025, 3), sid="BN1")
    pay(registration, "campaign.create", "15.00", at=on(2025, 4))
    answer = viewer.get(f"{URL}csv/?period=2025-03")
    lines = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert tuple(lines[0]) == spending.HEADER
    assert len(lines) == 2
    assert lines[1][1] == "'=1+1"
    assert (lines[1][4], lines[1][6], lines[1][7]) == ("brand.create", "4.50", "BN1")
    assert "no-store" in answer.headers["Cache-Control"]
    book = load_workbook(io.BytesIO(b"".join(viewer.get(f"{URL}xlsx/?period=2025").streaming_content)))
    rows = list(book.active.iter_rows(values_only=True))
    assert len(rows) == 3
    assert rows[1][6] == 15
    assert viewer.get(f"{URL}pdf/").status_code == 404


# --- prices -----------------------------------------------------------------------------------------------------
def test_the_newest_price_that_has_begun_counts(settings):
    today = timezone.localdate()
    assert prices.price("brand") == settings.A2P_FEES["brand"]
    Fee.objects.create(kind="brand", valid_from=today - timedelta(days=30), amount="4.00")
    Fee.objects.create(kind="brand", valid_from=today, amount="5.00")
    Fee.objects.create(kind="brand", valid_from=today + timedelta(days=1), amount="9.00")
    assert prices.price("brand") == Decimal("5.00")
    assert prices.price("brand", today - timedelta(days=1)) == Decimal("4.00")
    assert prices.price("brand", today + timedelta(days=1)) == Decimal("9.00")
    assert prices.price("brand", today - timedelta(days=31)) == settings.A2P_FEES["brand"]
    assert prices.prices()["campaign_vetting"] == settings.A2P_FEES["campaign_vetting"]
    Fee.objects.filter(valid_from=today).first().delete()
    assert prices.price("brand") == Decimal("4.00")
    with pytest.raises(KeyError):
        prices.price("lunch")


def test_many_questions_cost_one_query(django_assert_num_queries):
    prices.clear_cache()
    with django_assert_num_queries(1):
        for _ in range(50):
            prices.prices()


def test_a_new_price_is_asked_before_the_click_and_noted_with_the_call(viewer, registration):
    Fee.objects.create(kind="brand", valid_from=timezone.localdate(), amount="7.77")
    boss = browser(person("boss", superuser=True))
    page = boss.get(f"/admin/registrations/registration/{registration.pk}/confirm/submit/").content.decode()
    assert "$7.77" in page
    assert "$22.77" in page


def test_prices_are_changed_by_who_may_and_the_change_is_in_the_history(viewer):
    data = {"kind": "brand", "valid_from": "2025-01-01", "amount": "4.25", "source": "Twilio's price page"}
    assert viewer.get(PRICES).status_code == 200
    assert viewer.post(f"{PRICES}add/", data).status_code == 403
    keeper = browser(person("kim", "view_fee", "add_fee", "change_fee"))
    assert keeper.post(f"{PRICES}add/", data).status_code == 302
    fee = Fee.objects.get()
    assert fee.amount == Decimal("4.25")
    keeper.post(f"{PRICES}{fee.pk}/change/", data | {"amount": "4.30"})
    assert prices.price("brand", date(2025, 6, 1)) == Decimal("4.30")
    assert [entry.user.username for entry in LogEntry.objects.all()] == ["kim", "kim"]
    assert "Current" in viewer.get(PRICES).content.decode()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": "-1"}, "amount"),
        ({"amount": "x"}, "amount"),
        ({"kind": "lunch"}, "kind"),
        ({"valid_from": ""}, "valid_from"),
    ],
)
def test_a_wrong_price_is_refused_at_its_field(change, field):
    boss = browser(person("boss", superuser=True))
    data = {"kind": "brand", "valid_from": "2025-01-01", "amount": "4.25", "source": ""} | change
    answer = boss.post(f"{PRICES}add/", data)
    assert field in answer.context["adminform"].form.errors
    assert not Fee.objects.exists()


def test_two_prices_of_one_day_are_refused(db):
    boss = browser(person("boss", superuser=True))
    data = {"kind": "brand", "valid_from": "2025-01-01", "amount": "4.25", "source": ""}
    boss.post(f"{PRICES}add/", data)
    assert boss.post(f"{PRICES}add/", data).status_code == 200
    assert Fee.objects.count() == 1


def test_look_ups_have_a_column_once_there_is_one(registration, viewer):
    assert "Mobile lookup" not in viewer.get(URL).content.decode()
    spending.record_lookup(registration, actor="ann")
    page = viewer.get(URL).content.decode()
    assert "Mobile lookup" in page
    assert "$0.008" in page
    assert "Look up the mobile&#x27;s line type" in page
