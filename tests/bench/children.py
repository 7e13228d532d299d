"""Child processes of a measurement: started in sessions of their own, always ended with all their children."""

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

START_LIMIT = 60.0
STOP_GRACE = 15.0


class NotStarted(Exception):
    """A process ended or stayed silent at its start; the message ends with what it wrote."""


class Child:
    """One process; its output goes to a file."""

    def __init__(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> None:
        self.name, self.log = log.stem, log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                argv,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone, and we end our children in order
            )

    def wait_for(self, ready: Callable[[], bool]) -> None:
        until = time.monotonic() + START_LIMIT
        while not ready():
            if self.process.poll() is not None or time.monotonic() > until:
                tail = self.log.read_text(errors="replace")[-2000:]
                raise NotStarted(f"{self.name} did not start. Its output ends:\n{tail}")
            time.sleep(0.1)

    def tree(self) -> list[psutil.Process]:
        """The process and all below it, oldest first."""
        with contextlib.suppress(psutil.Error):
            top = psutil.Process(self.process.pid)
            return [top, *top.children(recursive=True)]
        return []

    def stop(self) -> None:
        """SIGTERM to the process alone, which ends its own children; what is left then is killed."""
        family = self.tree()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_GRACE)
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
