"""The whole system as in production: a sandbox process, `manage.py worker`, a scratch database, a CSV of customers."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import requests
from django.conf import settings
from django_q.models import OrmQ

from registrations.models import ApiCall, Heartbeat, LimitUse, RateLimit, Registration
from registrations.worker.processes import pause
from tests.intake.form.rows import VALID
from tests.operations.imports.files import csv_bytes
from tests.worker.conftest import ALIAS, wait_until

# What one clean registration leaves at Twilio; a second one of anything is a duplicate.
OBJECTS = {
    "CustomerProfiles": 1,
    "TrustProducts": 1,
    "EndUsers": 2,
    "SupportingDocuments": 1,
    "Addresses": 1,
    "EntityAssignments": 5,
    "Evaluations": 2,
    "BrandRegistrations": 1,
    "Services": 1,
    "Usa2p": 1,
    "ServicePhoneNumbers": 1,
}
# The texts that must name the brand.
SPOKEN = ("description", "message_flow", "message_sample_1", "message_sample_2")
FIRST = ("Ada", "Bea", "Cleo", "Dora", "Edna", "Fay", "Gwen", "Hope", "Ida", "Joan")
AREAS = ("212", "312", "415", "503", "617", "702", "808", "907", "202", "303")


def rows(count: int, senders: list[str]) -> list[dict[str, str]]:
    """Customers whose mobiles answer YES by themselves (…9999), no datum used twice."""
    found = []
    for number in range(count):
        first, area = FIRST[number % 10], AREAS[number // 10 % 10]
        name = f"{first} {area}"
        found.append(
            {
                "first_name": first,
                "last_name": f"Miller{number}",
                "email": f"{first.lower()}.{number}@example.com",
                "phone_number": f"+1{area}5550{number:03d}"[:12],
                "mobile_phone_number": f"+1{area}{345 + number % 10}9999",
                "brand_name": f"{name} Crafts",
                "street": f"{number + 1} Main St",
                "external_id": f"customer-{number}",
                "sender_number": senders[number],
                **{key: VALID[key].replace(VALID["brand_name"], f"{name} Crafts") for key in SPOKEN},
            }
        )
    return found


class Plant:
    """Starts and kills the processes of one test, and counts what they left at the sandbox."""

    def __init__(self, folder: Path, env: dict[str, str], *, scale: float, rate_limit: bool = True) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.env = env | {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "TWILIO_API_BASE_URL": self.url,
            "A2P_TIME_SCALE": str(scale),
            "A2P_TEST_FOLDER": str(folder),
            "A2P_STOP_GRACE_SECONDS": "5",
            "LOG_LEVEL": "WARNING",
        }
        self.processes: list[subprocess.Popen[bytes]] = []
        for model in (Registration, LimitUse, OrmQ, Heartbeat, RateLimit):
            model.objects.using(ALIAS).all().delete()
        more = [] if rate_limit else ["--no-rate-limit"]
        state = str(folder / "sandbox.sqlite3")
        self._start(["-m", "registrations.sandbox", "--port", str(port), "--state", state, *more])
        wait_until(self._answers, 20, "the sandbox starts")

    # --- processes -----------------------------------------------------------------------------------------
    def _start(self, command: list[str], **env: str) -> "subprocess.Popen[bytes]":
        with (self.folder / "output").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *command], cwd=settings.BASE_DIR, env=self.env | env, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def worker(self, workers: int, **env: str) -> "subprocess.Popen[bytes]":
        return self._start(["manage.py", "worker", "--workers", str(workers)], **env)

    def manage(self, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=settings.BASE_DIR, env=self.env, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def kill_all(self, process: "subprocess.Popen[bytes]") -> None:
        """kill -9 of a process and everything below it, at once."""
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.suspend()
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        process.wait()

    def output(self) -> str:
        return (self.folder / "output").read_text()[-4000:]

    def stop(self) -> None:
        for process in reversed(self.processes):
            if process.poll() is None:
                self.kill_all(process)
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if (
                    process.environ().get("A2P_TEST_FOLDER") == str(self.folder)
                    and process.pid != os.getpid()
                ):
                    process.send_signal(signal.SIGKILL)

    # --- work ----------------------------------------------------------------------------------------------
    def submit(self, count: int) -> None:
        """Import `count` customers from a CSV, submitted at once."""
        senders = self.post("numbers", count=count)["phone_numbers"]
        file = self.folder / "customers.csv"
        file.write_bytes(csv_bytes(*rows(count, senders)))
        said = self.manage("import_registrations", str(file), "--submit")
        assert f"{count} created, {count} submitted" in said, said

    def live(self) -> int:
        return Registration.objects.using(ALIAS).filter(stage="live").count()

    def where(self) -> Counter[tuple[str, str, str]]:
        found = Registration.objects.using(ALIAS).values_list("stage", "waiting_for", "reason")
        return Counter((stage, who, reason[:90]) for stage, who, reason in found)

    def wait_live(self, count: int, seconds: float) -> None:
        for _ in range(int(seconds * 2)):
            if self.live() >= count:
                return
            pause(0.5)
        raise AssertionError(f"{self.live()} of {count} live: {self.where()}; output: {self.output()}")

    # --- the sandbox ----------------------------------------------------------------------------------------
    def _answers(self) -> bool:
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"{self.url}/_sandbox/faults", timeout=5).ok
        return False

    def get(self, path: str) -> Any:
        return requests.get(f"{self.url}/_sandbox/{path}", timeout=30).json()

    def post(self, path: str, **body: Any) -> Any:
        answer = requests.post(f"{self.url}/_sandbox/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def log(self) -> list[dict[str, Any]]:
        log = self.get("log")
        return log["log"] if isinstance(log, dict) else log

    def assert_each_once(self, count: int) -> None:
        """Exactly the objects of `count` registrations exist, were paid for once, and no rule was broken."""
        counts = self.get("counts")
        expected = {kind: each * count for kind, each in OBJECTS.items()}
        expected["CustomerProfiles"] += 1  # the account's own primary profile
        assert {kind: counts[kind] for kind in expected} == expected
        assert counts["duplicates"] == {}
        assert counts["violations"] == {}, self.get("violations")
        assert counts["fees"]["brand_fees"] == counts["fees"]["vetting_fees"] == count
        api_calls = ApiCall.objects.using(ALIAS)
        assert not api_calls.filter(state__in=("running", "unknown", "errored")).exists()

    def figures(self) -> str:
        """What happened, in numbers, for people."""
        log = self.log()
        writes = [entry for entry in log if entry["method"] != "GET"]
        states = Counter(ApiCall.objects.using(ALIAS).values_list("state", flat=True))
        return json.dumps(
            {
                "writes": len(writes),
                "effective": sum(200 <= entry["status"] < 300 for entry in writes),
                "reads": len(log) - len(writes),
                "faults": Counter(entry["fault"] for entry in log if entry["fault"]),
                "throttled": sum(entry["status"] == 429 and not entry["fault"] for entry in log),
                "attempts": states,
            }
        )
