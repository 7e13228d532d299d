"""The frame: who gets in, what GET may do, the navigation, the content security policy, the error pages."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from registrations.admin.registration.actions import ACTIONS
from registrations.admin.site import NAVIGATION
from registrations.models import Batch, Fee, Finding, Import, Notification, OpenProblem, Scan, WebhookDelivery
from registrations.models.choices import Stage
from tests.admin.conftest import page_url, state
from tests.factories import make_registration

pytestmark = pytest.mark.django_db
OURS = "registrations_"


def routes() -> list[URLPattern]:
    """Every admin route of our models, those of a later day included."""
    found: list[URLPattern] = []

    def walk(patterns):
        for entry in patterns:
            if isinstance(entry, URLResolver):
                walk(entry.url_patterns)
            elif entry.name and entry.name.startswith(OURS):
                found.append(entry)

    walk(get_resolver().url_patterns)
    return found


def orphan_of(registration) -> Finding:
    scan, _ = Scan.objects.get_or_create(state="done")
    values = {"scan": scan, "resource_type": "end_user", "action": "delete", "registration": registration}
    return Finding.objects.get_or_create(finding_type="orphan", sid="IT" + "a" * 32, defaults=values)[0]


def urls(registration) -> list[str]:
    """A real address for each of our routes."""
    found = []
    finding = orphan_of(registration)
    delivery = WebhookDelivery.objects.get_or_create(kind="events", dedupe_key="one")[0]
    batch = Batch.objects.get_or_create(kind="submit", actor="ann")[0]
    upload = Import.objects.get_or_create(name="t.csv", actor="ann")[0]
    upload.rows.get_or_create(
        number=2, defaults={"state": "failed", "outcome": "error", "cells": {"city": "x"}}
    )
    problem = OpenProblem.objects.get_or_create(
        registration=registration, part="campaign", defaults={"since": registration.created_at}
    )[0]
    fee = Fee.objects.get_or_create(kind="brand", valid_from="2025-01-01", defaults={"amount": "4.50"})[0]
    reader = get_user_model().objects.get_or_create(username="reader")[0]
    note = Notification.objects.get_or_create(user=reader, key="k", kind="red")[0]
    for route in routes():
        model = route.name.split("_")[1]
        rows = {
            "registration": registration,
            "brand": registration.brand,
            "campaign": registration.campaign,
            "phonenumber": registration.phone_number,
            "apicall": registration.api_calls.first(),
            "event": registration.events.first(),
            "scan": finding.scan,
            "finding": finding,
            "webhookdelivery": delivery,
            "batch": batch,
            "fee": fee,
            "openproblem": problem,
            "import": upload,
            # Everybody has notes of their own, so these are nobody's here.
            "notification": note,
        }
        params = set(route.pattern.converters)
        pk = rows[model].pk
        for action in (
            {"confirm": ("submit", "purchase", "remove"), "action": tuple(ACTIONS)}[
                route.name.rsplit("_", 1)[1]
            ]
            if "action" in params
            else ("",)
        ):
            values = {"pk": pk, "object_id": pk, "action": action, "kind": "submit", "form": "csv"}
            if model == "import":
                values |= {"number": 2, "which": "needs-fixing", "kind": "csv"}
            found.append(reverse(f"admin:{route.name}", kwargs={name: values[name] for name in params}))
    assert len(found) > 35
    return found


def stock_urls(user) -> list[str]:
    """A real address for each page of Django's own that the desk has."""
    group = Group.objects.get_or_create(name="Night shift")[0]
    acts = ("change", "delete", "history")
    found = [
        reverse(f"admin:auth_{name}_{page}") for name in ("user", "group") for page in ("changelist", "add")
    ]
    found += [reverse(f"admin:auth_user_{act}", args=[user.pk]) for act in (*acts, "password_change")]
    found += [reverse(f"admin:auth_group_{act}", args=[group.pk]) for act in acts]
    found += [reverse(f"admin:{name}") for name in ("index", "password_change", "password_change_done")]
    return found + [reverse("admin:app_list", args=[label]) for label in ("registrations", "auth")]


def test_get_never_changes_anything(boss):
    registration = make_registration(Stage.LIVE)
    before = state(registration)
    for url in [*urls(registration), *stock_urls(get_user_model().objects.get(username="boss"))]:
        for method in (boss.get, boss.head):
            # Which group of failures is meant stands in the query, and there is none here.
            fine = {404} if url.endswith("/openproblem/group/") else {200, 204, 302, 403, 405}
            assert method(url).status_code in fine, url
    assert state(registration) == before


def test_anonymous_people_are_asked_to_sign_in():
    registration = make_registration(Stage.LIVE)
    for url in urls(registration):
        response = Client().get(url)
        assert response.status_code == 302, url
        assert response.headers["Location"].startswith("/admin/login/"), url


def test_staff_without_rights_see_nothing(nobody):
    registration = make_registration(Stage.LIVE)
    for url in urls(registration):
        if url.startswith("/admin/registrations/notification/"):
            continue  # one's own, for everybody: tests/notifications
        response = nobody.get(url)
        assert response.status_code in (403, 405), url
    assert nobody.get("/admin/").status_code == 200


def test_who_may_look_may_not_act(viewer):
    registration = make_registration(Stage.OTP)
    page = viewer.get(page_url(registration)).content.decode()
    assert "action-primary" not in page
    assert "Put on hold" not in page
    assert viewer.get(page_url(registration, "confirm/submit")).status_code == 403


