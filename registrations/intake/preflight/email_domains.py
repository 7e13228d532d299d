"""Domains of throw-away mailboxes, and common typos in the names of large providers."""

from disposable_email_domains import blocklist

# Services that the list leaves out, most of them because they forward to a real mailbox.
_ALSO_DISPOSABLE = frozenset(
    {
        "33mail.com",
        "burnermail.io",
        "mail-temp.com",
        "spamgourmet.com",
        "temp-mail.io",
        "tempmail.com",
        "tempmail.dev",
        "tempmail.net",
        "throwaway.email",
    }
)

COMMON_TYPOS: dict[str, str] = {
    "gmial.com": "gmail.com",
    "gmai.com": "gmail.com",
    "gmal.com": "gmail.com",
    "gmail.co": "gmail.com",
    "gmail.con": "gmail.com",
    "gmaill.com": "gmail.com",
    "gnail.com": "gmail.com",
    "yaho.com": "yahoo.com",
    "yahooo.com": "yahoo.com",
    "yahoo.con": "yahoo.com",
    "hotmial.com": "hotmail.com",
    "hotmai.com": "hotmail.com",
    "hotmail.con": "hotmail.com",
    "outlok.com": "outlook.com",
    "outlook.con": "outlook.com",
    "iclould.com": "icloud.com",
    "icloud.con": "icloud.com",
    "aol.con": "aol.com",
}


def is_disposable(domain: str) -> bool:
    """Whether a lower-case domain, or one above it, gives out throw-away mailboxes.

    No list is complete: Twilio's own check decides.

    >>> is_disposable("inbox.mailinator.com"), is_disposable("gmail.com")
    (True, False)
    """
    labels = domain.split(".")
    parents = (".".join(labels[n:]) for n in range(len(labels)))
    return any(parent in blocklist or parent in _ALSO_DISPOSABLE for parent in parents)
