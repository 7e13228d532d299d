"""Optional checks outside our data: the customer's web pages, opened as a reviewer would, and the mobile's line type.

Both are off by default (A2P_PREFLIGHT_FETCH, free; A2P_PREFLIGHT_LOOKUP, A2P_LOOKUP_PRICE each) and run in a background
job, because web pages may be slow. The results are kept on the timeline, without personal data.
"""

import hashlib
import html
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from registrations.models import Registration
from registrations.models.choices import FeeKind
from registrations.twilio.client import errors, get_client
from registrations.workflow import prices, spending, timeline

from .fetching import Page, fetch
from .links import PRIVACY, TERMS
from .rule import ERROR, WARNING, Draft, Finding, Hit, Rule, Severity
from .text_scan import is_negated, links_in

TAG = "preflight:online"
ASKED = "preflight:online_asked"
FLOW_PAGES = 3  # links of the opt-in text that are opened
_MOBILE = "mobile_phone_number"
Fetch = Callable[[str], Page]


def _no_check(draft: Draft) -> Iterator[Hit]:
    return iter(())


def _rule(
    slug: str,
    codes: tuple[int, ...],
    severity: Severity,
    fields: tuple[str, ...],
    title: str,
    why: str,
    example: str,
    row: int,
) -> Rule:
    return Rule(slug, codes, severity, fields, title, why, example, _no_check, row)


_PAGES = (PRIVACY, TERMS, "message_flow")
RULES: dict[str, Rule] = {
    rule.slug: rule
    for rule in (
        _rule(
            "page-open",
            (30907, 30891, 30933, 30934),
            ERROR,
            _PAGES,
            "A web page can't be opened",
            "Twilio opens the pages and takes screenshots.",
            "a page that anyone can open over https",
            10,
        ),
        _rule(
            "page-login",
            (30921,),
            ERROR,
            _PAGES,
            "A web page requires a sign-in",
            "Reviewers have no account there.",
            "a public page, or one with a screenshot",
            10,
        ),
        _rule(
            "page-content",
            (30908, 30882, 30919),
            WARNING,
            _PAGES,
            "A web page may have the wrong content",
            "Reviewers expect the text of a privacy policy or of terms.",
            "a page with the heading “Privacy policy”",
            11,
        ),
        _rule(
            "privacy-sharing",
            (30908, 30932),
            WARNING,
            (PRIVACY,),
            "The privacy policy does not rule out sharing mobile numbers",
            "Twilio rejects policies that don't say so.",
            "Mobile numbers and opt-in data are not shared with third parties for marketing.",
            12,
        ),
        _rule(
            "line-type",
            (30751, 30753),
            ERROR,
            (_MOBILE,),
            "The mobile is not a cell phone",
            "The OTP text can only reach a real cell phone; otherwise the brand fee is lost.",
            "the owner's own cell phone",
            28,
        ),
    )
}

_TAGS = re.compile(r"<(script|style|noscript)\b.*?</\1\s*>|<[^>]+>", re.IGNORECASE | re.DOTALL)
# A whole path segment: /sign-in-sheet.jpg is evidence of consent on paper.
_SIGN_IN = re.compile(
    r"/(?:(?:service)?log-?in|sign-?in|auth|sso|wp-login)(?:\.(?:php|aspx?|jsp|html?))?(?:/|$)", re.IGNORECASE
)
_PASSWORD = re.compile(r"<input\b[^>]*type\s*=\s*[\"']?password", re.IGNORECASE)
_NUMBERS = r"(?:mobile|phone|sms|text(?:ing|s)?|opt-?in|consent|personal)"
_NOT_SHARED = re.compile(
    rf"\b{_NUMBERS}\b[^.]{{0,160}}\b(?:not|never|no)\b[^.]{{0,60}}\b(?:shared?|sold|sell|disclosed?|"
    rf"transferred|rented)\b|"
    rf"\b(?:not|never|don.?t|no)\b[^.]{{0,40}}\b(?:share|sell|disclose|transfer|"
    rf"rent)\b[^.]{{0,160}}\b{_NUMBERS}\b|"
    rf"\bno {_NUMBERS}[^.]{{0,60}}\b(?:shared|sold|disclosed)\b",
    re.IGNORECASE,
)
# A sentence that allows sharing, whatever another one promises.
_SHARED = re.compile(
    r"\b(?:share|sell|rent|disclose|provide|transfer)s?\b[^.]{0,120}\b(?:third[- ]part(?:y|ies)|partners?|affiliates?|"
    r"advertisers?|sponsors?)\b[^.]{0,120}\b(?:marketing|promotion(?:al|s)?|advertising|their own (?:purposes|use))\b",
    re.IGNORECASE,
)
_EXCLUDED = re.compile(r"\b(?:exclud\w+|except\w*)\b[^.]{0,60}\b(?:text|sms|mobile|opt-?in)\b", re.IGNORECASE)
_PARKED = re.compile(
    r"\bdomain (?:name )?(?:is|may be) for sale\b|\bbuy this domain\b|\bparked (?:free|domain|page)\b|"
    r"\bcoming soon\b|\bunder construction\b",
    re.IGNORECASE,
)
_TEXT_TYPES = ("", "text/html", "application/xhtml+xml", "text/plain")
_FEW_WORDS = 60


