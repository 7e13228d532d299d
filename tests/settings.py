"""The project's settings, with an environment that does not depend on the machine."""

import os

# The developer's .env must not reach the tests.
os.environ["A2P_ENV_FILE"] = os.devnull
_DEFAULTS = {
    "SECRET_KEY": "tests-only",
    "DEBUG": "0",
    "SERVE_STATIC_FROM_SOURCE": "1",
    "TWILIO_ACCOUNT_SID": "AC" + "0a" * 16,
    "TWILIO_AUTH_TOKEN": "0b" * 16,
    "TWILIO_PRIMARY_PROFILE_SID": "BU" + "0c" * 16,
    # Nothing listens there: a test that needs Twilio starts a sandbox.
    "TWILIO_API_BASE_URL": "http://127.0.0.1:9",
    "A2P_TIME_SCALE": "0.001",
}
for _name, _value in _DEFAULTS.items():
    os.environ.setdefault(_name, _value)

from a2p_admin.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
