"""No page breaks a rule of WCAG 2.1 A or AA that axe-core can check: light, dark, and on a phone."""

import pytest

from tests.cases import make_case

from .every_page import make_cases, pages, visit
from .rare_pages import PLAIN, empty_desk, menus, plain_page, rare_pages
from .wcag import in_every_look, violations

pytestmark = pytest.mark.browser


def test_axe_finds_nothing_on_any_page(desk, guard):
    trouble = []
    for name, how in pages(make_cases()).items():
        visit(desk, how)
        trouble += [f"{name}, {line}" for line in in_every_look(desk.page, guard)]
    assert not trouble, "\n".join(trouble)


def test_axe_finds_nothing_in_states_that_seldom_last(desk, visitor, guard):
    trouble = []
    for listed in (empty_desk, rare_pages):
        for name, url in listed().items():
            desk.page.goto(url)
            trouble += [f"{name}, {line}" for line in in_every_look(desk.page, guard)]
    trouble += [f"{name}, {line}" for name in menus(desk) for line in in_every_look(desk.page, guard)]
    stranger = visitor()
    for name in PLAIN:
        plain_page(stranger, name)
        trouble += [f"{name}, {line}" for line in in_every_look(stranger.page, guard)]
    assert not trouble, "\n".join(trouble)


def test_axe_finds_nothing_before_signing_in(visitor, guard):
    desk = visitor()
    for path in ("/admin/login/", "/admin/login/?next=/admin/"):
        desk.page.goto(path)
        assert violations(desk.page, guard) == []
    desk.sign_in("nobody", "wrong")
    assert violations(desk.page, guard) == []


def test_axe_notices_what_it_is_for(desk, guard):
    make_case()  # an empty list has nothing to search
    page = desk.list().page
    page.evaluate("""() => {
      document.querySelector('#searchbar').removeAttribute('aria-label');
      document.querySelectorAll('label[for=searchbar]').forEach(label => label.remove());
      document.querySelector('#searchbar').removeAttribute('placeholder');
      document.querySelector('#searchbar').removeAttribute('title');
      const css = new CSSStyleSheet();
      css.replaceSync('.desk-logo span { color: #bbb !important; }');
      document.adoptedStyleSheets.push(css);
      document.documentElement.removeAttribute('lang');
    }""")
    rules = {line.split(":")[0] for line in violations(page, guard)}
    assert {"label", "color-contrast", "html-has-lang"} <= rules
