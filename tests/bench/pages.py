"""A signed-in agent who reads pages."""

import secrets
from collections.abc import Sequence

import requests
from django.contrib.auth import get_user_model
from django.urls import reverse

from tests.bench.installation import Installation


def browse(installation: Installation, user: str, registrations: Sequence[int], count: int) -> None:
    """Sign in as `user`, then read the list and the registrations' pages in turn, `count` pages in all."""
    password = secrets.token_urlsafe(12)
    get_user_model().objects.create_superuser(user, password=password)
    session = requests.Session()
    login = installation.web_url + reverse("admin:login")
    session.get(login, timeout=30).raise_for_status()
    form = {"username": user, "password": password, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
    session.post(login, data=form, headers={"Referer": login}, timeout=30).raise_for_status()
    routes = [reverse("admin:registrations_registration_changelist")]
    routes += [reverse("admin:registrations_registration_detail", args=[pk]) for pk in registrations]
    for number in range(count):
        answer = session.get(
            installation.web_url + routes[number % len(routes)], timeout=30, allow_redirects=False
        )
        if answer.status_code != 200:
            raise RuntimeError(f"A page answered {answer.status_code}: {routes[number % len(routes)]}")
