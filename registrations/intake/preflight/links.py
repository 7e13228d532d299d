"""Rules about addresses: shorteners, http, and the two pages that every campaign names."""

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from .rule import ERROR, WARNING, Case, Hit, Rule
from .text_scan import denied

PRIVACY, TERMS = "privacy_policy_url", "terms_and_conditions_url"
SHORTENERS: frozenset[str] = frozenset(
    [
        "bit.ly",
        "bitly.com",
        "tinyurl.com",
        "t.co",
        "goo.gl",
        "ow.ly",
        "is.gd",
        "v.gd",
        "buff.ly",
        "rebrand.ly",
        "cutt.ly",
        "shorturl.at",
        "rb.gy",
        "t.ly",
        "tiny.cc",
        "tiny.one",
        "bl.ink",
        "s.id",
        "adf.ly",
        "bit.do",
        "soo.gd",
        "shorte.st",
        "snip.ly",
        "clck.ru",
        "qr.ae",
        "x.co",
        "lnkd.in",
        "dlvr.it",
        "po.st",
        "mcaf.ee",
        "su.pr",
        "tr.im",
        "u.to",
        "1url.com",
        "tny.im",
        "shrtco.de",
        "short.io",
        "short.gy",
        "dub.co",
        "ouo.io",
        "gg.gg",
        "urlz.fr",
        "hyperurl.co",
        "shorturl.com",
        "l.ead.me",
        "trib.al",
        "ift.tt",
        "w.wiki",
        "zpr.io",
    ]
)
# Short addresses of one service: often taken, sometimes refused.
_SHARED: frozenset[str] = frozenset(
    [
        "forms.gle",
        "maps.app.goo.gl",
        "g.co",
        "g.page",
        "youtu.be",
        "fb.me",
        "m.me",
        "wa.me",
        "amzn.to",
        "a.co",
        "msng.link",
        "cash.me",
        "spoti.fi",
    ]
)
_RESERVED = re.compile(
    r"^(www\.)?(example\.(com|org|net)|(your|my)-?(domain|website|site|business|company|url)\.(com|org|net)|"
    r"domain\.com|website\.com|yourbusinessname\.com)$"
)
_NOT_PUBLIC = re.compile(r"(^|\.)(localhost|local|internal|lan|test|invalid|localdomain)$")


def _split(address: str) -> SplitResult:
    """What cannot be read, "https://[your-site]/", has no host; the form itself says that it is no address."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _shorteners(case: Case) -> Iterator[Hit]:
    places = [
        (field, link.host, link.text, link.path) for field, links in case.links.items() for link in links
    ]
    starts = {(field, link.text): link.start for field, links in case.links.items() for link in links}
    texts = dict(case.told())
    for field in (PRIVACY, TERMS):
        if address := case.text(field):
            places.append((field, _split(address).hostname or "", address, "/"))
    for field, host, text, path in places:
        host = host.lower().removeprefix("www.")
        if host in _SHARED:
            yield Hit(
                field,
                f"{host} is a short address of a shared service. Give the page's full one.",
                text,
                WARNING,
            )
        elif host in SHORTENERS:
            spoken_of = field in ("description", "message_flow") and not path.strip("/")
            if spoken_of and denied(texts[field], starts[field, text]):
                continue
            yield Hit(
                field,
                f"{host} is a public URL shortener. Give the page's own address.",
                text,
                WARNING if spoken_of else None,
            )


def _http(case: Case) -> Iterator[Hit]:
    for field, links in case.links.items():
        for link in links:
            if link.scheme == "http":
                yield Hit(field, f"Write https:// instead of http:// in {link.text}.", link.text)
                break
    for field in (PRIVACY, TERMS):
        if case.text(field).lower().startswith("http://"):
            yield Hit(field, "The address must start with https://.", case.text(field))


def _missing(case: Case) -> Iterator[Hit]:
    for field, name in ((PRIVACY, "privacy policy"), (TERMS, "terms")):
        if not case.text(field):
            yield Hit(field, f"Give the public https address of the customer's {name}.")


def _bare(address: str) -> tuple[str, str, str]:
    parts = _split(address if "//" in address else f"https://{address}")
    host = (parts.hostname or "").removeprefix("www.")
    return host, parts.path.rstrip("/").lower() + (f"?{parts.query}" if parts.query else ""), parts.fragment


def _distinct(case: Case) -> Iterator[Hit]:
    privacy, terms = case.text(PRIVACY), case.text(TERMS)
    if not privacy or not terms:
        return
    one, other = _bare(privacy), _bare(terms)
    if not one[0] or one[:2] != other[:2]:
        return
    if one[2] == other[2]:
        yield Hit(TERMS, "This is the address of the privacy policy. Terms need a page of their own.", terms)
    else:
        yield Hit(
            TERMS, "Privacy policy and terms are one page. Two pages are surer to pass.", terms, WARNING
        )


def _public(case: Case) -> Iterator[Hit]:
    for field in (PRIVACY, TERMS):
        if not (address := case.text(field)):
            continue
        host, path, fragment = _bare(address)
        if _is_private(host):
            yield Hit(field, f"{host} cannot be reached from outside.", address)
        elif _RESERVED.search(host):
            yield Hit(field, f"{host} is a placeholder. Give the customer's own page.", address, WARNING)
        elif not path and not fragment:
            name = "privacy policy" if field == PRIVACY else "terms"
            yield Hit(field, f"This is a home page. Give the address of the {name} itself.", address, WARNING)


def _is_private(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return bool(host) and ("." not in host or bool(_NOT_PUBLIC.search(host)))


def _placeholder_links(case: Case) -> Iterator[Hit]:
    for field, links in case.links.items():
        for link in links:
            if _RESERVED.search(link.host) or _is_private(link.host):
                yield Hit(field, f"{link.host} is a placeholder. Give the customer's own address.", link.text)
                break


RULES = (
    Rule(
        "shortener",
        (30892, 30963),
        ERROR,
        ("description", "message_flow", "message_samples", PRIVACY, TERMS),
        "A public URL shortener",
        "Carriers block shared short addresses: nobody sees where they lead.",
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
        "Addresses with http:// are rejected.",
        "https://annlee.example.com/book",
        _http,
        10,
    ),
    Rule(
        "pages-missing",
        (30933, 30934, 30908, 30882),
        ERROR,
        (PRIVACY, TERMS),
        "A page is missing",
        "Since 2026-06-30 every campaign needs both addresses.",
        "https://annlee.example.com/privacy",
        _missing,
        11,
        missing=True,
    ),
    Rule(
        "pages-distinct",
        (30882, 30908, 30933, 30934),
        ERROR,
        (PRIVACY, TERMS),
        "Privacy policy and terms are the same page",
        "Reviewers open both and look for different things.",
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
        "Twilio opens and photographs the pages.",
        "https://annlee.example.com/privacy",
        _public,
        11,
    ),
    Rule(
        "placeholder-link",
        (30891, 30907),
        WARNING,
        ("description", "message_flow", "message_samples"),
        "A placeholder address",
        "Twilio opens the addresses in these texts.",
        "https://annlee.example.com/book",
        _placeholder_links,
        10,
    ),
)
