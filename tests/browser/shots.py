"""Pictures of every page, for people to look at: light, dark, and 390 px wide.

    python -m tests.browser.shots DIR

Runs the suite's own fixtures (test database, sandbox, live server) and asserts nothing.
"""

import argparse
import itertools
import os
from pathlib import Path

import pytest

FOLDER = "A2P_SHOTS_FOLDER"
ONLY = "A2P_SHOTS_ONLY"
LOOKS = {
    "light": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
    "phone-dark": {
        "viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "color_scheme": "dark",
    },
}  # fmt: skip


@pytest.mark.browser
def test_take_pictures(visitor, signed_in, sandbox):
    from tests.browser.every_page import make_registrations, pages, visit

    folder = Path(os.environ[FOLDER])
    only = os.environ.get(ONLY, "").split()
    listed = {name: how for name, how in pages(make_registrations()).items() if not only or name in only}
    for look, options in LOOKS.items():
        target = folder / look
        target.mkdir(parents=True, exist_ok=True)
        stranger = visitor(**options)
        stranger.page.goto("/admin/login/")
        stranger.page.screenshot(path=target / "sign-in.png", full_page=True)
        app = signed_in(**options)
        for name, how in listed.items():
            page = visit(app, how)
            page.screenshot(path=target / f"{name}.png", full_page=True)
        if "phone" in look:
            app.list().button("Menu").click()
            app.page.screenshot(path=target / "menu.png")
        panel = signed_in(**options)
        panel.page.goto(sandbox.url)
        panel.page.screenshot(path=target / "sandbox-panel.png", full_page=True)


@pytest.mark.browser
def test_take_pictures_of_failures(signed_in, settings, monkeypatch):
    from tests.browser.failure_pages import failures

    settings.PUBLIC_BASE_URL = "https://desk.example.com"
    settings.A2P_TIME_SCALE = 1
    folder = Path(os.environ[FOLDER]) / "failures"
    listed = failures()
    for look, options in LOOKS.items():
        (folder / look).mkdir(parents=True, exist_ok=True)
        page = signed_in(**options).page
        for name, url in listed.items():
            page.goto(url)
            page.screenshot(path=folder / look / f"{name}.png", full_page=True)


@pytest.mark.browser
def test_take_rare_ones(visitor, signed_in):
    from tests.browser.rare_pages import PLAIN, empty_desk, menus, plain_page, rare_pages, second_factor

    folder = Path(os.environ[FOLDER]) / "rare"

    def take(app, look: str, name: str) -> None:
        (folder / look).mkdir(parents=True, exist_ok=True)
        app.page.screenshot(path=folder / look / f"{name}.png", full_page=True)

    def take_all(listed: dict[str, str]) -> None:
        for look, options in LOOKS.items():
            app = signed_in(**options)
            for name, url in listed.items():
                app.page.goto(url)
                take(app, look, name)

    take_all(empty_desk())
    take_all(rare_pages())
    for look, options in LOOKS.items():
        stranger, app = visitor(**options), signed_in(**options)
        for name in PLAIN:
            plain_page(stranger, name)
            take(stranger, look, f"plain-{name}")
        stranger.sign_in("nobody", "wrong")
        take(stranger, look, "sign-in-wrong")
        for name in itertools.chain(menus(app), second_factor(app)):
            take(app, look, name)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--failures", action="store_true", help="only the pages of what goes wrong")
    parser.add_argument("--rare", action="store_true", help="only states that seldom last")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="only these pages")
    asked = parser.parse_args()
    os.environ[ONLY] = " ".join(asked.only)
    folder = asked.folder.resolve()
    os.environ[FOLDER] = str(folder)
    chosen = "failures" if asked.failures else "rare" if asked.rare else "pictures"
    code = pytest.main(["-q", "-m", "browser", "-p", "no:cacheprovider", "-k", chosen, __file__])
    if code == 0:
        print(f"Pictures are in {folder}")
    return int(code)


if __name__ == "__main__":
    raise SystemExit(main())
