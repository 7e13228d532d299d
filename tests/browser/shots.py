"""Pictures of every page, for people to look at: light, dark, and 390 px wide.

    python -m tests.browser.shots DIR

Runs the suite's own fixtures (test database, sandbox, live server) and asserts nothing.
"""

import argparse
import os
from pathlib import Path

import pytest

FOLDER = "A2P_SHOTS_FOLDER"
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
    from .every_page import make_cases, pages, visit

    folder = Path(os.environ[FOLDER])
    listed = pages(make_cases())
    for look, options in LOOKS.items():
        target = folder / look
        target.mkdir(parents=True, exist_ok=True)
        stranger = visitor(**options)
        stranger.page.goto("/admin/login/")
        stranger.page.screenshot(path=target / "sign-in.png", full_page=True)
        desk = signed_in(**options)
        for name, how in listed.items():
            page = visit(desk, how)
            page.screenshot(path=target / f"{name}.png", full_page=True)
        if "phone" in look:
            desk.list().button("Menu").click()
            desk.page.screenshot(path=target / "menu.png")
        panel = signed_in(**options)
        panel.page.goto(sandbox.url)
        panel.page.screenshot(path=target / "sandbox-panel.png", full_page=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder.resolve()
    os.environ[FOLDER] = str(folder)
    code = pytest.main(["-q", "-m", "browser", "-p", "no:cacheprovider", f"{__file__}::test_take_pictures"])
    if code == 0:
        print(f"Pictures are in {folder}")
    return int(code)


if __name__ == "__main__":
    raise SystemExit(main())