def enabled() -> bool:
    return bool(settings.A2P_PREFLIGHT_FETCH or settings.A2P_PREFLIGHT_LOOKUP)


def price() -> Decimal:
    """What one run of the checks costs, in US dollars."""
    return prices.price(FeeKind.LOOKUP) if settings.A2P_PREFLIGHT_LOOKUP else Decimal(0)


def inputs_digest(registration: Registration) -> str:
    """Changes when an input that is checked here changes; reveals nothing about it."""
    campaign, bundle = registration.campaign, registration.trust_bundle
    checked = (
        campaign.privacy_policy_url,
        campaign.terms_and_conditions_url,
        *_flow_links(campaign.message_flow),
        str(bundle.mobile_phone_number or ""),
    )
    return hashlib.blake2b("\n".join(checked).encode(), digest_size=12).hexdigest()


def run(registration: Registration, *, fetch: Fetch = fetch) -> list[Finding]:
    """Run the checks that are enabled and record the results on the timeline."""
    found: list[tuple[str, str, Severity, str]] = []
    if settings.A2P_PREFLIGHT_FETCH:
        found += _pages(registration, fetch)
    if settings.A2P_PREFLIGHT_LOOKUP:
        found += _line_type(registration)
    summary = " ".join(dict.fromkeys(text for *_, text in found)) or "No problems found."
    timeline.record(
        registration,
        TAG,
        f"Online checks: {summary}",
        inputs=inputs_digest(registration),
        findings=[list(row) for row in found],
    )
    return [_finding(*row) for row in found]


def latest(registration: Registration) -> list[Finding] | None:
    """The findings of the latest run; None if there was none for the inputs as they are now."""
    event = registration.events.filter(tag=TAG).first()
    if event is None or event.data.get("inputs") != inputs_digest(registration):
        return None
    return [_finding(*row) for row in event.data.get("findings", []) if row[0] in RULES]


def _finding(slug: str, field: str, severity: Severity, text: str) -> Finding:
    return Finding(RULES[slug], severity, field, text)


def _flow_links(text: str) -> list[str]:
    links = [link for link in links_in(text) if link.scheme != "http" and (link.scheme or link.sure)]
    urls = (link.text if link.scheme else f"https://{link.text}" for link in links)
    return list(dict.fromkeys(urls))[:FLOW_PAGES]


def _pages(registration: Registration, fetch: Fetch) -> Iterator[tuple[str, str, Severity, str]]:
    campaign = registration.campaign
    fetched: dict[str, Page] = {}
    pages = [(PRIVACY, "The privacy policy", campaign.privacy_policy_url)]
    pages += [(TERMS, "The terms page", campaign.terms_and_conditions_url)]
    pages += [
        ("message_flow", "A page in the opt-in text", url) for url in _flow_links(campaign.message_flow)
    ]
    for field, name, url in pages:
        if not url:
            continue
        if url not in fetched:
            fetched[url] = fetch(url)
        yield from check_page(field, name, fetched[url])


_PROBLEMS: dict[str, tuple[Severity, str]] = {
    "address": (ERROR, "has a URL that can't be opened"),
    "insecure": (ERROR, "leads to a page without https"),
    "unknown": (ERROR, "has a host name that does not exist"),
    "private": (ERROR, "is in a private network"),
    "tls": (ERROR, "has no valid certificate"),
    "redirects": (ERROR, "redirects too many times"),
    "slow": (WARNING, "did not respond in time"),
    "broken": (WARNING, "did not respond properly"),
}


