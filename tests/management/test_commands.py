"""The commands as a shell sees them: output and exit status."""

import csv
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from registrations.intake.form import CSV_COLUMNS
from registrations.management.commands import import_registrations
from registrations.models import PhoneNumber, Registration
from registrations.operations import actions
from registrations.operations.imports import read_rows
from tests.customers import make_draft
from tests.operations.imports.files import csv_bytes

pytestmark = pytest.mark.django_db


def run(*args) -> tuple[int, str, str]:
    out, err, status = StringIO(), StringIO(), 0
    try:
        call_command(*args, stdout=out, stderr=err)
    except SystemExit as leave:
        status = leave.code
    return status, out.getvalue(), err.getvalue()


@pytest.fixture
def table(tmp_path):
    def write(*rows, **options):
        path = tmp_path / "customers.csv"
        path.write_bytes(csv_bytes(*rows, **options))
        return str(path)

    return write


def test_import_prints_each_row_and_a_summary(table):
    status, out, _ = run("import_registrations", table({"external_id": "1"}, {"external_id": "2"}))
    assert status == 0
    assert "row 2 (1): created" in out
    assert out.endswith("2 created.\n")


def test_import_fails_when_a_row_failed_and_names_row_and_column(table):
    status, out, _ = run("import_registrations", table({"external_id": "1"}, {"email": "x"}))
    assert status == 1
    assert "row 3: error" in out
    assert "error, email: This is not an email address" in out
    assert Registration.objects.count() == 1


def test_import_as_json_keeps_the_summary_off_stdout(table):
    status, out, err = run(
        "import_registrations", "--json", "--dry-run", table({"external_id": "1"}, {"email": "x"})
    )
    good, bad = (json.loads(text) for text in out.splitlines())
    assert (status, good["row"], good["outcome"], bad["row"], bad["failed"]) == (1, 2, "created", 3, True)
    assert set(bad["errors"]) == {"email"}
    assert "nothing written: 1 created, 1 error" in err
    assert not Registration.objects.exists()


def test_import_submits_when_asked(table):
    status, out, _ = run("import_registrations", "--submit", table({"external_id": "1"}))
    assert status == 0
    assert "created registration" in out
    assert "1 submitted" in out
    assert Registration.objects.get().is_submitted


def test_import_warns_of_duplicates_or_skips_them(table, tmp_path):
    make_draft(profile={"email": "ann@example.com"})
    mine = {
        "external_id": "1",
        "email": "Ann@example.com",
        "street": "9 Elm St",
        "mobile_phone_number": "4155550901",
    }
    same = {
        "external_id": "2",
        "email": "kim@example.com",
        "last_name": "Poe",
        "mobile_phone_number": "4155550901",
    }
    _, out, _ = run("import_registrations", "--dry-run", table(mine, same))
    assert "note, email: Same email address as Ann Lee Nails, registration " in out
    assert "note, mobile_phone_number: Same mobile as row 2 of this file." in out
    assert "2 created" in out
    left = tmp_path / "left.csv"
    status, out, _ = run("import_registrations", "--skip-duplicates", f"--left-out={left}", table(mine, same))
    assert (status, Registration.objects.count()) == (0, 2)
    assert "1 created, 1 skipped" in out
    (row,) = csv.DictReader(left.open(encoding="utf-8-sig"))
    assert row["email"] == "Ann@example.com"
    assert row["errors"].startswith("email: Same email address as ")


def test_rows_that_were_not_imported_can_be_fixed_and_imported(table, tmp_path):
    left = tmp_path / "left.csv"
    run(
        "import_registrations",
        f"--left-out={left}",
        table({"external_id": "1"}, {"external_id": "2", "city": ""}),
    )
    with pytest.raises(CommandError, match="is the imported file itself"):
        run("import_registrations", left, f"--left-out={left}")
    text = left.read_text(encoding="utf-8-sig")
    assert "city: This field is required." in text
    left.write_text(text.replace("Lee,", "Poe,").replace(",,MA", ",Salem,MA"))
    assert run("import_registrations", left)[0] == 0
    assert Registration.objects.get(external_id="2").profile.city == "Salem"


def test_import_writes_its_template(tmp_path):
    for kind in ("csv", "xlsx"):
        path = tmp_path / f"customers.{kind}"
        run("import_registrations", "--template", path)
        with path.open("rb") as file:
            assert list(read_rows(file)) == []
        with pytest.raises(CommandError, match="already exists"):
            run("import_registrations", "--template", path)


