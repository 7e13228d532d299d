"""Command line of the sandbox, shared by ``python -m registrations.sandbox`` and ``manage.py sandbox``."""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Mapping
from typing import Any

from .server import SandboxServer

# flag -> (environment variable, help); empty values mean the sandbox's own defaults
CREDENTIALS = {
    "account_sid": ("TWILIO_ACCOUNT_SID", "account SID that clients log in with"),
    "auth_token": ("TWILIO_AUTH_TOKEN", "its auth token; signs callbacks (of several, the first)"),
    "api_key_sid": ("TWILIO_API_KEY_SID", "API key that is accepted as well"),
    "api_key_secret": ("TWILIO_API_KEY_SECRET", "its secret"),
    "primary_profile_sid": ("TWILIO_PRIMARY_PROFILE_SID", "SID of the approved primary customer profile"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8155)
    parser.add_argument("--state", default="var/sandbox.sqlite3", help="SQLite file, or :memory:")
    parser.add_argument("--latency-ms", type=int, default=0, help="extra time of every API reply")
    parser.add_argument("--time-scale", type=float, default=None, help="factor of every delay")
    parser.add_argument("--no-rate-limit", action="store_true", help="allow any pace of calls")
    parser.add_argument("--reset", action="store_true", help="forget the stored state first")
    for name, (variable, text) in CREDENTIALS.items():
        parser.add_argument("--" + name.replace("_", "-"), default=None, help=f"{text} (default: {variable})")


def run(options: Mapping[str, Any], defaults: Mapping[str, Any], say: Callable[[str], object]) -> None:
    """Serve until SIGTERM or SIGINT. ``defaults`` fills in what the command line left open."""
    config = {name: options.get(name) or defaults.get(name) or "" for name in CREDENTIALS}
    scale = options.get("time_scale")
    try:
        server = SandboxServer(
            host=options["host"],
            port=options["port"],
            state=options["state"],
            latency_ms=options["latency_ms"],
            reset=options["reset"],
            time_scale=float(defaults.get("time_scale") or 1.0) if scale is None else scale,
            rate_limit=not options["no_rate_limit"],
            **config,
        )
    except (OSError, sqlite3.OperationalError) as error:
        where = f"{options['host']}:{options['port']} with {options['state']}"
        raise SystemExit(f"The sandbox cannot start on {where}: {error}. Does one run already?") from error
    done = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: done.set())
    server.start()
    account = server.world.config.account_sid
    say(f"Sandbox Twilio on {server.url} (open it in a browser to answer YES). Account: {account}")
    done.wait()
    server.stop()


def from_environment() -> dict[str, Any]:
    found: dict[str, Any] = {name: os.environ.get(variable) for name, (variable, _) in CREDENTIALS.items()}
    return {**found, "time_scale": os.environ.get("A2P_TIME_SCALE")}