def check_page(field: str, name: str, page: Page) -> Iterator[tuple[str, str, Severity, str]]:
    """What a reviewer would object to in one page: (rule, field, severity, sentence)."""
    if page.problem:
        severity, problem = _PROBLEMS[page.problem]
        yield "page-open", field, severity, f"{name} {problem}."
    elif page.status == 401 or _SIGN_IN.search(urlsplit(page.url).path):
        yield "page-login", field, ERROR, f"{name} requires a sign-in."
    elif page.status in (404, 410):
        yield "page-open", field, ERROR, f"{name} does not exist (HTTP {page.status})."
    elif page.status != 200:
        yield (
            "page-open",
            field,
            WARNING,
            f"{name} returned HTTP {page.status}. Open it in a browser to check.",
        )
    else:
        yield from _check_content(field, name, page)


def _check_content(field: str, name: str, page: Page) -> Iterator[tuple[str, str, Severity, str]]:
    text = " ".join(html.unescape(_TAGS.sub(" ", page.text)).split())
    if page.content_type not in _TEXT_TYPES:
        # A picture of a form is good evidence; few tools read a policy in a PDF.
        if field != "message_flow":
            yield (
                "page-content",
                field,
                WARNING,
                f"{name} is not a web page ({page.content_type}). Open it in a browser to check.",
            )
        return
    if len(text.split()) < _FEW_WORDS and _PARKED.search(text):
        yield "page-content", field, WARNING, f"{name} seems to be parked or under construction."
        return
    if field == "message_flow":
        if _PASSWORD.search(page.text) and len(text.split()) < _FEW_WORDS:
            yield "page-login", field, WARNING, f"{name} seems to be a sign-in page."
        return
    if len(text.split()) < _FEW_WORDS:
        yield (
            "page-content",
            field,
            WARNING,
            f"{name} shows almost no text without scripts. Open it in a browser to check.",
        )
        return
    word = "privacy" if field == PRIVACY else "terms"
    if word not in text.lower() and not (word == "terms" and "conditions" in text.lower()):
        yield "page-content", field, WARNING, f"{name} does not contain the word “{word}”."
    if field == PRIVACY and not _NOT_SHARED.search(text):
        message = f"{name} does not seem to say that mobile numbers are not shared or sold."
        yield "privacy-sharing", field, WARNING, message
    elif field == PRIVACY and _allows_sharing(text):
        message = f"{name} allows sharing data for marketing; it must exclude mobile numbers."
        yield "privacy-sharing", field, WARNING, message


def _allows_sharing(text: str) -> bool:
    return not _EXCLUDED.search(text) and any(
        not is_negated(text, found.start()) for found in _SHARED.finditer(text)
    )


def _line_type(registration: Registration) -> Iterator[tuple[str, str, Severity, str]]:
    """Twilio Lookup (docs/twilio.md section 13): only a cell phone can reply YES. Each answer is charged."""
    mobile = str(registration.trust_bundle.mobile_phone_number or "")
    if not mobile:
        return
    try:
        answer: dict[str, Any] = get_client().lookup_line_type(mobile)
    except errors.TwilioError:
        yield "line-type", _MOBILE, WARNING, "Twilio could not look up the line type. Try again later."
        return
    request = registration.events.filter(tag=ASKED).first()
    spending.record_lookup(registration, actor=request.actor if request else "")
    kind = (answer.get("line_type_intelligence") or {}).get("type")
    if answer.get("valid") is False or answer.get("country_code") not in ("US", "CA"):
        yield "line-type", _MOBILE, ERROR, "Twilio does not recognize this as a US or Canadian number."
    elif kind in (None, "unknown", "personal"):
        yield (
            "line-type",
            _MOBILE,
            WARNING,
            "Twilio does not know the line type. Ask the customer whether it is a cell phone.",
        )
    elif kind != "mobile":
        yield (
            "line-type",
            _MOBILE,
            ERROR,
            f"Twilio lists this number as {_KINDS.get(kind, kind)}, not as a cell phone.",
        )


_KINDS = {
    "landline": "a landline",
    "fixedVoip": "a VoIP number",
    "nonFixedVoip": "a VoIP number",
    "tollFree": "a toll-free number",
}
