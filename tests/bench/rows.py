"""Many registrations fast: a few dozen made by the product's own rules, then copied inside the database.

A copy keeps what its pattern has, except identifiers, names, addresses, owners and times, which are its own.
Copied: the registration, its five parts, open problems, paid calls, submissions, three past stages. Not copied: free
calls and the timeline, so a copy has fewer API calls than a real registration.
"""

from collections.abc import Callable

from django.contrib.auth import get_user_model
from django.db import connection, models
from django.db.models import Model

from registrations.models import (
    ApiCall,
    Brand,
    Campaign,
    OpenProblem,
    PhoneNumber,
    Profile,
    Registration,
    StageInterval,
    Submission,
    TrustBundle,
)
from registrations.models.choices import Stage
from tests.factories import make_registration

OWNERS = 6
DAYS = 84  # times of copies lie within the twelve weeks of the board's charts
_OPT_IN = {
    "campaign_status": "FAILED",
    "campaign_id": "C7LM2XY",
    "errors": [{"error_code": 30909, "error_description": "The call to action is not clear."}],
}
_TERMS = {
    "campaign_status": "FAILED",
    "errors": [
        {"error_code": 30934, "error_description": "Terms are missing."},
        {"error_code": 30933, "error_description": "The privacy policy cannot be read."},
    ],
}
_BRAND = {"status": "FAILED", "errors": [{"error_code": 30701, "error_description": "Refused."}]}
# (stage, what Twilio said there, how many of fifty)
_MIX = (
    (Stage.LIVE, None, 29),
    (Stage.OTP, None, 4),
    (Stage.CAMPAIGN, None, 5),
    (Stage.CAMPAIGN, _OPT_IN, 3),
    (Stage.CAMPAIGN, _TERMS, 1),
    (Stage.BRAND, None, 2),
    (Stage.BRAND, _BRAND, 1),
    (Stage.PROFILE, None, 1),
    (Stage.DRAFT, None, 3),
    (Stage.REMOVED, None, 1),
)
PATTERNS = sum(number for *_, number in _MIX)
_MIRRORS = (Profile, TrustBundle, Brand, Campaign, PhoneNumber)


def make_patterns() -> list[Registration]:
    """The registrations that are copied, with everything that real ones have."""
    users = get_user_model()
    team = [users.objects.create_user(f"agent{number}", is_staff=True) for number in range(OWNERS)]
    made = []
    for stage, answer, number in _MIX:
        for _ in range(number):
            label = f"Customer {len(made)}"
            registration = make_registration(
                stage, answer=answer, label=label, external_id=f"crm-0-{len(made)}"
            )
            Registration.objects.filter(pk=registration.pk).update(
                owner=team[len(made) % OWNERS], next_run_at=None, label=label
            )
            made.append(registration)
    for resource in _MIRRORS:
        resource.objects.update(next_poll_at=None)
    return made


def grow(target: int) -> None:
    """Copy the patterns until there are `target` registrations, a multiple of PATTERNS; what is there stays."""
    have = Registration.objects.count()
    first, last = have // PATTERNS, target // PATTERNS - 1
    if last < first:
        return
    for model in (Registration, *_MIRRORS, OpenProblem, ApiCall, Submission, StageInterval):
        _copy(model, first, last)
    for model in (Registration, *_MIRRORS, OpenProblem, ApiCall, Submission, StageInterval):
        _set_sequence(model)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM (ANALYZE)")


def _copy(model: type[Model], first: int, last: int) -> None:
    table = model._meta.db_table
    columns = list(model._meta.concrete_fields)
    step = step_of(model)
    own = _OWN.get(model, {})
    values = [_value(model, field, step, own) for field in columns]
    names = ", ".join(f'"{field.column}"' for field in columns)
    where = _WHERE.get(model, "1 = 1")
    numbers = (
        f"generate_series({first}, {last}) AS copy(n)"
        if connection.vendor == "postgresql"
        else f"(WITH RECURSIVE c(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM c WHERE n < {last}) "
        "SELECT n FROM c) AS copy"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM {numbers} CROSS JOIN {table} t "
            f"WHERE t.id <= {step} AND {where} ORDER BY copy.n, t.id"
        )


