"""Campaign rejections about what the reviewers found (or did not find) on the customer's pages.

Source: Twilio facts, sections 5.2 and 14. Most are cured on the website first; then the campaign is edited so
that it is reviewed again.
"""

from .model import Failure, Resubmittable, Who

_URLS = ("privacy_policy_url", "terms_and_conditions_url")


def _page(
    code: int,
    title: str,
    explanation: str,
    advice: str,
    fields: tuple[str, ...],
    *,
    resubmittable: Resubmittable = "after_fix_elsewhere",
    who: Who = "customer",
    certain: bool = False,
    key: str = "",
) -> Failure:
    return Failure(
        code=code,
        key=key,
        area="campaign",
        title=title,
        explanation=explanation,
        advice=advice,
        fields=fields,
        resubmittable=resubmittable,
        redo=("campaign_update",),
        fee="campaign_vetting_maybe",
        who=who,
        certain=certain,
        source="Twilio facts, section 5.2",
    )


# A missing or unusable legal page is reported under any of these four; treat them alike (facts, section 14).
MISSING_URL_CODES = frozenset({30882, 30908, 30933, 30934})

URLS = (
    Failure(
        code=30882,
        area="campaign",
        title="Terms and conditions violated",
        explanation="The reviewers see a breach of the carriers' or Twilio's terms. The same code also comes "
        "when only the address of the terms page is missing or bad.",
        advice="Check first that the terms page opens for everyone; if it does, ask Twilio Support what in "
        "the campaign is not allowed.",
        fields=("terms_and_conditions_url", "description", "message_samples"),
        resubmittable="unknown",
        redo=("campaign_update", "support"),
        fee="campaign_vetting_maybe",
        certain=False,
        source="Twilio facts, sections 5.2 and 14",
    ),
    _page(
        30882,
        "Address of the terms is missing or bad",
        "Twilio names the page of the terms (or the privacy policy) itself, not the campaign's content.",
        "Enter the public https address of the customer's own terms, check that it opens, and submit again.",
        ("terms_and_conditions_url",),
        resubmittable="yes",
        who="us",
        key="30882_url",
    ),
    _page(
        30908,
        "Privacy policy missing or not good enough",
        "The policy does not open, or does not say that mobile numbers are not shared or sold for marketing.",
        "Have the customer add that sentence to a public page, check the address, and submit again.",
        ("privacy_policy_url",),
        certain=True,
    ),
    _page(
        30932,
        "Privacy policy silent about sharing mobile data",
        "The policy must say that mobile numbers and opt-in data are not shared with or sold to third "
        "parties.",
        "Have the customer add the sentence and remove any that contradicts it, then submit again.",
        ("privacy_policy_url",),
        certain=True,
    ),
    _page(
        30933,
        "Address of the privacy policy missing",
        "Since mid-2026 every campaign needs it.",
        "Enter the public https address of the customer's privacy policy and submit again.",
        ("privacy_policy_url",),
        resubmittable="yes",
        who="us",
        certain=True,
    ),
    _page(
        30934,
        "Address of the terms and conditions missing",
        "Since mid-2026 every campaign needs it.",
        "Enter the public https address of the customer's terms and conditions and submit again.",
        ("terms_and_conditions_url",),
        resubmittable="yes",
        who="us",
        certain=True,
    ),
)

