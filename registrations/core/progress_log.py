"""Progress reports: the processes of a cluster write short lines to their supervisor through a pipe.

A pipe rather than the database or the cache: the watchdog needs each event immediately, even while the database
is down, and a process that dies in the middle of a write must not leave a lock. Lines are shorter than PIPE_BUF,
so writes from several processes never mix. Without a supervisor nothing is written.
"""

import contextlib
import functools
import os
import stat

# Set by the supervisor for the cluster it starts: the file descriptor of the pipe's write end.
PROGRESS_FD = "A2P_PROGRESS_FD"


@functools.cache
def _pipe() -> int | None:
    number = os.environ.get(PROGRESS_FD, "")
    try:
        # The variable may be inherited by an unrelated process: never write to a descriptor that is not a pipe.
        if number.isdigit() and stat.S_ISFIFO(os.fstat(int(number)).st_mode):
            return int(number)
    except OSError:
        pass
    return None


def report(event: str, job: int = 0) -> None:
    """Report an event (claim, drop, spawn, start, end, ack, exit) to the supervisor. `job` is the queue row's id.

    Never raises and never blocks: with a full pipe or a dead supervisor the report is lost, not the job.
    """
    if (pipe := _pipe()) is not None:
        with contextlib.suppress(OSError):
            os.write(pipe, f"{event} {job} {os.getpid()}\n".encode())
