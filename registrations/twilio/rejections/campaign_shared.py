"""Rejections that campaigns share with toll-free verification: codes 30497 and 30532 to 30570.

Source: Twilio's error pages of 14 September 2026, which say of each that it applies to A2P 10DLC registration
too. The series has more codes than the pages that were found; the others are shown with Twilio's own words.
"""

from .model import Failure, Resubmittable, Scope, Who


def _shared(
    code: int,
    title: str,
    explanation: str,
    advice: str,
    fields: tuple[str, ...],
    *,
    resubmittable: Resubmittable = "yes",
    redo: tuple[Scope, ...] = ("campaign_update",),
    who: Who = "customer",
    certain: bool = True,
) -> Failure:
    return Failure(
        code=code,
        area="campaign",
        title=title,
        explanation=explanation,
        advice=advice,
        fields=fields,
        resubmittable=resubmittable,
        redo=redo,
        fee="campaign_vetting_maybe" if "campaign_update" in redo else "none",
        who=who,
        certain=certain,
        source="Twilio error page, 2026-09-14",
    )


USE_CASE = (
    _shared(
        30497,
        "Description is too general",
        "The description says too little, or speaks of something else than what is sent.",
        "Say precisely what is sent, to whom and why, then submit again.",
        ("description",),
        who="us",
    ),
    _shared(
        30532,
        "Private use",
        "Messages to oneself, family or friends cannot be registered, only those of a business.",
        "If it is a business use, describe it and show proof, then submit again; otherwise it cannot be registered.",
        ("description",),
        resubmittable="after_fix_elsewhere",
    ),
    _shared(
        30533,
        "Person-to-person messages",
        "Only messages of a business to its customers can be registered.",
        "If it is a business use, describe it and show proof, then submit again; otherwise it cannot be registered.",
        ("description",),
        resubmittable="after_fix_elsewhere",
    ),
    _shared(
        30534,
        "Test campaign without real details",
        "A campaign for tests needs real data and a full description too; filler words are refused.",
        "Replace filler by real texts and say who receives the tests, then submit again.",
        ("description", "message_samples", "message_flow"),
        who="us",
    ),
    _shared(
        30535,
        "Messages passed on to friends",
        "Invitations from person to person need the recipient's consent, must be single and carry no reward.",
        "Have the customer change the way invitations work and describe it, then submit again.",
        ("description", "message_flow", "message_samples"),
        resubmittable="after_fix_elsewhere",
    ),
    _shared(
        30537,
        "Business and messages do not fit",
        "The website shows another kind of business than the samples speak of.",
        "Make samples, description and website agree, then submit again.",
        ("message_samples", "description"),
    ),
    _shared(
        30538,
        "A kind of message has no sample",
        "Each kind of message (such as offers and reminders) needs its own sample.",
        "Add a sample for every kind of message, then submit again.",
        ("message_samples",),
        who="us",
    ),
)

OPT_IN = (
    _shared(
        30540,
        "Confirmation of the opt-in is missing",
        "The message that confirms an opt-in is not given or lacks its notices.",
        "Give the confirmation with brand, data rates, HELP and STOP in the opt-in message; the campaign is "
        "made anew if that field changes.",
        ("opt_in_message", "message_flow"),
        redo=("campaign_update", "campaign_recreate"),
        who="us",
    ),
    _shared(
        30543,
        "No live link to the opt-in page",
        "For a public web form, a screenshot is not enough: the page itself must be linked.",
        "Put the address of the live opt-in page into the message flow and submit again.",
        ("message_flow",),
        who="us",
    ),
    _shared(
        30544,
        "Opt-in does not say what is sent",
        "Where people agree, the purpose of the messages is missing or vague.",
        "Have the customer name the purpose there, repeat it in the message flow, and submit again.",
        ("message_flow",),
    ),
    _shared(
        30545,
        "Opt-in does not say how often",
        "Where people agree, the frequency of the messages is missing.",
        "Have the customer state the frequency there, repeat it in the message flow, and submit again.",
        ("message_flow",),
    ),
    _shared(
        30551,
        "Opt-in does not speak of text messages",
        "General words such as “communications” do not count as consent to texts.",
        "Have the customer write “SMS” or “text messages” there, repeat it in the message flow, and submit again.",
        ("message_flow",),
    ),
    _shared(
        30555,
        "First message before the consent",
        "The proof shows a message, but not the step in which the person agreed.",
        "Show the whole way to the opt-in, starting with the consent, and submit again.",
        ("message_flow",),
    ),
    _shared(
        30556,
        "Consent to texts is mixed with other channels",
        "Agreeing to texts must be separate from agreeing to e-mail or calls.",
        "Have the customer offer a box of its own for texts, describe it, and submit again.",
        ("message_flow",),
    ),
    _shared(
        30569,
        "Opt-in lacks the notice on rates",
        "Where people agree, it must say that message and data rates may apply; the terms alone do not count.",
        "Have the customer add the notice there, repeat it in the message flow, and submit again.",
        ("message_flow",),
    ),
    _shared(
        30570,
        "Opt-in does not say how to get help",
        "Where people agree, it must say that HELP brings help; the terms alone do not count.",
        "Have the customer add it there, repeat it in the message flow, and submit again.",
        ("message_flow",),
    ),
)

TERMS = tuple(
    _shared(
        code,
        f"Terms lack {missing}",
        f"The customer's terms and conditions do not contain {missing}.",
        "Have the customer add it to the page, then submit again.",
        ("terms_and_conditions_url",),
        resubmittable="after_fix_elsewhere",
        certain=certain,
    )
    for code, missing, certain in (
        (30558, "the frequency of the messages", True),
        # Known only from the pages of 30569 and 30570, which refer to these two.
        (30560, "a way to get support", False),
        (30562, "the notice that message and data rates may apply", False),
    )
)

FAILURES = USE_CASE + OPT_IN + TERMS
