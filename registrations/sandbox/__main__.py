"""``python -m registrations.sandbox``: the sandbox without Django."""

from __future__ import annotations

import argparse
import sys

from . import cli, outcomes


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m registrations.sandbox", description=__doc__)
    cli.add_arguments(parser)
    parser.add_argument("--magic", action="store_true", help="print the magic inputs and exit")
    options = parser.parse_args()
    if options.magic:
        sys.stdout.write(outcomes.table() + "\n")
        return
    cli.run(vars(options), cli.from_environment(), _say)


if __name__ == "__main__":
    main()