def test_home_is_the_dashboard(boss, nobody):
    assert "Needs you" in boss.get("/admin/").content.decode()
    assert "Needs you" not in nobody.get("/admin/").content.decode()


def test_home_is_current_at_home_alone(boss):
    current = re.compile(r'<a href="([^"]+)" aria-current="page">')
    for url in ("/admin/", reverse("admin:registrations_brand_changelist")):
        nav = boss.get(url).content.decode().split('aria-label="Main"')[1].split("</nav>")[0]
        assert current.findall(nav) == [url]
    nav = (
        boss.get(reverse("admin:password_change"))
        .content.decode()
        .split('aria-label="Main"')[1]
        .split("</nav>")[0]
    )
    assert current.findall(nav) == []


def test_navigation_shows_what_exists_and_may_be_seen(boss, viewer):
    page = boss.get(reverse("admin:registrations_registration_changelist")).content.decode()
    nav = page.split('aria-label="Main"')[1].split("</nav>")[0]
    links = re.findall(r'<a href="([^"]+)"', nav)
    assert len(links) == sum(len(items) for _, items in NAVIGATION)
    for link in links:
        assert boss.get(link).status_code == 200, link
    assert nav.count("aria-current") == 1
    theirs = viewer.get(reverse("admin:registrations_registration_changelist")).content.decode()
    nav = theirs.split('aria-label="Main"')[1].split("</nav>")[0]
    assert "New registration" not in nav
    assert "Users" not in nav


def test_every_page_belongs_to_an_entry(boss):
    """The prices and their forms are under Spending; your own password under your name."""
    for route in ("fee_changelist", "fee_add"):
        page = boss.get(reverse(f"admin:registrations_{route}")).content.decode()
        nav = page.split('aria-label="Main"')[1].split("</nav>")[0]
        assert f'<a href="{reverse("admin:registrations_fee_spending")}" aria-current="page">' in nav
    own = reverse("admin:password_change")
    assert f'<a href="{own}" aria-current="page">' in boss.get(own).content.decode()


def test_the_longest_address_is_the_current_one(boss):
    nav = boss.get(reverse("admin:registrations_registration_add")).content.decode()
    current = re.findall(
        r'<a href="([^"]+)" aria-current="page"', nav.split('aria-label="Main"')[1].split("</nav>")[0]
    )
    assert current == [reverse("admin:registrations_registration_add")]


def test_the_queues_tables_are_not_editable_here():
    assert not [model for model in admin.site._registry if model._meta.app_label == "django_q"]


def test_sandbox_link_only_in_demo_mode(boss, settings):
    url = reverse("admin:registrations_registration_changelist")
    assert "Sandbox" not in boss.get(url).content.decode()
    settings.A2P_SANDBOX_PANEL_URL = "http://127.0.0.1:8/panel"
    assert 'href="http://127.0.0.1:8/panel"' in boss.get(url).content.decode()


def test_pages_keep_to_the_content_security_policy(boss):
    """Nothing inline: no script or style element with content, no style or on… attribute, no foreign address."""
    registration = make_registration(Stage.OTP)
    pages = [
        page_url(registration),
        page_url(registration, "change"),
        page_url(registration, "confirm/submit"),
        reverse("admin:registrations_registration_changelist"),
        reverse("admin:registrations_apicall_changelist"),
        reverse("admin:registrations_brand_changelist"),
    ]
    for url in pages:
        response = boss.get(url)
        page = response.content.decode()
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        assert not re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", page), url
        assert "<style" not in page, url
        assert not re.findall(r"<[^>]+\s(?:style|on[a-z]+|hx-on)\s*=", page), url
        for source in re.findall(r'(?:src|<link[^>]* href)="([^"]+)"', page):
            assert source.startswith(("/static/", "/admin/jsi18n/")), source


@pytest.mark.parametrize("name", ["404", "403", "500", "403_csrf", "400"])
def test_error_pages_render_without_anything(name):
    from django.template.loader import render_to_string

    page = render_to_string(f"{name}.html", {"exception": "<script>"})
    assert "<h1>" in page
    assert "<script>" not in page


def test_not_found_is_calm(boss):
    response = boss.get("/admin/nothing/here/")
    assert response.status_code == 404
    assert "Page not found" in response.content.decode()


def test_sign_in_says_what_is_wrong():
    page = Client().post("/admin/login/", {"username": "x", "password": "y"}).content.decode()
    assert 'role="alert"' in page
    assert "Sign in" in page


def test_lists_are_called_by_their_name(boss):
    assert "<h1>Users</h1>" in boss.get("/admin/auth/user/").content.decode()
    assert "<h1>Brands</h1>" in boss.get("/admin/registrations/brand/").content.decode()


def test_rights_are_boxes_and_those_that_are_held_stay(boss):
    """In a list one click without Ctrl would take all the others away; tables without a page are no choice."""
    group = Group.objects.create(name="Agents")
    held = Permission.objects.get(codename="view_brand")
    group.permissions.add(held)
    page = boss.get(f"/admin/auth/group/{group.pk}/change/").content.decode()
    assert "<select" not in page.split('id="group_form"')[1]
    assert re.search(rf'type="checkbox"[^>]* value="{held.pk}"[^>]* checked', page)
    assert "Can add TOTP device" not in page
    more = Permission.objects.get(codename="view_event")
    boss.post(f"/admin/auth/group/{group.pk}/change/", {"name": "Agents", "permissions": [held.pk, more.pk]})
    assert set(group.permissions.all()) == {held, more}