# What is copied of a pattern's rows.
_WHERE: dict[type[Model], str] = {
    ApiCall: "t.fee IS NOT NULL",
    StageInterval: "t.left_at IS NOT NULL AND t.stage IN ('brand', 'otp', 'campaign')",
}
_STEPS: dict[type[Model], int] = {}


def step_of(model: type[Model]) -> int:
    """The distance of ids between copies: that of the pattern's last row."""
    if model not in _STEPS:
        _STEPS[model] = model._default_manager.aggregate(last=models.Max("id"))["last"] or 0
    return _STEPS[model]


def forget() -> None:
    """Before the patterns of another database."""
    _STEPS.clear()


def _value(model: type[Model], field: models.Field, step: int, own: dict[str, Callable[[], str]]) -> str:
    """The SQL of one column of a copy; `t` is the pattern's row, `copy.n` the number of the copy."""
    column, name = f't."{field.column}"', field.name
    if name == "id":
        return f"t.id + copy.n * {step}"
    if name == "registration":
        return f"t.registration_id + copy.n * {step_of(Registration)}"
    if name in own:
        return own[name]()
    if (name == "sid" or name.endswith("_sid")) and (model, name) not in _SHARED_SIDS:
        return f"CASE WHEN {column} = '' THEN '' ELSE substr({column}, 1, 2) || {_hex32()} END"
    if isinstance(field, models.DateTimeField):
        return f"CASE WHEN {column} IS NULL THEN NULL ELSE {_earlier(column)} END"
    return column


# One constant for all campaigns; one account.
_SHARED_SIDS = {(Campaign, "sid"), (Registration, "account_sid")}


def _new_id() -> str:
    return f"(t.id + copy.n * {step_of(Registration)})"


def _of_registration() -> str:
    return f"(t.registration_id + copy.n * {step_of(Registration)})"


def _hex32() -> str:
    return "md5(random()::text)" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))"


def _earlier(column: str) -> str:
    """A moment in the past DAYS before the pattern's."""
    if connection.vendor == "postgresql":
        return f"{column} - random() * interval '{DAYS} days'"
    days = f"((abs(random()) % {DAYS * 1000}) / 1000.0)"
    return f"strftime('%Y-%m-%d %H:%M:%f', {column}, '-' || {days} || ' days')"


def _hex12(number: str) -> str:
    return (
        f"lpad(to_hex({number}), 12, 'r')"
        if connection.vendor == "postgresql"
        else f"printf('%012x', {number})"
    )


def _owner() -> str:
    return f"CASE WHEN {_new_id()} % 5 = 0 THEN NULL ELSE t.owner_id END"


_OWN: dict[type[Model], dict[str, Callable[[], str]]] = {
    Registration: {
        "ref": lambda: _hex12(_new_id()),
        "external_id": lambda: f"'crm-' || {_new_id()}",
        "label": lambda: f"'Customer ' || {_new_id()}",
        "owner": _owner,
        "search_text": lambda: (
            f"'customer ' || {_new_id()} || chr10 || 'crm-' || {_new_id()} || chr10 || 'ann lee' || chr10 || "
            f"'c' || {_new_id()} || '@example.com' || chr10 || 'ann lee nails' || chr10 || "
            f"'1' || (2010000000 + {_new_id()}) || chr10 || '1' || (3010000000 + {_new_id()})"
        ).replace("chr10", "chr(10)" if connection.vendor == "postgresql" else "char(10)"),
    },
    Profile: {
        "email": lambda: f"'c' || {_of_registration()} || '@example.com'",
        "email_key": lambda: f"'c' || {_of_registration()} || '@example.com'",
        "address_key": lambda: f"'US|' || {_of_registration()}",
        "phone_number": lambda: f"'+1' || (2010000000 + {_of_registration()})",
    },
    TrustBundle: {"mobile_phone_number": lambda: f"'+1' || (3010000000 + {_of_registration()})"},
}


def _set_sequence(model: type[Model]) -> None:
    """SQLite takes the next id from the table itself."""
    if connection.vendor == "postgresql":
        table = model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
            )
