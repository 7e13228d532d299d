"""Progress marks: one short line from each process of a cluster to its supervisor, through a pipe.

Why a pipe and not the database or the cache: the watchdog needs every event of its own cluster, at once and
also while the database is away, and a process that dies in the middle must leave no lock behind. A line is
shorter than PIPE_BUF, so writes of several processes never mix. Without a supervisor nothing is written.
"""

import contextlib
import functools
import os
import stat

# Set by the supervisor for the cluster it starts, not by people: the number of the pipe's write end.
PROGRESS_FD = "A2P_PROGRESS_FD"


@functools.cache
def _pipe() -> int | None:
    number = os.environ.get(PROGRESS_FD, "")
    try:
        # A number left over in some other environment must never write into a stranger's file.
        if number.isdigit() and stat.S_ISFIFO(os.fstat(int(number)).st_mode):
            return int(number)
    except OSError:
        pass
    return None


def mark(event: str, job: int = 0) -> None:
    """Tell the supervisor: claim, drop, spawn, start, end, ack or bye; `job` is the queue row's id.

    Never raises and never blocks: a full pipe or a dead supervisor loses the mark, not the job.
    """
    if (pipe := _pipe()) is not None:
        with contextlib.suppress(OSError):
            os.write(pipe, f"{event} {job} {os.getpid()}\n".encode())
