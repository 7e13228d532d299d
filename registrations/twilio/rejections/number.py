"""The sender: attaching it, its A2P state (known from events only), and errors of sent messages.

Source: Twilio facts, sections 3, 4.3, 7.3 and 8.
"""

from .model import Failure, Fee, Resubmittable, Scope, Who


def _number(
    code: int | None,
    title: str,
    explanation: str,
    advice: str,
    *,
    key: str = "",
    fields: tuple[str, ...] = ("sender_number",),
    resubmittable: Resubmittable = "yes",
    redo: tuple[Scope, ...] = ("number",),
    fee: Fee = "none",
    who: Who = "us",
    certain: bool = True,
    states: tuple[str, ...] = (),
    source: str = "Twilio facts, section 8",
) -> Failure:
    return Failure(
        code=code,
        key=key,
        area="number",
        title=title,
        explanation=explanation,
        advice=advice,
        fields=fields,
        resubmittable=resubmittable,
        redo=redo,
        fee=fee,
        who=who,
        certain=certain,
        states=states,
        source=source,
    )


_ATTACH = "Twilio facts, section 4.3"
_EVENTS = "Twilio facts, sections 3 and 7.3"

ATTACHING = (
    _number(
        21710,
        "Number is in the service already",
        "The wished state exists; nothing failed.",
        "Nothing to do.",
        redo=("none",),
        source=_ATTACH,
    ),
    _number(
        21712,
        "Number belongs to another messaging service",
        "A number can be in one messaging service only.",
        "Remove it from the other service if it is free, or choose another number, then submit again.",
        resubmittable="after_fix_elsewhere",
        source=_ATTACH,
    ),
    _number(
        21714,
        "Messaging service holds too many numbers",
        "The number pool of the service is full.",
        "Remove the numbers that are not this customer's, then submit again.",
        resubmittable="after_fix_elsewhere",
        source=_ATTACH,
    ),
    _number(
        21715,
        "Number cannot send texts",
        "The number lacks the capability for SMS.",
        "Choose a number with SMS and submit again.",
        source=_ATTACH,
    ),
    _number(
        21701,
        "Messaging service does not exist",
        "The messaging service was deleted at Twilio or belongs to another account.",
        "Refresh the case; if the service is gone, service and campaign have to be made anew.",
        fields=(),
        redo=("campaign_recreate", "number"),
        fee="campaign_vetting",
        source=_ATTACH,
    ),
    _number(
        21705,
        "Messaging service SID is not valid",
        "The SID sent is not that of a messaging service of this account.",
        "Refresh the case; if it stays, tell the operator.",
        fields=(),
        redo=("operator",),
        source=_ATTACH,
    ),
)

STATES = (
    _number(
        None,
        "Number's registration failed",
        "The carriers did not accept the number for this campaign.",
        "Check that it is the only number in the service, remove it, add it again and wait; if it fails "
        "again, ask Twilio Support.",
        key="number_failure",
        redo=("number", "support"),
        states=("number:failure",),
        source=_EVENTS,
    ),
    _number(
        None,
        "Number is not registered",
        "The number may not send for the campaign: it was removed, or another number of the service was "
        "chosen.",
        "Leave only this number in the service, remove it and add it again.",
        key="number_unregistered",
        states=("number:unregistered",),
        source=_EVENTS,
    ),
    _number(
        None,
        "Number is being deregistered",
        "It takes some days; until then the number cannot be registered for a new campaign.",
        "Wait until the deregistration is over; nothing can be done meanwhile.",
        key="number_pending_deregistration",
        redo=("retry_later",),
        resubmittable="after_fix_elsewhere",
        who="twilio",
        states=("number:pending_deregistration",),
        source=_EVENTS,
    ),
    _number(
        30126,
        "Number's registration or deregistration failed",
        "The code stands in Twilio's sample of a failed deregistration; its own page was not found.",
        "Open Twilio's page for the code; remove the number, add it again, and ask Twilio Support if it "
        "comes back.",
        redo=("number", "support"),
        resubmittable="unknown",
        certain=False,
        source=_EVENTS,
    ),
)

SENDING = (
    _number(
        30034,
        "Message from an unregistered number",
        "The number is not (yet) registered for the campaign, so carriers block it.",
        "Check that it is the only number in the service; wait for its registration, or remove and add it "
        "again.",
    ),
    _number(
        30033,
        "Message blocked: campaign suspended",
        "The campaign of this number is suspended.",
        "Ask Twilio Support for the reason of the suspension.",
        redo=("support",),
        resubmittable="no",
        who="twilio",
    ),
    _number(
        30022,
        "Sent too fast",
        "More messages per second than carriers allow a Sole Proprietor.",
        "Spread the messages over time.",
        redo=("retry_later",),
        fields=(),
        who="customer",
    ),
    _number(
        30023,
        "Daily limit reached",
        "A Sole Proprietor may send about 1,000 segments a day to T-Mobile, about 3,000 to all US carriers.",
        "Send the rest after midnight US Pacific time, or send less.",
        redo=("retry_later",),
        fields=(),
        who="customer",
    ),
    _number(
        30025,
        "Part of the daily limit used",
        "A warning: T-Mobile's daily allowance is partly used up.",
        "Nothing failed; plan the rest of the day's messages.",
        redo=("none",),
        fields=(),
        who="customer",
        certain=False,
    ),
    _number(
        30026,
        "Most of the daily limit used",
        "A warning: most of T-Mobile's daily allowance is used up.",
        "Nothing failed; send the rest tomorrow if it can wait.",
        redo=("none",),
        fields=(),
        who="customer",
        certain=False,
    ),
    _number(
        30007,
        "Message filtered",
        "A carrier or Twilio took the message for unwanted.",
        "Compare the message with the registered samples; ask Twilio Support with examples if it fits them.",
        fields=("message_samples",),
        redo=("support",),
        resubmittable="no",
        who="customer",
    ),
    _number(
        30024,
        "Sender not set up at the carrier",
        "The number is registered but not yet set up everywhere.",
        "Wait a day; if it stays, remove the number and add it again.",
        redo=("retry_later", "number"),
        who="twilio",
    ),
)

FAILURES = ATTACHING + STATES + SENDING
