"""Settings of the A2P registration desk: one file, everything from the environment.

Every variable that is read here is listed in `.env.example` (checked by `tests/core/test_checks.py`). A `.env` file
next to `manage.py` is read if present and never overrides the real environment.
"""

import os
import warnings
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent


class Env(environ.FileAwareEnv):
    """Treats an empty variable as not set, so that a copied `.env.example` gives the defaults."""

    def get_value(self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, **kwargs: Any) -> Any:
        if default is not self.NOTSET and self.ENVIRON.get(var) == "":
            return default
        return super().get_value(var, cast=cast, default=default, **kwargs)


env = Env()
environ.Env.read_env(os.environ.get("A2P_ENV_FILE", BASE_DIR / ".env"))


def number(name: str, default: float | Decimal, *, least: float = 0) -> Any:
    """A number from the environment, of the default's type. Raises ImproperlyConfigured if it is invalid."""
    try:
        value = type(default)(env.str(name, default=str(default)))
    except (ValueError, ArithmeticError):
        value = None
    if value is None or not value >= least:
        raise ImproperlyConfigured(f"{name} must be a number, {least} or more; for example {default}.")
    return value


# --- The web application -------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="only-for-development-and-tests" if DEBUG else "")
# Earlier keys: sessions and URLs signed with them stay valid while they are listed here.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"])

# The origin that your team and Twilio use, e.g. https://a2p.example.com. Callback URLs and signatures are based on
# it, never on the Host header, which a proxy may rewrite.
PUBLIC_BASE_URL = env.str("PUBLIC_BASE_URL", default="").rstrip("/")
_public_is_https = PUBLIC_BASE_URL.startswith("https://")
# Without its own public host, the application would reject every callback. A system check reports malformed URLs.
with suppress(ValueError):
    ALLOWED_HOSTS += [host for host in [urlsplit(PUBLIC_BASE_URL).hostname] if host]

INSTALLED_APPS = [
    "a2p_admin.apps.A2PAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "axes",
    "localflavor",
    "phonenumber_field",
    "django_q",
    "registrations.apps.RegistrationsConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    # Nothing is public except views with login_not_required (webhooks, health).
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "registrations.admin.second_factor.RequireSecondFactor",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "a2p_admin.urls"
WSGI_APPLICATION = "a2p_admin.wsgi.application"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database, cache -----------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'var' / 'a2p.sqlite3'}")}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Measured: with Django's defaults, jobs and pages fail with "database is locked" and tasks run twice.
    # synchronous=FULL: losing a call's record in a power failure could create and pay for a second brand.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000;",
    }
    Path(DATABASES["default"]["NAME"]).parent.mkdir(parents=True, exist_ok=True)
else:
    # If the database is down, an event must fail within Event Streams' limit of 5 s, so that Twilio repeats it.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 4)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="")
CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}

# --- Security ------------------------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# Five wrong passwords for a user name from one address lock out that pair. Counted in the database, for all hosts.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=5)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "locked.html"
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
# If true, everybody must set up a second factor at the next sign-in. If false, it is optional.
A2P_REQUIRE_MFA = env.bool("A2P_REQUIRE_MFA", default=False)
OTP_TOTP_ISSUER = "A2P desk"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("SECURE_COOKIES", default=_public_is_https)
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=False)
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # load balancers probe over plain http
SECURE_HSTS_SECONDS = number("SECURE_HSTS_SECONDS", 0)
# W005 and W021: this application cannot decide HSTS for subdomains or preloading.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
if env.bool("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # Otherwise all users would share the proxy's address, and a stranger could lock out any user name.
    AXES_CLIENT_IP_CALLABLE = "a2p_admin.proxy.client_address"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_BASE_URL] if _public_is_https else [])
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "frame-ancestors": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "object-src": [NONE],
    }
}
# Our forms stay far below this; a larger body is a mistake or an attack.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# --- Language, time, static files ------------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = True
USE_TZ = True
PHONENUMBER_DEFAULT_REGION = "US"
PHONENUMBER_DB_FORMAT = "E164"
PHONENUMBER_DEFAULT_FORMAT = "E164"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
# Without collectstatic (demo, tests), whitenoise serves directly from the finders.
WHITENOISE_USE_FINDERS = env.bool("SERVE_STATIC_FROM_SOURCE", default=DEBUG)
if WHITENOISE_USE_FINDERS:
    # There is no collected folder then, which is expected.
    warnings.filterwarnings("ignore", message="No directory at", category=UserWarning)
    STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"

# --- Twilio ----------------------------------------------------------------------------------------------
TWILIO_ACCOUNT_SID = env.str("TWILIO_ACCOUNT_SID", default="")
# Comma-separated during a rotation: calls use the first, callbacks signed with any of them are accepted.
TWILIO_AUTH_TOKEN = env.str("TWILIO_AUTH_TOKEN", default="")
TWILIO_API_KEY_SID = env.str("TWILIO_API_KEY_SID", default="")
TWILIO_API_KEY_SECRET = env.str("TWILIO_API_KEY_SECRET", default="")
TWILIO_WEBHOOK_SHARED_KEY = env.str("TWILIO_WEBHOOK_SHARED_KEY", default="")
# The ISV's own approved profile (BU…), created once in Twilio's Console.
TWILIO_PRIMARY_PROFILE_SID = env.str("TWILIO_PRIMARY_PROFILE_SID", default="")
# Empty means Twilio itself. Otherwise it replaces the scheme and host of every request.
TWILIO_API_BASE_URL = env.str("TWILIO_API_BASE_URL", default="").rstrip("/")
# The recipient of Twilio's status emails about customers; empty means the customer.
TWILIO_NOTIFICATION_EMAIL = env.str("TWILIO_NOTIFICATION_EMAIL", default="")
# Incoming messages keep going to the webhook that is configured on the number.
A2P_KEEP_NUMBER_WEBHOOKS = env.bool("A2P_KEEP_NUMBER_WEBHOOKS", default=True)
TWILIO_CONNECT_TIMEOUT = number("TWILIO_CONNECT_TIMEOUT", 5.0)
TWILIO_READ_TIMEOUT = number("TWILIO_READ_TIMEOUT", 20.0)