@pytest.mark.parametrize("content", [None, b"nonsense;columns\n1;2\n", b"PK\x03\x04"])
def test_a_file_that_cannot_be_read_is_an_error_not_a_traceback(tmp_path, content):
    path = tmp_path / "customers.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CommandError):
        call_command("import_registrations", str(path))


def test_every_column_is_documented_in_the_help():
    shown = import_registrations.Command().create_parser("manage.py", "import_registrations").format_help()
    for column in CSV_COLUMNS:
        assert column in shown


def test_plan_shows_calls_fee_and_blockers():
    registration = make_draft()
    status, out, _ = run("plan", str(registration.pk))
    assert status == 0
    assert "  1. " in out
    assert "US$4.50" in out
    _, out, _ = run("plan", str(registration.pk), "--json")
    plan = json.loads(out)
    assert set(plan) == {"calls", "blockers", "fee", "notes", "dead_end"}
    assert {"slug", "label", "fee", "repair", "note"} <= set(plan["calls"][0])
    assert isinstance(plan["fee"], str)


def test_plan_names_what_blocks():
    registration = make_draft(phone_number={"sender_number": "", "area_code": ""})
    _, out, _ = run("plan", str(registration.pk))
    assert "Blocked: " in out


def test_plan_of_an_unknown_registration():
    with pytest.raises(CommandError, match="no registration 404"):
        call_command("plan", "404")


class TestBuyNumbers:
    """A number is bought only when the command line has its price."""

    BUYS = {"external_id": "1", "sender_number": "", "area_code": "415"}

    def number(self) -> PhoneNumber:
        return Registration.objects.get(external_id="1").phone_number

    def test_without_it_the_registration_waits_and_the_option_is_named(self, table):
        status, out, _ = run("import_registrations", "--submit", table(self.BUYS, {"external_id": "2"}))
        assert status == 0
        assert "submitted, waiting to buy a number" in out
        assert "Numbers to buy: 1, $1.15 a month each." in out
        assert "--submit --buy-numbers 1.15" in out
        assert self.number().purchase_confirmed_at is None

    def test_with_it_the_purchase_is_confirmed_also_of_a_registration_that_was_submitted_before(self, table):
        path = table(self.BUYS, {"external_id": "2"})
        run("import_registrations", "--submit", path)
        status, out, _ = run("import_registrations", "--submit", "--buy-numbers", "1.15", path)
        assert status == 0
        assert "row 2 (1): unchanged" in out
        assert "Numbers that will be bought: 1, $1.15 a month each." in out
        assert self.number().purchase_confirmed_by == "import_registrations"
        agreed_at = self.number().purchase_confirmed_at
        _, out, _ = run("import_registrations", "--submit", "--buy-numbers", "1.15", path)
        assert "bought" not in out
        assert self.number().purchase_confirmed_at == agreed_at

    def test_json_shows_the_purchase(self, table):
        _, out, err = run(
            "import_registrations", "--json", "--submit", "--buy-numbers=$1.15", table(self.BUYS)
        )
        assert json.loads(out)["purchase"] == "agreed"
        assert "Numbers that will be bought: 1" in err

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--submit", "--buy-numbers", "1"], r"costs \$1.15 a month, not \$1.00"),
            (["--buy-numbers", "1.15"], "needs --submit"),
            (["--submit", "--buy-numbers", "NaN"], "is not a price"),
            (["--submit", "--buy-numbers", "cheap"], "is not a price"),
        ],
    )
    def test_another_price_is_refused(self, table, options, message):
        with pytest.raises(CommandError, match=message):
            run("import_registrations", *options, table(self.BUYS))
        assert not Registration.objects.exists()

    def test_nothing_is_bought_for_an_unsubmitted_registration(self, table):
        run("import_registrations", table(self.BUYS))
        actions.hold(Registration.objects.get(), reason="x", actor="ann")
        status, out, _ = run("import_registrations", "--submit", "--buy-numbers", "1.15", table(self.BUYS))
        assert status == 1
        assert "bought" not in out
        assert self.number().purchase_confirmed_at is None

    def test_a_dry_run_confirms_no_purchase(self, table):
        run("import_registrations", "--submit", table(self.BUYS))
        run("import_registrations", "--dry-run", "--submit", "--buy-numbers", "1.15", table(self.BUYS))
        assert self.number().purchase_confirmed_at is None
