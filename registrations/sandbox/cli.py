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

# flag -> (environment variable, help). If both are empty, the sandbox's default is used.
CREDENTIALS = {
    "account_sid": ("TWILIO_ACCOUNT_SID", "account SID"),
    "auth_token": ("TWILIO_AUTH_TOKEN", "auth token; the first of several signs callbacks"),
    "api_key_sid": ("TWILIO_API_KEY_SID", "API key that is also accepted"),
    "api_key_secret": ("TWILIO_API_KEY_SECRET", "secret of the API key"),
    "primary_profile_sid": ("TWILIO_PRIMARY_PROFILE_SID", "SID of the approved primary customer profile"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8155)
    parser.add_argument("--state", default="var/sandbox.sqlite3", help="SQLite file, or :memory:")
    parser.add_argument("--latency-ms", type=int, default=0, help="delay of every API response")
    parser.add_argument("--time-scale", type=float, default=None, help="multiplies every delay")
    parser.add_argument("--no-rate-limit", action="store_true", help="turn off rate limits")
    parser.add_argument("--reset", action="store_true", help="delete the stored state first")
    for name, (variable, text) in CREDENTIALS.items():
        parser.add_argument("--" + name.replace("_", "-"), default=None, help=f"{text} (default: {variable})")


def run(options: Mapping[str, Any], defaults: Mapping[str, Any], say: Callable[[str], object]) -> None:
    """Serve until SIGTERM or SIGINT. ``defaults`` apply where the command line gives nothing."""
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
        raise SystemExit(f"Cannot start the sandbox on {where}: {error}. Is it already running?") from error
    stopping = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stopping.set())
    server.start()
    account = server.world.config.account_sid
    say(f"Twilio sandbox on {server.url} (open it in a browser to reply YES). Account: {account}")
    stopping.wait()
    server.stop()


def from_environment() -> dict[str, Any]:
    found: dict[str, Any] = {name: os.environ.get(variable) for name, (variable, _) in CREDENTIALS.items()}
    return {**found, "time_scale": os.environ.get("A2P_TIME_SCALE")}
