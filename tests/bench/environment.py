"""One environment for this process and all its children: nothing of the developer's settings gets in."""

import os
import secrets

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "DATABASE_URL")


def prepare() -> None:
    """Called before Django's settings are read. PostgreSQL is used when DATABASE_URL names one."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    if not kept.get("DATABASE_URL", "").startswith("postgres"):
        # In memory as long as no measurement has put its own scratch file in the place.
        kept["DATABASE_URL"] = "sqlite://:memory:"
    os.environ.clear()
    os.environ.update(
        kept
        | {
            "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
            "A2P_ENV_FILE": os.devnull,
            "PYTHONUNBUFFERED": "1",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "SERVE_STATIC_FROM_SOURCE": "1",
            "LOG_LEVEL": "WARNING",
            "TWILIO_ACCOUNT_SID": "AC" + secrets.token_hex(16),
            "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
            "TWILIO_PRIMARY_PROFILE_SID": "BU" + secrets.token_hex(16),
            # Nothing listens there: what is not told of a sandbox reaches nobody.
            "TWILIO_API_BASE_URL": "http://127.0.0.1:9",
        }
    )
