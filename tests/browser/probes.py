"""Questions that a page answers about itself: scripts run in it, results as plain data."""

from playwright.sync_api import Page

_VISIBLE = """
const shown = e => e.checkVisibility({visibilityProperty: true, opacityProperty: true})
  && e.getClientRects().length > 0;
const words = e => e.innerText || e.value || e.getAttribute('aria-label') || e.getAttribute('title') || '';
const name = e => (e.tagName.toLowerCase() + (e.id ? '#' + e.id : '') + ' ' + words(e).trim().slice(0, 40)).trim();
"""

_OVERFLOW = (
    "() => {"
    + _VISIBLE
    + """
const width = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth <= width && document.body.scrollWidth <= width) return [];
const sticksOut = e => shown(e) && (e.getBoundingClientRect().right > width + 1
  || (e.scrollWidth > width + 1 && getComputedStyle(e).overflowX === 'visible'));
const wide = [...document.querySelectorAll('body *')].filter(sticksOut);
return wide.filter(e => !wide.some(other => other !== e && e.contains(other))).map(name).concat(
  ['page ' + document.documentElement.scrollWidth + ' > ' + width]);
}"""
)

# WCAG 2: 4.5 : 1, large text 3 : 1. Background images and gradients do not occur.
_CONTRAST = (
    "() => {"
    + _VISIBLE
    + """
document.getAnimations().forEach(a => a.finish());
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
function rgba(color) {
  canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
  const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255];
}
const over = (top, base) => [0, 1, 2].map(i => top[i] * top[3] + base[i] * (1 - top[3]));
function ground(e) {
  const layers = [];
  for (; e; e = e.parentElement) layers.unshift(rgba(getComputedStyle(e).backgroundColor));
  return layers.reduce((base, layer) => over(layer, base), rgba('Canvas').slice(0, 3));
}
const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
const poor = [];
for (const e of document.querySelectorAll('body *')) {
  const text = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  const typed = e.matches('input:not([type=hidden]):not([type=checkbox]), textarea, select') && e.value;
  if (!(text || typed) || !shown(e) || e.closest('[disabled], .visually-hidden, svg, option')) continue;
  const style = getComputedStyle(e), base = ground(e);
  const size = parseFloat(style.fontSize), big = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  const got = ratio(over(rgba(style.color), base), base);
  if (got < (big ? 3 : 4.5)) poor.push(name(e) + ' ' + got.toFixed(2));
}
return poor;
}"""
)

_TAB_STOPS = (
    "() => {"
    + _VISIBLE
    + """
const stops = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')].filter(
  e => e.tabIndex >= 0 && !e.disabled && e.type !== 'hidden' && shown(e)
    // Of a group of radio buttons one is a stop; arrows lead to the others.
    && (e.type !== 'radio' || e.checked));
stops.forEach((e, i) => e.dataset.stop = i);
return stops.map(name);
}"""
)

# Notes every stop that gets the focus, and whether something shows it: asking after each key is slow.
_WATCH_FOCUS = """() => {
window.stopsSeen = {};
const draws = s => (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none';
// Nothing that sticks to the window's edge lies over it.
const related = (e, hit) => !hit || e.contains(hit) || hit.contains(e);
document.addEventListener('focusin', event => {
  const e = event.target;
  if (e.dataset.stop === undefined) return;
  document.getAnimations().forEach(a => a.finish());
  const box = e.getBoundingClientRect(), near = [e, e.parentElement, e.nextElementSibling].filter(Boolean);
  window.stopsSeen[e.dataset.stop] = {drawn: near.some(n => draws(getComputedStyle(n))),
    inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth
      && related(e, document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 20)))};
});
}"""


def overflow(page: Page) -> list[str]:
    """What makes the page wider than the window; empty when nothing does."""
    return page.evaluate(_OVERFLOW)


def poor_contrast(page: Page) -> list[str]:
    return page.evaluate(_CONTRAST)


def tab_through(page: Page) -> tuple[list[str], list[str], list[str]]:
    """Press Tab until it comes round: (never reached, reached but not drawn, reached but out of sight or covered)."""
    stops = page.evaluate(_TAB_STOPS)
    page.evaluate(_WATCH_FOCUS)
    # An address with a fragment begins in the middle, and on the way round lie stops that are no elements of ours: the
    # browser's own frame, boxes that scroll. So a second round, where the first left something out.
    for _ in range(2):
        for _ in range(len(stops) + 2):
            page.keyboard.press("Tab")
        seen = {int(number): found for number, found in page.evaluate("window.stopsSeen").items()}
        if len(seen) == len(stops):
            break
    return (
        [name for number, name in enumerate(stops) if number not in seen],
        [stops[number] for number, found in seen.items() if not found["drawn"]],
        [stops[number] for number, found in seen.items() if not found["inside"]],
    )
