"""Whatever is in an address, the answer is a page, a refusal or a redirect, and never a server error."""

import re
from collections.abc import Callable
from urllib.parse import urljoin

import pytest
from django.contrib import admin
from django.db import DataError, connection
from django.urls import URLPattern, get_resolver

from registrations.admin.changelist.base import UNUSABLE, SafeList
from registrations.models import Batch, BatchItem, Import, OpenProblem, Scan
from registrations.models.choices import Stage
from tests.factories import make_registration

pytestmark = [pytest.mark.django_db, pytest.mark.exhaustive]
DIGITS, NUL = "9" * 40, "a\x00b"
VALUES = {
    "digits": DIGITS,
    "minus": f"-{DIGITS}",
    "more digits": "0020259" + "9" * 5000,
    "nul": NUL,
    "signs": "²½ '\"%<",
    "0": "0",
    "month": "2025-0120",
}
# Every parameter that a page reads from its address, and lookups that Django's lists allow.
NAMES = (
    *("q", "p", "o", "e", "all", "show", "state", "a", "b", "by", "code", "part", "title", "field", "alike"),
    *("who", "before", "unread", "period", "kind", "view", "owner", "age", "created", "account", "status"),
    *(
        "identity",
        "a2p_status",
        "step",
        "tag",
        "_popup",
        "waiting_for__exact",
        "stage__exact",
        "state__exact",
    ),
)
OWN = {
    "openproblem/group": ("part", "code", "title", "field", "alike"),
    "fee/money": ("p", "period", "kind", "view"),
    "registration/otp": ("p",),
    "notification": ("before", "unread"),
    "batch/1": ("p", "show"),
    "import/1": ("p", "show"),
}
LOOKUPS = ("id__exact", "id__in", "id__gte", "registration__exact", "registration__in", "registration__id__exact",
           "batch__exact", "fee__exact", "created_at__year", "created_at__gte", "amount__gte", "code__exact",
           "owner__exact", "groups__id__exact", "label__exact", "user__exact", "revision__lt")  # fmt: skip


@pytest.fixture(autouse=True)
def strict_database(db):
    """Refuses what either PostgreSQL or SQLite refuses, whichever the tests run on."""

    def check(execute, sql, params, many, context):
        for value in params or ():
            if isinstance(value, str) and "\x00" in value:
                raise DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
            if isinstance(value, int) and not -(2**63) <= value < 2**63:
                raise OverflowError("Python int too large to convert to SQLite INTEGER")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(check):
        yield


@pytest.fixture
def rows(db) -> None:
    registration = make_registration(Stage.LIVE)
    batch = Batch.objects.create(kind="hold", actor="ann", state="ready")
    BatchItem.objects.create(batch=batch, registration=registration)
    Import.objects.create(name="c.csv", actor="ann", state="ready")
    Scan.objects.create(state="done")
    OpenProblem.objects.create(registration=registration, part="brand", since=registration.created_at)


def addresses() -> list[str]:
    """Each URL pattern of the admin, with <converter:name> for its parameters."""

    def walk(patterns, before: str):
        for pattern in patterns:
            route = before + str(pattern.pattern)
            if isinstance(pattern, URLPattern):
                yield route
            else:
                yield from walk(pattern.url_patterns, route)

    found = [route for route in walk(get_resolver().url_patterns, "/") if route.startswith("/admin/")]
    ours = [route for route in found if re.match(r"/admin/(registrations/|auth/|$)", route)]
    return [route for route in ours if not re.search(r"[?^$]", route)]


ROUTES = addresses()
PLAIN = [route for route in ROUTES if "<" not in route]
TAKING = [route for route in ROUTES if "<" in route]
LISTS = [route for route in PLAIN if re.fullmatch(r"/admin/\w+/\w+/", route)]


def test_the_addresses_are_found():
    assert (len(LISTS) >= 15, len(TAKING) > 50) == (True, True), (len(LISTS), len(TAKING))


def test_every_list_is_safe():
    assert all(isinstance(one, SafeList) for one in admin.site._registry.values())


@pytest.fixture
def get(boss, rows) -> Callable[..., None]:
    """Opens an address as a superuser. Pages that it redirects to are opened as well, each once in a test."""
    opened: set[str] = set()

    def open_all(url: str, query: dict[str, str] | None = None) -> None:
        answer = boss.get(url, query or {})
        for _ in range(10):
            assert answer.status_code < 500, (url, query)
            if answer.streaming:
                b"".join(answer.streaming_content)
            target = urljoin(answer.request["PATH_INFO"], answer.headers.get("Location", ""))
            if answer.status_code not in (301, 302) or target in opened:
                return
            opened.add(target)
            answer = boss.get(target)
        raise AssertionError(f"redirected without end: {url} {query}")

    return open_all


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_all_that_pages_read_at_once(get, value):
    for route in PLAIN:
        get(route, dict.fromkeys(NAMES, value))


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_each_filter_search_and_page_number_by_itself(get, value):
    for model, one in admin.site._registry.items():
        route = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        chosen = [getattr(given, "parameter_name", f"{given}__exact") for given in one.list_filter]
        for name in ("q", "p", "o", *chosen):
            get(route, {name: value})
    for page, names in OWN.items():
        for name in names:
            get(f"/admin/registrations/{page}/", {"part": "brand"} | {name: value})


@pytest.mark.parametrize("lookup", LOOKUPS)
def test_lookups_of_lists(get, lookup):
    for route in LISTS:
        for value in (DIGITS, f"-{DIGITS}", NUL, "1,x"):
            get(route, {lookup: value})


@pytest.mark.parametrize("value", [DIGITS, "0", "%00", "a%00b", "%C2%B2"])
def test_keys_in_the_path(get, value):
    for route in TAKING:
        get(re.sub(r"<[^>]*>", value, route))


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_queries_of_pages_about_one_row(get, value):
    for route in TAKING:
        get(re.sub(r"<[^>]*>", "1", route), dict.fromkeys(NAMES, value))


@pytest.mark.parametrize("query", [{"registration__exact": DIGITS}, {"sid__exact": NUL}])
def test_it_is_said_and_the_whole_list_is_shown(boss, rows, query):
    answer = boss.get("/admin/registrations/brand/", query, follow=True)
    assert answer.redirect_chain == [("/admin/registrations/brand/?e=1", 302)]
    assert UNUSABLE in answer.content.decode()
    assert answer.context["cl"].result_count == 1


def test_an_error_of_ours_is_not_hidden(boss, monkeypatch):
    def broken(*args, **kwargs):
        raise ValueError("ours")

    monkeypatch.setattr("registrations.admin.changelist.lists.KeyPaginator", broken)
    with pytest.raises(ValueError, match="ours"):
        boss.get("/admin/registrations/brand/")


@pytest.mark.parametrize("lookup", ["label__regex", "label__iregex"])
def test_regular_expressions_are_refused(boss, lookup):
    assert boss.get("/admin/registrations/registration/", {lookup: "("}).status_code == 400
