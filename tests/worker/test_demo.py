"""`manage.py demo` from its start to Ctrl-C, on ports and in a folder of its own."""

import contextlib
import re
import signal
import socket
import subprocess
import sys
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import psutil
import pytest
from django.conf import settings

from registrations.worker.demo import Demo, answers, free_port
from tests.worker.conftest import wait_until


class Running:
    """A demo process; `service`, `sandbox`, `password` as it prints them."""

    def __init__(self, folder, *args):
        self.folder = folder
        self.output = folder.parent / "output"
        with self.output.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "demo", "--folder", str(folder), *args],
                cwd=settings.BASE_DIR, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def wait_for_welcome(self):
        text = wait_until(self._welcome, 60, "the demo's welcome")
        self.service, self.sandbox = (
            int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)/", text)[:2]
        )
        self.password = re.search(r"agent\s+/\s+(\S+)", text)[1]
        return self

    def _welcome(self):
        text = self.output.read_text()
        assert self.process.poll() is None, text
        return text if "Ctrl-C" in text else None

    def part(self, word):
        for process in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):
                if any(word in argument for argument in process.cmdline()):
                    return process
        return None

    def left_over(self):
        found = []
        for process in psutil.process_iter():
            try:
                ours = str(self.folder) in process.environ().get("DATABASE_URL", "")
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found


@pytest.fixture
def demo(tmp_path):
    running = []

    def start(*args):
        running.append(Running(tmp_path / "demo", *args))
        return running[-1]

    yield start
    for each in running:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()
        for process in each.left_over():
            process.kill()


@pytest.mark.slow
def test_a_demo_from_start_to_ctrl_c(demo):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        first = demo("--port", str(port), "--sandbox-port", str(port)).wait_for_welcome()
        assert port not in (first.service, first.sandbox)

    browser = build_opener(HTTPCookieProcessor(jar := CookieJar()))
    login = f"http://127.0.0.1:{first.service}/admin/login/"
    browser.open(login)
    form = {"username": "agent", "password": first.password, "next": "/admin/"}
    form["csrfmiddlewaretoken"] = next(cookie.value for cookie in jar if cookie.name == "csrftoken")
    reply = browser.open(Request(login, urlencode(form).encode(), {"Referer": login}))
    assert "/admin/" in reply.url
    assert "login" not in reply.url
    wait_until(lambda: b'"ok": true' in _body(browser, f"http://127.0.0.1:{first.service}/healthz?part=web"))

    second = subprocess.run(
        [sys.executable, "manage.py", "demo", "--folder", str(first.folder)],
        cwd=settings.BASE_DIR, capture_output=True, text=True,
    )  # fmt: skip
    assert second.returncode != 0
    assert "running already" in second.stderr

    victim = first.part("sandbox")
    victim.kill()
    wait_until(lambda: (now := first.part("sandbox")) and now.pid != victim.pid and answers(first.sandbox))

    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(15) == 0
    assert first.left_over() == []
    assert not answers(first.service)


@pytest.mark.slow
def test_a_killed_demo_leaves_nothing_for_the_next_which_keeps_the_password(demo):
    first = demo("--port", str(free_port(0)), "--sandbox-port", str(free_port(0))).wait_for_welcome()
    wait_until(lambda: len(first.left_over()) >= 9)  # sandbox, gunicorn's two, worker, cluster
    first.process.kill()
    first.process.wait()
    orphans = first.left_over()
    assert orphans

    again = demo("--port", str(first.service), "--sandbox-port", str(first.sandbox)).wait_for_welcome()
    assert not [process for process in orphans if process.is_running()]
    assert (again.service, again.sandbox, again.password) == (first.service, first.sandbox, first.password)
    again.process.send_signal(signal.SIGTERM)
    assert again.process.wait(15) == 0


def test_nothing_of_the_surrounding_environment_reaches_the_demo(monkeypatch, tmp_path):
    monkeypatch.setenv("TWILIO_API_KEY_SECRET", "a-real-secret")
    monkeypatch.setenv("DATABASE_URL", "postgres://production")
    keys = dict.fromkeys(("secret_key", "account_sid", "auth_token", "primary_profile_sid"), "made-up")
    demo = Demo(port=1, sandbox_port=2, time_scale=0.1, say=print, folder=tmp_path)
    environment = demo.environment(keys)
    assert "TWILIO_API_KEY_SECRET" not in environment
    assert environment["DATABASE_URL"].startswith("sqlite:///")
    assert environment["TWILIO_API_BASE_URL"] == "http://127.0.0.1:2"


def _body(browser, url):
    return browser.open(url).read()
