"""What a person can be told about: one row a kind."""

from dataclasses import dataclass
from typing import Literal

# How a kind reaches a person outside the desk; inside it is always listed.
How = Literal["now", "digest", "off"]
HOW: dict[str, str] = {"now": "At once", "digest": "In the daily digest", "off": "Only in the desk"}


@dataclass(frozen=True)
class Kind:
    """`default`: how it is sent to people who have not chosen, once they have an e-mail or a webhook."""

    slug: str
    label: str
    help: str
    default: How
    # Whether people choose how they hear of it.
    shown: bool = True


FAILURE, OTP, MENTION, ASSIGNED = "failure", "otp", "mention", "assigned"
BATCH, IMPORT, RED, TEST = "batch_done", "import_done", "red", "test"

KINDS: dict[str, Kind] = {
    kind.slug: kind
    for kind in (
        Kind(FAILURE, "A registration of mine stopped", "Rejected by Twilio, or it needs a person.", "now"),
        Kind(
            OTP,
            "A one-time text of mine runs out",
            "Less than 4 of its 24 hours are left, or less than 3 of the customer's 30 days.",
            "now",
        ),
        Kind(MENTION, "Somebody mentions me", "A note on a timeline names you with @.", "now"),
        Kind(ASSIGNED, "I am made an owner", "Somebody gives you a registration.", "digest"),
        Kind(BATCH, "Bulk work of mine is done", "All rows were gone through, or it stopped.", "now"),
        Kind(IMPORT, "An import of mine is done", "All rows were gone through, or it stopped.", "now"),
        Kind(
            RED,
            "Something is red",
            "No worker runs, Twilio's deliveries stay away, or credentials are refused.",
            "now",
        ),
        Kind(TEST, "A test", "Asked for on the page of settings.", "now", shown=False),
    )
}
