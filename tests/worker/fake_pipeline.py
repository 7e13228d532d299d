"""Replaces registrations.workflow.runner.runner inside real worker processes, which tests cannot monkeypatch.

A job for number `pk` logs "begin pk pid" and "end pk pid" to a file and takes `pk // 1000` seconds.
`claim_due` returns the numbers in a second file that have not begun yet.
"""

import os
import time
from pathlib import Path
from types import SimpleNamespace

from django.apps import AppConfig

from registrations.worker.processes import pause

FOLDER = Path(os.environ.get("A2P_TEST_FOLDER", "."))


def _log(line: str) -> None:
    with (FOLDER / "log").open("a") as log:
        log.write(f"{line} {os.getpid()} {time.time()}\n")


def advance(pk):
    _log(f"begin {pk}")
    pause(pk // 1000)
    _log(f"end {pk}")


def claim_due(limit=200, served_to=None):
    due, log = FOLDER / "due", FOLDER / "log"
    begun = {line.split()[1] for line in log.read_text().splitlines()} if log.exists() else set()
    return [int(pk) for pk in due.read_text().split() if pk not in begun] if due.exists() else []


class FakePipelineConfig(AppConfig):
    name = "tests.worker"
    label = "fake_pipeline"

    def ready(self):
        from registrations.worker import jobs, sweeper

        jobs.runner = sweeper.runner = SimpleNamespace(advance=advance, claim_due=claim_due)
