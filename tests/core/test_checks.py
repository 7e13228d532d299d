"""Settings, .env.example and the system checks agree."""

import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as project_settings
from django.core.checks import run_checks

ROOT = Path(project_settings.BASE_DIR)
READ = re.compile(r'(?:env(?:\.\w+)?|number)\(\s*"([A-Z][A-Z0-9_]*)"')
GOOD = {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "0" * 32}


def test_env_example_lists_exactly_the_variables_that_are_read():
    read = set(READ.findall((ROOT / "a2p_admin/settings.py").read_text()))
    listed = set(re.findall(r"^([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), re.M))
    assert read == listed
    assert len(read) > 20


def test_no_other_module_reads_the_environment_for_settings():
    """One place for settings; what processes pass to their children is not a setting."""
    for path in (ROOT / "registrations").rglob("*.py"):
        if {"worker", "management", "sandbox", "progress_log.py"} & set(path.relative_to(ROOT).parts):
            continue
        assert not re.search(r"os\.environ|getenv", path.read_text()), path


def start(*command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A manage.py command, by default check, in a clean environment with only `env`."""
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *(command or ("check",))],
        cwd=ROOT,
        env={**clean, "A2P_ENV_FILE": os.devnull, "SECRET_KEY": "x", **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("base_url", ["", "https://api.twilio.com", "https://API.Twilio.com."])
def test_another_time_scale_is_rejected_with_the_real_twilio(base_url):
    answer = start(A2P_TIME_SCALE="0.5", TWILIO_API_BASE_URL=base_url)
    assert answer.returncode != 0
    assert "A2P_TIME_SCALE must be 1" in answer.stderr


def test_a_copied_example_gives_the_defaults():
    """Empty variables count as not set; only SECRET_KEY must be filled in."""
    copied = dict(re.findall(r"^([A-Z][A-Z0-9_]*)=(.*)$", (ROOT / ".env.example").read_text(), re.M))
    copied |= {"SECRET_KEY": "x", "DATABASE_URL": "sqlite://:memory:"}
    copied["PUBLIC_BASE_URL"] = "https://a2p.example.com"
    assert start(**copied).returncode == 0
    code = (
        "from django.conf import settings as s; print(s.SESSION_COOKIE_SECURE, s.CSRF_TRUSTED_ORIGINS, "
        "s.ALLOWED_HOSTS)"
    )
    shown = start("shell", "--no-imports", "--command", code, **copied)
    assert shown.stdout.strip() == (
        "True ['https://a2p.example.com'] ['localhost', '127.0.0.1', 'a2p.example.com']"
    ), shown.stderr


def test_another_time_scale_is_allowed_with_the_sandbox():
    assert start(A2P_TIME_SCALE="0.5", TWILIO_API_BASE_URL="http://127.0.0.1:8155").returncode == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("A2P_TIME_SCALE", "0"), ("A2P_TIME_SCALE", "fast"), ("A2P_WORKERS", "0"), ("A2P_FEE_BRAND", "four")],
)
def test_an_invalid_number_is_rejected_by_name(name, value):
    answer = start(**{name: value, "TWILIO_API_BASE_URL": "http://127.0.0.1:8155"})
    assert answer.returncode != 0
    assert f"{name} must be" in answer.stderr


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"TWILIO_ACCOUNT_SID": "AC123"}, "registrations.E001"),
        ({"TWILIO_API_KEY_SID": "AC" + "0" * 32, "TWILIO_API_KEY_SECRET": "x"}, "registrations.E002"),
        ({"TWILIO_PRIMARY_PROFILE_SID": "RN" + "0" * 32}, "registrations.E003"),
        ({"TWILIO_API_KEY_SID": "SK" + "0" * 32, "TWILIO_API_KEY_SECRET": ""}, "registrations.E004"),
        ({"TWILIO_AUTH_TOKEN": "one,,two"}, "registrations.E005"),
        ({"TWILIO_API_BASE_URL": "http://127.0.0.1:8155/v1"}, "registrations.E006"),
        ({"TWILIO_API_BASE_URL": "127.0.0.1:8155"}, "registrations.E006"),
        ({"PUBLIC_BASE_URL": "a2p.example.com"}, "registrations.E007"),
        ({"PUBLIC_BASE_URL": "http://a2p.example.com", "TWILIO_IS_REAL": True}, "registrations.E008"),
        ({"TWILIO_NOTIFICATION_EMAIL": "nobody"}, "registrations.E009"),
        ({"TWILIO_READ_TIMEOUT": 0.0}, "registrations.E010"),
        ({"A2P_LEASE_SECONDS": 20.0}, "registrations.E011"),
        ({"A2P_LEASE_SECONDS": 500.0}, "registrations.E012"),
        ({"Q_CLUSTER": project_settings.Q_CLUSTER | {"retry": 90}}, "registrations.E013"),
    ],
)
def test_a_wrong_setting_is_found_with_a_hint(settings, changes, found):
    for name, value in changes.items():
        setattr(settings, name, value)
    messages = {message.id: message for message in run_checks()}
    assert found in messages
    assert messages[found].hint


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"TWILIO_ACCOUNT_SID": ""}, "registrations.E020"),
        ({"TWILIO_AUTH_TOKEN": ""}, "registrations.E021"),
        ({"TWILIO_PRIMARY_PROFILE_SID": ""}, "registrations.E022"),
        ({"PUBLIC_BASE_URL": ""}, "registrations.W023"),
        (
            {
                "PUBLIC_BASE_URL": "https://a2p.example.com",
                "TWILIO_AUTH_TOKEN": "",
                "ALLOWED_HOSTS": [".example.com"],
            },
            "registrations.W024",
        ),
        (
            {"PUBLIC_BASE_URL": "https://a2p.example.com", "ALLOWED_HOSTS": ["localhost"]},
            "registrations.W026",
        ),
    ],
)
def test_a_missing_setting_is_found_before_deployment(settings, changes, found):
    for name, value in changes.items():
        setattr(settings, name, value)
    assert found in {message.id for message in run_checks(include_deployment_checks=True)}
    assert found not in {message.id for message in run_checks()}


def test_the_settings_of_the_tests_are_clean():
    assert [message for message in run_checks() if (message.id or "").startswith("registrations")] == []


def test_the_production_settings_in_the_docs_pass_the_deployment_checks():
    block = re.search(r"```sh\n(.*?)```", (ROOT / "docs/deployment.md").read_text(), re.S)
    assert block
    given = dict(re.findall(r"^([A-Z][A-Z0-9_]*)=(.*)$", block[1], re.M))
    example = (ROOT / ".env.example").read_text()
    assert all(f"\n{name}=" in example for name in given)
    given |= GOOD | {
        "SECRET_KEY": "".join(chr(33 + n % 90) for n in range(0, 240, 3)),
        "TWILIO_PRIMARY_PROFILE_SID": "BU" + "0" * 32,
    }
    answer = start("check", "--deploy", "--fail-level", "WARNING", **given)
    assert answer.returncode == 0, answer.stderr
    code = (
        "from django.conf import settings as s;"
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY, s.DEBUG, s.A2P_SENDS_EMAIL)"
    )
    shown = start("shell", "--no-imports", "--command", code, **given)
    assert shown.stdout.strip() == "True True True False True", shown.stderr


def test_log_lines_of_libraries_contain_no_personal_data():
    """PostgreSQL quotes a row that it rejects; a library may quote its input."""
    logger, lines = logging.getLogger("django.request"), []
    handler = logging.Handler()
    handler.setFormatter(logging.getLogger().handlers[0].formatter)
    handler.emit = lambda record: lines.append(handler.format(record))  # type: ignore[method-assign]
    logger.addHandler(handler)
    text = "null value\nDETAIL:  Failing row contains (7, Ann, Lee, 1 Main St).\nann@x.example"
    try:
        raise ValueError(text)
    except ValueError:
        logger.exception("Internal Server Error: +14155552671")
    finally:
        logger.removeHandler(handler)
    [line] = lines
    assert "Internal Server Error: +1•••••2671" in line
    assert "Traceback" in line
    assert "DETAIL:  •••\n" in line
    assert not [word for word in ("Ann", "Lee", "Main", "ann@") if word in line]
