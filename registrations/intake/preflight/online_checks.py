"""The optional look outside: the customer's pages, fetched as a reviewer would, and the mobile's line type.

Both are off by default (A2P_PREFLIGHT_FETCH, free; A2P_PREFLIGHT_LOOKUP, A2P_LOOKUP_PRICE each) and run in a
worker's job, because pages of others may be slow. The answers stay on the timeline, without values.
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
from .rule import ERROR, WARNING, Case, Finding, Hit, Rule, Severity
from .text_scan import denied, links_in

TAG = "preflight:online"
ASKED = "preflight:online_asked"
FLOW_PAGES = 3  # of the links in the text about opting in
_MOBILE = "mobile_phone_number"
Fetch = Callable[[str], Page]


def _nothing(case: Case) -> Iterator[Hit]:
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
    return Rule(slug, codes, severity, fields, title, why, example, _nothing, row)


_PAGES = (PRIVACY, TERMS, "message_flow")
RULES: dict[str, Rule] = {
    rule.slug: rule
    for rule in (
        _rule(
            "page-open",
            (30907, 30891, 30933, 30934),
            ERROR,
            _PAGES,
            "A page cannot be opened",
            "Twilio opens and photographs the pages.",
            "a page that anybody can open over https",
            10,
        ),
        _rule(
            "page-login",
            (30921,),
            ERROR,
            _PAGES,
            "A page is behind a sign-in",
            "Reviewers have no account there.",
            "a public page, or one with a screenshot",
            10,
        ),
        _rule(
            "page-content",
            (30908, 30882, 30919),
            WARNING,
            _PAGES,
            "A page does not seem to be what it should be",
            "Reviewers look for the words of a privacy policy, or of terms.",
            "a page with the heading “Privacy policy”",
            11,
        ),
        _rule(
            "privacy-sharing",
            (30908, 30932),
            WARNING,
            (PRIVACY,),
            "The privacy policy does not say that mobile numbers are not shared",
            "Twilio rejects policies without this sentence.",
            "Mobile numbers and opt-in data are not shared with third parties for marketing.",
            12,
        ),
        _rule(
            "line-type",
            (30751, 30753),
            ERROR,
            (_MOBILE,),
            "The mobile is no mobile",
            "The OTP text reaches real mobiles only, and the brand's fee is lost.",
            "the owner's own cell phone",
            28,
        ),
    )
}

_TAGS = re.compile(r"<(script|style|noscript)\b.*?</\1\s*>|<[^>]+>", re.IGNORECASE | re.DOTALL)
# The whole of a path's part: /sign-in-sheet.jpg shows how people agree on paper.
_SIGN_IN = re.compile(
    r"/(?:(?:service)?log-?in|sign-?in|auth|sso|wp-login)(?:\.(?:php|aspx?|jsp|html?))?(?:/|$)", re.IGNORECASE
)
_PASSWORD = re.compile(r"<input\b[^>]*type\s*=\s*[\"']?password", re.IGNORECASE)
_NUMBERS = r"(?:mobile|phone|sms|text(?:ing|s)?|opt-?in|consent|personal)"
_KEPT = re.compile(
    rf"\b{_NUMBERS}\b[^.]{{0,160}}\b(?:not|never|no)\b[^.]{{0,60}}\b(?:shared?|sold|sell|disclosed?|"
    rf"transferred|rented)\b|"
    rf"\b(?:not|never|don.?t|no)\b[^.]{{0,40}}\b(?:share|sell|disclose|transfer|"
    rf"rent)\b[^.]{{0,160}}\b{_NUMBERS}\b|"
    rf"\bno {_NUMBERS}[^.]{{0,60}}\b(?:shared|sold|disclosed)\b",
    re.IGNORECASE,
)
# A sentence that lets numbers go, whatever another one promises.
_GIVEN = re.compile(
    r"\b(?:share|sell|rent|disclose|provide|transfer)s?\b[^.]{0,120}\b(?:third[- ]part(?:y|ies)|partners?|affiliates?|"
    r"advertisers?|sponsors?)\b[^.]{0,120}\b(?:marketing|promotion(?:al|s)?|advertising|their own (?:purposes|use))\b",
    re.IGNORECASE,
)
_EXCEPTED = re.compile(r"\b(?:exclud\w+|except\w*)\b[^.]{0,60}\b(?:text|sms|mobile|opt-?in)\b", re.IGNORECASE)
_PARKED = re.compile(
    r"\bdomain (?:name )?(?:is|may be) for sale\b|\bbuy this domain\b|\bparked (?:free|domain|page)\b|"
    r"\bcoming soon\b|\bunder construction\b",
    re.IGNORECASE,
)
_PAGE_KINDS = ("", "text/html", "application/xhtml+xml", "text/plain")
_FEW_WORDS = 60


def enabled() -> bool:
    return bool(settings.A2P_PREFLIGHT_FETCH or settings.A2P_PREFLIGHT_LOOKUP)


def price() -> Decimal:
    """What one look costs, in US dollars."""
    return prices.price(FeeKind.LOOKUP) if settings.A2P_PREFLIGHT_LOOKUP else Decimal(0)


def request_params(registration: Registration) -> str:
    """Changes when one of the inputs that are looked at does; tells nothing about them."""
    campaign, bundle = registration.campaign, registration.trust_bundle
    looked_at = (
        campaign.privacy_policy_url,
        campaign.terms_and_conditions_url,
        *_flow_links(campaign.message_flow),
        str(bundle.mobile_phone_number or ""),
    )
    return hashlib.blake2b("\n".join(looked_at).encode(), digest_size=12).hexdigest()


def look(registration: Registration, *, fetch: Fetch = fetch) -> list[Finding]:
    """Fetch and ask what is enabled, and write the answers on the timeline."""
    found: list[tuple[str, str, Severity, str]] = []
    if settings.A2P_PREFLIGHT_FETCH:
        found += _pages(registration, fetch)
    if settings.A2P_PREFLIGHT_LOOKUP:
        found += _line_type(registration)
    said = "; ".join(dict.fromkeys(text for *_, text in found)) or "nothing to object to."
    timeline.record(
        registration,
        TAG,
        f"Looked at pages and mobile: {said}",
        of=request_params(registration),
        found=[list(row) for row in found],
    )
    return [_finding(*row) for row in found]


def last(registration: Registration) -> list[Finding] | None:
    """The newest look at these very inputs; None when there was none."""
    event = registration.events.filter(tag=TAG).first()
    if event is None or event.data.get("of") != request_params(registration):
        return None
    return [_finding(*row) for row in event.data.get("found", []) if row[0] in RULES]


def _finding(slug: str, field: str, severity: Severity, text: str) -> Finding:
    return Finding(RULES[slug], severity, field, text)


def _flow_links(text: str) -> list[str]:
    links = [link for link in links_in(text) if link.scheme != "http" and (link.scheme or link.sure)]
    urls = (link.text if link.scheme else f"https://{link.text}" for link in links)
    return list(dict.fromkeys(urls))[:FLOW_PAGES]


def _pages(registration: Registration, fetch: Fetch) -> Iterator[tuple[str, str, Severity, str]]:
    campaign = registration.campaign
    asked: dict[str, Page] = {}
    wanted = [(PRIVACY, "The privacy policy", campaign.privacy_policy_url)]
    wanted += [(TERMS, "The page of the terms", campaign.terms_and_conditions_url)]
    wanted += [("message_flow", "A page named there", url) for url in _flow_links(campaign.message_flow)]
    for field, name, url in wanted:
        if not url:
            continue
        if url not in asked:
            asked[url] = fetch(url)
        yield from judge(field, name, asked[url])


_PROBLEMS: dict[str, tuple[Severity, str]] = {
    "address": (ERROR, "has an address that cannot be asked"),
    "insecure": (ERROR, "leads to a page without https"),
    "unknown": (ERROR, "has a host that does not exist"),
    "private": (ERROR, "lies inside a private network"),
    "tls": (ERROR, "has no valid certificate"),
    "redirects": (ERROR, "redirects round and round"),
    "slow": (WARNING, "did not answer in time"),
    "broken": (WARNING, "did not answer properly"),
}


def judge(field: str, name: str, page: Page) -> Iterator[tuple[str, str, Severity, str]]:
    """What a reviewer would object to in one page: (rule, field, severity, sentence)."""
    if page.problem:
        severity, said = _PROBLEMS[page.problem]
        yield "page-open", field, severity, f"{name} {said}."
    elif page.status == 401 or _SIGN_IN.search(urlsplit(page.url).path):
        yield "page-login", field, ERROR, f"{name} asks for a sign-in."
    elif page.status in (404, 410):
        yield "page-open", field, ERROR, f"{name} does not exist (HTTP {page.status})."
    elif page.status != 200:
        yield "page-open", field, WARNING, f"{name} answers with HTTP {page.status}; open it in a browser."
    else:
        yield from _read(field, name, page)


def _read(field: str, name: str, page: Page) -> Iterator[tuple[str, str, Severity, str]]:
    text = " ".join(html.unescape(_TAGS.sub(" ", page.text)).split())
    if page.content_type not in _PAGE_KINDS:
        # A picture of a form is good evidence; a policy in a PDF is read by few machines.
        if field != "message_flow":
            yield (
                "page-content",
                field,
                WARNING,
                f"{name} is no web page ({page.content_type}); open it in a browser.",
            )
        return
    if len(text.split()) < _FEW_WORDS and _PARKED.search(text):
        yield "page-content", field, WARNING, f"{name} seems to be parked or not built yet."
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
            f"{name} shows hardly any text without scripts; open it in a browser.",
        )
        return
    word = "privacy" if field == PRIVACY else "terms"
    if word not in text.lower() and not (word == "terms" and "conditions" in text.lower()):
        yield "page-content", field, WARNING, f"{name} does not have the word “{word}”."
    if field == PRIVACY and not _KEPT.search(text):
        said = "does not seem to say that mobile numbers are not shared or sold"
        yield "privacy-sharing", field, WARNING, f"{name} {said}."
    elif field == PRIVACY and _gives_away(text):
        said = "has a sentence that lets data go to others for marketing; it must leave out mobile numbers"
        yield "privacy-sharing", field, WARNING, f"{name} {said}."


def _gives_away(text: str) -> bool:
    return not _EXCEPTED.search(text) and any(
        not denied(text, found.start()) for found in _GIVEN.finditer(text)
    )


def _line_type(registration: Registration) -> Iterator[tuple[str, str, Severity, str]]:
    """Twilio's Lookup (docs/twilio.md section 13): only a mobile can answer YES. An answer is paid for."""
    mobile = str(registration.trust_bundle.mobile_phone_number or "")
    if not mobile:
        return
    try:
        answer: dict[str, Any] = get_client().lookup_line_type(mobile)
    except errors.TwilioError:
        yield "line-type", _MOBILE, WARNING, "Twilio could not tell the mobile's line type. Try again later."
        return
    asked = registration.events.filter(tag=ASKED).first()
    spending.record_lookup(registration, actor=asked.actor if asked else "")
    kind = (answer.get("line_type_intelligence") or {}).get("type")
    if answer.get("valid") is False or answer.get("country_code") not in ("US", "CA"):
        yield "line-type", _MOBILE, ERROR, "Twilio does not know this as a US or Canadian number."
    elif kind in (None, "unknown", "personal"):
        yield (
            "line-type",
            _MOBILE,
            WARNING,
            "Twilio cannot tell the line type. Ask whether it is a real mobile.",
        )
    elif kind != "mobile":
        yield (
            "line-type",
            _MOBILE,
            ERROR,
            f"Twilio knows this number as {_KINDS.get(kind, kind)}, not as a mobile.",
        )


_KINDS = {
    "landline": "a landline",
    "fixedVoip": "a VoIP number",
    "nonFixedVoip": "a VoIP number",
    "tollFree": "a toll-free number",
}
