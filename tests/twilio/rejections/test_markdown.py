"""docs/failures.md is the catalogue, no more and no less."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from registrations.twilio.rejections import FAILURES
from registrations.twilio.rejections.markdown import render

PAGE = Path(settings.BASE_DIR) / "docs" / "failures.md"


def test_page_and_catalogue_agree() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run manage.py failure_table"


def test_page_has_a_row_for_each_entry_with_all_cells() -> None:
    rows = [line for line in render().splitlines() if line.startswith(("| [", "| `"))]
    assert len(rows) == len(FAILURES)
    assert {row.replace("\\|", "").count("|") for row in rows} == {9}


def test_command_writes_and_checks(tmp_path: Path, settings: object) -> None:
    settings.BASE_DIR = tmp_path  # type: ignore[attr-defined]
    with pytest.raises(CommandError, match="out of date"):
        call_command("failure_table", "--check")
    call_command("failure_table", verbosity=0)
    assert (tmp_path / "docs" / "failures.md").read_text(encoding="utf-8") == render()
    call_command("failure_table", "--check")