def _is_real_twilio(base_url: str) -> bool:
    host = (urlsplit(base_url).hostname or "").rstrip(".")
    return not base_url or host == "twilio.com" or host.endswith(".twilio.com")


TWILIO_IS_REAL = _is_real_twilio(TWILIO_API_BASE_URL)

# Multiplies every wait and poll interval (30 s settling, 5 s before recreating a campaign, polling, OTP cooldown).
A2P_TIME_SCALE = number("A2P_TIME_SCALE", 1.0)
if A2P_TIME_SCALE <= 0:
    raise ImproperlyConfigured("A2P_TIME_SCALE must be a number above 0; 1 means Twilio's own waits.")
if A2P_TIME_SCALE != 1 and TWILIO_IS_REAL:
    raise ImproperlyConfigured(
        "A2P_TIME_SCALE must be 1 with the real Twilio, because Twilio requires these waits. "
        "Remove A2P_TIME_SCALE, or set TWILIO_API_BASE_URL to a sandbox."
    )
# The sandbox's control page; the demo links to it.
A2P_SANDBOX_PANEL_URL = env.str("A2P_SANDBOX_PANEL_URL", default="")

# Twilio's prices in US dollars, shown before each paid action (docs/twilio.md section 9).
A2P_FEES = {
    "brand": number("A2P_FEE_BRAND", Decimal("4.50")),
    "campaign_vetting": number("A2P_FEE_CAMPAIGN_VETTING", Decimal("15.00")),
    "campaign_monthly": number("A2P_FEE_CAMPAIGN_MONTHLY", Decimal("2.00")),
    "number_monthly": number("A2P_FEE_NUMBER_MONTHLY", Decimal("1.15")),
    "lookup": number("A2P_LOOKUP_PRICE", Decimal("0.008")),
}

# --- Pre-flight -------------------------------------------------------------------------------------------
# Online checks that a person can start: the customer's web pages (free), the mobile's line type (charged by Twilio).
A2P_PREFLIGHT_FETCH = env.bool("A2P_PREFLIGHT_FETCH", default=False)
A2P_PREFLIGHT_LOOKUP = env.bool("A2P_PREFLIGHT_LOOKUP", default=False)

# --- Notifications -----------------------------------------------------------------------------------------
# E.g. smtp+tls://user:password@mail.example.com:587. Without it, no email is sent; in development it is printed.
_email_url = env.str("EMAIL_URL", default="")
A2P_SENDS_EMAIL = bool(_email_url) or DEBUG
globals().update(env.email_url_config(_email_url or ("consolemail://" if DEBUG else "dummymail://")))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="a2p-desk@localhost")
# Users enter the URL of their webhook. Unless this is true, it must be public, https and on port 443.
A2P_NOTIFY_PRIVATE_ADDRESSES = env.bool("A2P_NOTIFY_PRIVATE_ADDRESSES", default=False)

# Hours between automatic comparisons of Twilio's account with our registrations; 0 means only on request.
A2P_SCAN_EVERY_HOURS = number("A2P_SCAN_EVERY_HOURS", 24.0)

# --- Jobs (django-q2) --------------------------------------------------------------------------------------
A2P_WORKERS = number("A2P_WORKERS", 4, least=1)
# How long a worker may hold a registration without renewing its lease; must be longer than one HTTP call.
A2P_LEASE_SECONDS = number("A2P_LEASE_SECONDS", 60.0)
# How long a job may wait while a worker is free; after that the cluster counts as frozen and is restarted.
A2P_STALL_SECONDS = number("A2P_STALL_SECONDS", 30.0)
# How long running jobs may continue after SIGTERM. Jobs that are killed then run again after the next start.
A2P_STOP_GRACE_SECONDS = number("A2P_STOP_GRACE_SECONDS", 30.0)
Q_CLUSTER = {
    "name": "a2p",
    "orm": "default",
    "broker_class": "registrations.core.broker.EtaORM",
    "workers": A2P_WORKERS,
    # retry must be longer than timeout × (prefetch rounds + 2), or a busy queue runs its tasks twice (measured).
    "queue_limit": A2P_WORKERS,
    "bulk": 1,
    "timeout": 90,
    "retry": 400,
    "ack_failures": True,
    "max_attempts": 1,
    # Successful results are not stored, because every call is recorded anyway, and one write less per job gives a
    # third more jobs per second (measured). Failures are always stored.
    "save_limit": -1,
    "poll": 0.2,
    "recycle": 500,
    "catch_up": False,
    "ALT_CLUSTERS": {},
}

# --- Logging: one line per event, no personal data (a2p_admin/logs.py) ---------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "a2p_admin.logs.PrivateFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "registrations": {"level": LOG_LEVEL},
        # It logs user names and IP addresses.
        "axes": {"level": "CRITICAL"},
        "django-q": {"level": "WARNING", "handlers": ["console"], "propagate": False},
    },
}
