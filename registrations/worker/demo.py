"""The processes of `manage.py demo`: sandbox, web and worker, with their own settings.

Everything is in var/demo/. The children inherit only the environment variables that a process needs to run, so a demo
can never reach Twilio with real credentials.
"""

import fcntl
import io
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from .processes import Child, Signals, kill_orphans, pause, stop_all

FOLDER = Path(settings.BASE_DIR) / "var" / "demo"
USER = "agent"
# A second user, in the agents' group, to assign registrations to and to mention in notes. Same password.
COLLEAGUE = "sam"
STOP_GRACE = 8.0
START_LIMIT = 60.0

_NEEDED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV", "LD_LIBRARY_PATH")


class AlreadyRunning(Exception):
    """Another demo of this checkout is running."""


class DemoFailed(Exception):
    """A process of the demo did not start; the message names it and quotes the end of its output."""


class Demo:
    """`run` returns 0 after Ctrl-C or SIGTERM."""

    def __init__(
        self,
        *,
        port: int,
        sandbox_port: int,
        time_scale: float,
        say: Callable[[str], Any],
        folder: Path = FOLDER,
    ) -> None:
        self.port, self.sandbox_port, self.time_scale = port, sandbox_port, time_scale
        self.say, self.folder = say, folder.resolve()
        self._lock: IO[str] | None = None

    def run(self, *, reset: bool = False) -> int:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        kill_orphans()
        if reset:
            self._wipe()
        with Signals() as signals:
            self.port = free_port(self.port)
            self.sandbox_port = free_port(self.sandbox_port, but=self.port)
            keys = self._keys()
            env = self.environment(keys)
            children = self._children(env)
            try:
                self.say(f"Preparing the database in {self.folder} ...")
                self._prepare(env, keys["password"])
                if not signals.count:
                    self.say("Starting the sandbox, the web server and the worker ...")
                    for child in children.values():
                        child.start()
                self._wait_for_ports(children, signals)
                if not signals.count:
                    self.say(self._welcome(keys["password"]))
                while not signals.count:
                    pause(0.25)
                    for child in children.values():
                        if child.ready_to_start():
                            child.start()
                self.say("Stopping ...")
            finally:
                stop_all(list(children.values()), STOP_GRACE, signals)
        self.say(f"Stopped. The data stays in {self.folder} for the next time (--reset forgets it).")
        return 0

    def _take_lock(self) -> None:
        # Next to the folder, not inside, so that --reset cannot delete a lock that is held.
        self._lock = self.folder.with_name(self.folder.name + ".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AlreadyRunning("A demo of this checkout is running already; stop it first.") from None

    def _wipe(self) -> None:
        shutil.rmtree(self.folder)
        self.folder.mkdir()

    def _keys(self) -> dict[str, str]:
        """Created once and kept, so that sessions, sandbox state and the password survive a restart."""
        path = self.folder / "keys.json"
        if path.exists():
            return json.loads(path.read_text())
        keys = {
            "secret_key": secrets.token_urlsafe(50),
            "account_sid": "AC" + secrets.token_hex(16),
            "auth_token": secrets.token_hex(16),
            "primary_profile_sid": "BU" + secrets.token_hex(16),
            "password": secrets.token_urlsafe(9),
        }
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(keys, file)
        return keys

    def environment(self, keys: dict[str, str]) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _NEEDED if name in os.environ}
        return kept | {
            "A2P_ENV_FILE": os.devnull,
            "PYTHONUNBUFFERED": "1",
            "SECRET_KEY": keys["secret_key"],
            "DATABASE_URL": f"sqlite:///{self.folder / 'desk.sqlite3'}",
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "PUBLIC_BASE_URL": f"http://127.0.0.1:{self.port}",
            "SERVE_STATIC_FROM_SOURCE": "1",
            "TWILIO_ACCOUNT_SID": keys["account_sid"],
            "TWILIO_AUTH_TOKEN": keys["auth_token"],
            "TWILIO_PRIMARY_PROFILE_SID": keys["primary_profile_sid"],
            "TWILIO_API_BASE_URL": f"http://127.0.0.1:{self.sandbox_port}",
            "A2P_SANDBOX_PANEL_URL": f"http://127.0.0.1:{self.sandbox_port}/",
            "A2P_TIME_SCALE": str(self.time_scale),
            "A2P_WORKERS": "2",
            "A2P_STALL_SECONDS": "10",
            # Shorter than our own, so that the worker has time to stop its cluster itself.
            "A2P_STOP_GRACE_SECONDS": str(STOP_GRACE - 3),
        }

    def _children(self, env: dict[str, str]) -> dict[str, Child]:
        manage = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py")]
        state = str(self.folder / "sandbox.sqlite3")
        commands = {
            "sandbox": [*manage, "sandbox", "--port", str(self.sandbox_port), "--state", state],
            "web": [
                *[sys.executable, "-m", "gunicorn", "a2p_admin.wsgi", "--bind", f"127.0.0.1:{self.port}"],
                *["--workers", "1", "--threads", "4", "--graceful-timeout", "3", "--log-level", "warning"],
            ],
            "worker": [*manage, "worker"],
        }  # fmt: skip
        return {
            name: Child(name, argv, env=env, log=self.folder / f"{name}.log")
            for name, argv in commands.items()
        }

    def _prepare(self, env: dict[str, str], password: str) -> None:
        command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "demo", "--prepare"]
        done = subprocess.run(  # noqa: S603  our own interpreter and command
            command,
            env=env | {"DEMO_USER": USER, "DEMO_PASSWORD": password},
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            start_new_session=True,
            check=False,
        )
        if done.returncode:
            raise DemoFailed(f"The demo's database could not be prepared:\n{_tail(done.stderr)}")

    def _wait_for_ports(self, children: dict[str, Child], signals: Signals) -> None:
        until = time.monotonic() + START_LIMIT
        for name, port in (("sandbox", self.sandbox_port), ("web", self.port)):
            while not answers(port) and not signals.count:
                if not children[name].running or time.monotonic() > until:
                    log = self.folder / f"{name}.log"
                    raise DemoFailed(
                        f"The {name} process did not start. {log} ends:\n{_tail(log.read_text())}"
                    )
                pause(0.1)

    def _welcome(self, password: str) -> str:
        waits = (
            "as long as Twilio's" if self.time_scale == 1 else f"shortened to {self.time_scale:g} of Twilio's"
        )
        return "\n".join(
            [
                "",
                "  The A2P registration desk is running, against a local stand-in for Twilio.",
                "",
                f"    Desk      http://127.0.0.1:{self.port}/",
                f"    Sign in   {USER}  /  {password}   (or as {COLLEAGUE}, a colleague with fewer rights)",
                f"    Sandbox   http://127.0.0.1:{self.sandbox_port}/   (answer YES for your customers here)",
                "",
                f"  Waits are {waits} (--time-scale). Nothing reaches the real Twilio; no money is spent.",
                f"  Output of the parts: {self.folder}/*.log",
                "  Ctrl-C stops everything.",
                "",
            ]
        )


def prepare(user: str, password: str) -> None:
    """Migrate the demo's database and create its two users. Runs with the demo's settings."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    call_command("setup_roles", verbosity=0, stdout=io.StringIO())
    for name in (user, COLLEAGUE):
        account, _ = get_user_model().objects.get_or_create(username=name)
        account.is_staff, account.is_superuser = True, name == user
        if not account.check_password(password):
            # Only if it differs: a new hash would end the sessions of the last demo.
            account.set_password(password)
        account.save()
    account.groups.add(Group.objects.get(name="A2P agents"))


def free_port(wanted: int, *, but: int | None = None) -> int:
    """`wanted` if it is free, otherwise a port that the system picks."""
    for candidate in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            if (port := probe.getsockname()[1]) != but:
                return port
    raise DemoFailed("No free port was found.")


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _tail(text: str, lines: int = 15) -> str:
    return "\n".join(text.rstrip().splitlines()[-lines:])
