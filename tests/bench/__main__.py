"""`python -m tests.bench [name …]`: run measurements and print a table of each."""

import argparse
import json
import signal
import sys
from collections.abc import Callable
from dataclasses import fields
from types import FrameType
from typing import Any

from tests.bench.machine import Machine
from tests.bench.options import Options
from tests.bench.report import Report

from . import environment

NAMES = ("writes", "lateness", "throughput", "memory", "webhooks", "lists", "imports")


def measurements() -> dict[str, Callable[[Options], Report]]:
    """Name -> function. Needs Django to be set up: the modules read models and settings."""
    from . import imports, lateness, lists, memory, throughput, webhooks, writes

    modules: dict[str, Any] = {
        "writes": writes,
        "lateness": lateness,
        "throughput": throughput,
        "memory": memory,
        "webhooks": webhooks,
        "lists": lists,
        "imports": imports,
    }
    return {name: module.measure for name, module in modules.items()}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"any of {', '.join(NAMES)}; default: all")
    parser.add_argument("--json", action="store_true", help="one JSON line per measurement")
    for option in fields(Options):
        flag = "--" + option.name.replace("_", "-")
        parser.add_argument(
            flag, type=type(option.default), default=option.default, help="default: %(default)s"
        )
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(NAMES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(NAMES)}")
    return chosen


def _terminated(number: int, frame: FrameType | None) -> None:
    # As an exception, so that the measurement's processes are ended on the way out.
    raise KeyboardInterrupt


def main() -> int:
    chosen = arguments()
    options = Options(**{option.name: getattr(chosen, option.name) for option in fields(Options)})
    environment.prepare()

    import django

    django.setup()
    for number in (signal.SIGTERM, signal.SIGINT):  # a shell's background job would ignore SIGINT
        signal.signal(number, _terminated)
    failed = 0
    try:
        for name, measure in measurements().items():
            if chosen.names and name not in chosen.names:
                continue
            print(f"{name} …", file=sys.stderr, flush=True)
            try:
                machine = Machine()
                report = measure(options)
                report.machine = machine.text()
            except Exception as error:
                print(f"{name} failed: {error}", file=sys.stderr, flush=True)
                failed = 1
                continue
            print(
                json.dumps({"name": name, **report.data()}) if chosen.json else f"{report.text()}\n",
                flush=True,
            )
    except KeyboardInterrupt:
        print("Stopped; nothing is left running.", file=sys.stderr)
        return 130
    return failed


if __name__ == "__main__":
    sys.exit(main())
