"""What axe-core finds on a page of the rules of WCAG 2.1 A and AA: light, dark, and on a phone."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.guard import Guard

PHONE = {"width": 390, "height": 844}
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    # It would fetch style sheets a second time, from wrong addresses.
    "preload": False,
}
# What depends on the colours alone; the rest was looked at in the light.
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}, "preload": False}
axe = Axe()


def violations(page: Page, guard: Guard, options: dict = RULES) -> list[str]:
    """One line for each element that breaks a rule: the rule, the element, and what is wrong with it."""
    page.evaluate("document.getAnimations().forEach(animation => animation.finish())")
    told = list(guard.faults)
    found = axe.run(page, options=options).response["violations"]
    page.wait_for_timeout(0)  # lets the console be heard
    # What axe tries in a page to measure it, the page's policy forbids: no fault of the page's.
    guard.faults[:] = told
    return [
        f"{rule['id']}: {node['html'][:160]} — {' '.join(node['failureSummary'].split())[:200]}"
        for rule in found
        for node in rule["nodes"]
    ]


def in_every_look(page: Page, guard: Guard) -> list[str]:
    """`violations` in light, in dark and on a phone, each line with the look's name in front."""
    wide = page.viewport_size
    found = {"light": violations(page, guard)}
    page.emulate_media(color_scheme="dark")
    found["dark"] = violations(page, guard, COLOURS)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)
    found["phone"] = violations(page, guard)
    page.set_viewport_size(wide)
    return [f"{look}: {line}" for look, lines in found.items() for line in lines]
