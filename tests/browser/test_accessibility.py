"""No page breaks a rule of WCAG 2.1 A or AA that axe-core can check: light, dark, and on a phone."""

import pytest
from django.test import Client
from django.test.signals import template_rendered

from tests.admin.test_site import stock_urls, urls
from tests.browser.every_page import make_registrations, pages, visit
from tests.browser.rare_pages import PLAIN, empty_desk, menus, plain_page, rare_pages, second_factor
from tests.browser.wcag import in_every_look, violations
from tests.customers import make_draft

pytestmark = pytest.mark.browser


@pytest.fixture
def templates():
    """The names of all templates that are rendered while a test runs, the desk's own server included."""
    names: set[str] = set()

    def note(sender, template, **kwargs):
        names.add(template.name)

    template_rendered.connect(note)
    yield names
    template_rendered.disconnect(note)


def test_axe_finds_nothing_on_any_page(app, user, guard, templates):
    trouble, registrations = [], make_registrations()
    for name, how in pages(registrations).items():
        visit(app, how)
        trouble += [f"{name}, {line}" for line in in_every_look(app.page, guard)]
    assert not trouble, "\n".join(trouble)
    seen = set(templates)
    # Whatever the desk has an address for is made of templates that were looked at: a new page belongs into `pages`.
    client = Client()
    client.force_login(user)
    for url in [*urls(registrations.live), *stock_urls(user)]:
        answer = client.get(url)
        if answer.status_code == 200 and not answer.streaming and b"<html" in answer.content:
            assert answer.templates[0].name in seen, url


def test_axe_finds_nothing_in_states_that_seldom_last(app, visitor, guard):
    trouble = []
    for listed in (empty_desk, rare_pages):
        for name, url in listed().items():
            app.page.goto(url)
            trouble += [f"{name}, {line}" for line in in_every_look(app.page, guard)]
    trouble += [f"{name}, {line}" for name in menus(app) for line in in_every_look(app.page, guard)]
    stranger = visitor()
    for name in PLAIN:
        plain_page(stranger, name)
        trouble += [f"{name}, {line}" for line in in_every_look(stranger.page, guard)]
    for name in second_factor(app):
        trouble += [f"{name}, {line}" for line in violations(app.page, guard)]
    assert not trouble, "\n".join(trouble)


def test_axe_finds_nothing_before_signing_in(visitor, guard):
    app = visitor()
    for path in ("/admin/login/", "/admin/login/?next=/admin/"):
        app.page.goto(path)
        assert violations(app.page, guard) == []
    app.sign_in("nobody", "wrong")
    assert violations(app.page, guard) == []


def test_axe_notices_what_it_is_for(app, guard):
    make_draft()  # an empty list has nothing to search
    page = app.list().page
    page.evaluate("""() => {
      document.querySelector('#searchbar').removeAttribute('aria-label');
      document.querySelectorAll('label[for=searchbar]').forEach(label => label.remove());
      document.querySelector('#searchbar').removeAttribute('placeholder');
      document.querySelector('#searchbar').removeAttribute('title');
      const css = new CSSStyleSheet();
      css.replaceSync('.site-logo span { color: #bbb !important; }');
      document.adoptedStyleSheets.push(css);
      document.documentElement.removeAttribute('lang');
    }""")
    rules = {line.split(":")[0] for line in violations(page, guard)}
    assert {"label", "color-contrast", "html-has-lang"} <= rules