WEBSITE = (
    _page(
        30891,
        "Website does not open or does not fit",
        "An address in the texts cannot be reached or does not show how people opt in.",
        "Give an https address that opens for everyone and shows the opt-in; for a page behind a login or "
        "not yet public, a link to a screenshot. Then submit again.",
        ("message_flow", *_URLS),
        resubmittable="yes",
        who="us",
        certain=True,
    ),
    _page(
        30907,
        "Website failed the automatic check",
        "Twilio opens the addresses by machine and could not load or judge one.",
        "Check that each address opens without login, block or redirect, then submit again.",
        ("message_flow", *_URLS),
        resubmittable="yes",
        who="us",
    ),
    _page(
        30919,
        "Website says too little",
        "The site does not show what the business is or why it sends messages.",
        "Have the customer add what they do and what they send, then submit again.",
        ("message_flow",),
    ),
    _page(
        30920,
        "Website is only a form",
        "The site consists of a form without anything about the business.",
        "Have the customer add a page about the business, then submit again.",
        ("message_flow",),
    ),
    _page(
        30921,
        "Website needs a login",
        "The reviewers met a login and could not see the page.",
        "Give a public address, or a link to screenshots of the opt-in, then submit again.",
        ("message_flow", *_URLS),
    ),
    _page(
        30922,
        "Website does not meet the requirements",
        "The site could not be used to confirm the business.",
        "Have the customer complete the site (business, contact, messages), then submit again.",
        ("message_flow",),
    ),
    _page(
        30961,
        "Website's domain has a bad reputation",
        "The domain is new, or known for abuse.",
        "Use an established domain of the customer; if there is none, ask Twilio Support.",
        ("message_flow", "message_samples", *_URLS),
    ),
)

CONSENT = (
    _page(
        30888,
        "Age check missing or too weak",
        "Content for adults needs a check of the date of birth; a yes/no question does not count.",
        "Have the customer add the check, set the age-gated flag, describe it in the message flow, submit "
        "again.",
        ("age_gated", "message_flow"),
        certain=True,
    ),
    _page(
        30909,
        "Way of opting in is incomplete or cannot be checked",
        "The reviewers could not follow how people agree to get messages.",
        "Describe each way step by step, with public proof and the usual notices (frequency, rates, STOP, "
        "HELP), then submit again. Edit the campaign, do not make a new one.",
        ("message_flow",),
        resubmittable="yes",
        who="us",
        certain=True,
    ),
    _page(
        30913,
        "Marketing and service consent are mixed",
        "One agreement covers both advertising and service messages.",
        "Have the customer offer two separate boxes and describe both in the message flow, then submit "
        "again.",
        ("message_flow",),
        resubmittable="yes",
    ),
    _page(
        30917,
        "A way of opting in is not described",
        "Every way to opt in needs its own complete description.",
        "List all ways (web, paper, spoken, text) with all steps in the message flow, then submit again.",
        ("message_flow",),
        resubmittable="yes",
        who="us",
    ),
    _page(
        30923,
        "Consent is made a condition",
        "People must be able to use the service without agreeing to messages.",
        "Have the customer make it optional and say so in the message flow, then submit again.",
        ("message_flow",),
        resubmittable="yes",
    ),
    _page(
        30924,
        "Words of consent are missing",
        "Where people agree, the required notices are not shown.",
        "Show brand, frequency, message and data rates, STOP, HELP and both links at the opt-in and repeat "
        "them in the message flow, then submit again.",
        ("message_flow",),
        resubmittable="yes",
    ),
    _page(
        30925,
        "Box is ticked beforehand",
        "The box for consent must be empty until the person ticks it.",
        "Have the customer change the form, then submit again.",
        ("message_flow",),
    ),
    _page(
        30926,
        "Several companies in one campaign",
        "A campaign may serve one business only.",
        "Remove other companies from texts and pages, then submit again.",
        ("description", "message_flow", "message_samples"),
    ),
    _page(
        30927,
        "Proof of opt-in belongs to another company",
        "The linked page or screenshot shows another business.",
        "Link the customer's own page and submit again.",
        ("message_flow", *_URLS),
        resubmittable="yes",
        who="us",
    ),
    _page(
        30931,
        "No way to say no",
        "The opt-in does not let people decline.",
        "Have the customer add a clear way to decline, then submit again.",
        ("message_flow",),
    ),
    _page(
        30956,
        "Alcohol without age check",
        "Content about alcohol needs a check of the date of birth.",
        "Have the customer add the check, set the age-gated flag, describe it in the message flow, submit "
        "again.",
        ("age_gated", "message_flow"),
    ),
)

FAILURES = URLS + WEBSITE + CONSENT
