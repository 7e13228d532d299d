"""Rules about URLs: shorteners, http, and the privacy policy and terms that every campaign needs."""

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from .rule import ERROR, WARNING, Draft, Hit, Rule
from .text_scan import is_negated, word_set

PRIVACY, TERMS = "privacy_policy_url", "terms_and_conditions_url"
SHORTENERS = word_set(
    """
    bit.ly bitly.com tinyurl.com t.co goo.gl ow.ly is.gd v.gd buff.ly rebrand.ly cutt.ly shorturl.at
    rb.gy t.ly tiny.cc tiny.one bl.ink s.id adf.ly bit.do soo.gd shorte.st snip.ly clck.ru qr.ae x.co
    lnkd.in dlvr.it po.st mcaf.ee su.pr tr.im u.to 1url.com tny.im shrtco.de short.io short.gy dub.co
    ouo.io gg.gg urlz.fr hyperurl.co shorturl.com l.ead.me trib.al ift.tt w.wiki zpr.io
    """
)
# Short domains of a single service: often accepted, sometimes rejected.
_SHARED = word_set(
    """
    forms.gle maps.app.goo.gl g.co g.page youtu.be fb.me m.me wa.me amzn.to a.co msng.link cash.me
    spoti.fi
    """
)
_RESERVED = re.compile(
    r"^(www\.)?(example\.(com|org|net)|(your|my)-?(domain|website|site|business|company|url)\.(com|org|net)|"
    r"domain\.com|website\.com|yourbusinessname\.com)$"
)
_NOT_PUBLIC = re.compile(r"(^|\.)(localhost|local|internal|lan|test|invalid|localdomain)$")


def _split(url: str) -> SplitResult:
    """The parts of a URL; empty for one that is not valid, like "https://[your-site]/", which the form reports."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _shorteners(draft: Draft) -> Iterator[Hit]:
    places = [
        (field, link.host, link.text, link.path) for field, links in draft.links.items() for link in links
    ]
    starts = {(field, link.text): link.start for field, links in draft.links.items() for link in links}
    texts = dict(draft.read_by_reviewers())
    for field in (PRIVACY, TERMS):
        if address := draft.text(field):
            places.append((field, _split(address).hostname or "", address, "/"))
    for field, host, text, path in places:
        host = host.lower().removeprefix("www.")
        if host in _SHARED:
            yield Hit(
                field,
                f"{host} is a short link of a shared service. Use the full URL of the page.",
                text,
                WARNING,
            )
        elif host in SHORTENERS:
            only_mentioned = field in ("description", "message_flow") and not path.strip("/")
            if only_mentioned and is_negated(texts[field], starts[field, text]):
                continue
            yield Hit(
                field,
                f"{host} is a public URL shortener. Use the full URL of the page.",
                text,
                WARNING if only_mentioned else None,
            )


def _http(draft: Draft) -> Iterator[Hit]:
    for field, links in draft.links.items():
        for link in links:
            if link.scheme == "http":
                yield Hit(field, f"Use https:// instead of http:// in {link.text}.", link.text)
                break
    for field in (PRIVACY, TERMS):
        if draft.text(field).lower().startswith("http://"):
            yield Hit(field, "The URL must start with https://.", draft.text(field))


def _missing(draft: Draft) -> Iterator[Hit]:
    for field, name in ((PRIVACY, "privacy policy"), (TERMS, "terms")):
        if not draft.text(field):
            yield Hit(field, f"Enter the public https URL of the customer's {name}.")


def _location(url: str) -> tuple[str, str, str]:
    """(host without www, path with query, fragment)."""
    parts = _split(url if "//" in url else f"https://{url}")
    host = (parts.hostname or "").removeprefix("www.")
    return host, parts.path.rstrip("/").lower() + (f"?{parts.query}" if parts.query else ""), parts.fragment


def _distinct(draft: Draft) -> Iterator[Hit]:
    privacy, terms = draft.text(PRIVACY), draft.text(TERMS)
    if not privacy or not terms:
        return
    one, other = _location(privacy), _location(terms)
    if not one[0] or one[:2] != other[:2]:
        return
    if one[2] == other[2]:
        yield Hit(TERMS, "This is the URL of the privacy policy. The terms need a page of their own.", terms)
    else:
        yield Hit(
            TERMS,
            "The privacy policy and terms are on one page. Two separate pages are safer.",
            terms,
            WARNING,
        )


def _public(draft: Draft) -> Iterator[Hit]:
    for field in (PRIVACY, TERMS):
        if not (address := draft.text(field)):
            continue
        host, path, fragment = _location(address)
        if _is_private(host):
            yield Hit(field, f"{host} can't be reached from the internet.", address)
        elif _RESERVED.search(host):
            yield Hit(field, f"{host} is a placeholder. Use the customer's own page.", address, WARNING)
        elif not path and not fragment:
            name = "privacy policy" if field == PRIVACY else "terms"
            yield Hit(field, f"This is a home page. Enter the URL of the {name} itself.", address, WARNING)


def _is_private(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return bool(host) and ("." not in host or bool(_NOT_PUBLIC.search(host)))


def _placeholder_links(draft: Draft) -> Iterator[Hit]:
    for field, links in draft.links.items():
        for link in links:
            if _RESERVED.search(link.host) or _is_private(link.host):
                yield Hit(field, f"{link.host} is a placeholder. Use the customer's own URL.", link.text)
                break


RULES = (
    Rule(
        "shortener",
        (30892, 30963),
        ERROR,
        ("description", "message_flow", "message_samples", PRIVACY, TERMS),
        "A public URL shortener",
        "Carriers block public short links because they hide where they lead.",
        "https://annlee.example.com/book",
        _shorteners,
        9,
    ),
    Rule(
        "http-link",
        (30964,),
        ERROR,
        ("description", "message_flow", "message_samples", PRIVACY, TERMS),
        "A link without https",
        "URLs with http:// are rejected.",
        "https://annlee.example.com/book",
        _http,
        10,
    ),
    Rule(
        "pages-missing",
        (30933, 30934, 30908, 30882),
        ERROR,
        (PRIVACY, TERMS),
        "A web page is missing",
        "Since 2026-06-30, every campaign needs both URLs.",
        "https://annlee.example.com/privacy",
        _missing,
        11,
        skip_while_typing=True,
    ),
    Rule(
        "pages-distinct",
        (30882, 30908, 30933, 30934),
        ERROR,
        (PRIVACY, TERMS),
        "Privacy policy and terms are the same page",
        "Reviewers open both and look for different content.",
        "…/privacy and …/terms",
        _distinct,
        11,
    ),
    Rule(
        "pages-public",
        (30933, 30934, 30907, 30891),
        ERROR,
        (PRIVACY, TERMS),
        "Not a public page of the customer",
        "Twilio opens the pages and takes screenshots.",
        "https://annlee.example.com/privacy",
        _public,
        11,
    ),
    Rule(
        "placeholder-link",
        (30891, 30907),
        WARNING,
        ("description", "message_flow", "message_samples"),
        "A placeholder URL",
        "Twilio opens the URLs in these texts.",
        "https://annlee.example.com/book",
        _placeholder_links,
        10,
    ),
)
