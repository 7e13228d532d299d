"""Campaign rejections about texts and flags of the campaign, or the brand's data behind it.

Source: Twilio facts, sections 5.2 to 5.5. Description, message flow, samples, the four flags and the two URLs
can be edited in place while the campaign is FAILED; keywords and automatic messages only by deleting the
campaign and creating it again. Whether an edit pays the vetting fee again is disputed, hence "maybe".
Where the brand's data is wrong, Twilio Support must help first: a brand that got as far as a campaign is approved,
and only a FAILED one can be updated (section 4.4).
"""

from .model import Failure, Fee, Resubmittable, Scope, Who

_NAMES = ("description", "message_samples", "brand_name")


def _campaign(
    code: int,
    title: str,
    explanation: str,
    advice: str,
    fields: tuple[str, ...] = (),
    *,
    resubmittable: Resubmittable = "yes",
    redo: tuple[Scope, ...] = ("campaign_update",),
    fee: Fee = "campaign_vetting_maybe",
    who: Who = "us",
    certain: bool = True,
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
        redo=redo,
        fee=fee,
        who=who,
        certain=certain,
        source="Twilio facts, section 5.2",
    )


TEXTS = (
    _campaign(
        30886,
        "Description is not good enough",
        "The description does not say clearly who sends, who receives and why, or does not fit samples and "
        "brand.",
        "Name the customer's business (not yours), its recipients and the purpose; leave out personal data; "
        "mention direct lending if there is any.",
        ("description",),
    ),
    _campaign(
        30887,
        "Opting out is not handled properly",
        "Opt-out keywords, the answer to them, or the words about STOP are missing or unsuitable.",
        "Say in the message flow that STOP works. Leave keywords and answer empty to get Twilio's defaults; "
        "changing those two makes the campaign anew.",
        ("opt_out_message", "opt_out_keywords", "message_flow"),
        redo=("campaign_update", "campaign_recreate"),
    ),
    _campaign(
        30889,
        "Flag for phone numbers is wrong",
        "The flag must be set exactly when a sample contains a phone number.",
        "Make the flag agree with the samples and submit again.",
        ("has_embedded_phone", "message_samples"),
    ),
    _campaign(
        30890,
        "Answer to HELP is not good enough",
        "The help message must name the brand and a phone or e-mail for help.",
        "Correct the help message, or leave it empty for Twilio's default; the campaign is made anew.",
        ("help_message", "help_keywords"),
        redo=("campaign_recreate",),
        fee="campaign_vetting",
    ),
    _campaign(
        30892,
        "Sample with a shortened link",
        "A sample uses a public link shortener, which carriers block.",
        "Replace it with the customer's own https link and keep the links flag set, then submit again.",
        ("message_samples", "has_embedded_links"),
    ),
    _campaign(
        30893,
        "Samples do not fit the use case",
        "The samples look unreal or do not match the description.",
        "Give at least two real samples with variables in [brackets], the brand name, and STOP in at least "
        "one.",
        ("message_samples", "description"),
    ),
    _campaign(
        30894,
        "Brand information is wrong",
        "The texts speak of another business than the brand, often of the software's maker.",
        "Use the customer's name and business, as the brand has them, in description and samples, then submit "
        "again. If the brand is wrong, ask Twilio Support: an approved brand cannot be changed.",
        _NAMES,
        resubmittable="after_fix_elsewhere",
    ),
    _campaign(
        30895,
        "Flag for direct lending is wrong",
        "The campaign speaks of loans without the flag, or the flag is set without need.",
        "Set the direct lending flag and say so in the description (even for login codes), then submit "
        "again.",
        ("direct_lending", "description"),
    ),
    _campaign(
        30896,
        "Opt-in is not described well",
        "The reviewers could not see who opts in, where and how.",
        "Describe every way to opt in, with its page and links to privacy policy and terms, then submit "
        "again.",
        ("message_flow", "opt_in_message", "opt_in_keywords", "subscriber_opt_in"),
        redo=("campaign_update", "campaign_recreate"),
    ),
    _campaign(
        30910,
        "Not in English",
        "Reviewers read English only.",
        "Write every text in English, or add a translation beside it, then submit again.",
        ("description", "message_flow", "message_samples"),
    ),
    _campaign(
        30911,
        "Texts repeat each other",
        "Two samples, or a sample and another text, are the same or nearly so.",
        "Make each sample, the description and the message flow a text of its own, then submit again.",
        ("message_samples", "description", "message_flow"),
        certain=False,
    ),
    _campaign(
        30912,
        "Looks like person-to-person messages",
        "Only messages of a business to its customers may be registered.",
        "If it is a business use, say so in the description and submit again; otherwise it cannot be "
        "registered.",
        ("description",),
        resubmittable="unknown",
        certain=False,
    ),
    _campaign(
        30914,
        "Campaign's name is not the sole proprietor's",
        "Description and samples use another name than the brand.",
        "Use the brand's name in website, description and samples, then submit again. If the brand is wrong, ask "
        "Twilio Support: an approved brand cannot be changed.",
        _NAMES,
        resubmittable="yes",
        certain=False,
    ),
    _campaign(
        30916,
        "Lead generation and follow-up are mixed up",
        "The description does not fit what the messages do with leads.",
        "Say whether the messages win new contacts or follow up on known ones, then submit again.",
        ("description",),
        certain=False,
    ),
    _campaign(
        30963,
        "Shortened link found",
        "A public link shortener appears in a sample or in the message flow.",
        "Write the full https address of the customer's own site instead, then submit again.",
        ("message_samples", "message_flow"),
        certain=False,
    ),
    _campaign(
        30964,
        "Link without encryption",
        "An address begins with http:// instead of https://.",
        "Change every address to https and check that it opens, then submit again.",
        ("message_flow", "message_samples", "privacy_policy_url", "terms_and_conditions_url"),
        certain=False,
    ),
)

_APPROVED: tuple[Scope, ...] = ("support", "campaign_update")

BRAND_DATA = (
    _campaign(
        30881,
        "Brand's e-mail not accepted",
        "The support e-mail of the brand is a throw-away address or does not fit the brand.",
        "Ask the customer for a lasting e-mail address and Twilio Support to put it into the brand: an approved "
        "brand cannot be changed. Submit again once it is done.",
        ("email",),
        resubmittable="after_fix_elsewhere",
        redo=_APPROVED,
        who="customer",
    ),
    _campaign(
        30898,
        "Too many brands with one tax ID",
        "A tax ID is used by too many brands; a Sole Proprietor has none.",
        "This should not happen to a Sole Proprietor; ask Twilio Support, and submit again once it is settled.",
        resubmittable="after_fix_elsewhere",
        redo=_APPROVED,
    ),
    _campaign(
        30903,
        "Not registered correctly as Sole Proprietor",
        "The customer has a tax ID (EIN), or the brand's data is incomplete or contradictory.",
        "Ask the customer about an EIN. With one: register a Standard brand, all fees again. Without: "
        "correct the brand's data and ask Twilio Support.",
        ("brand_name", "first_name", "last_name"),
        resubmittable="no",
        redo=("standard_brand", "support"),
        fee="standard",
        who="customer",
    ),
    _campaign(
        30915,
        "Customer is not a Sole Proprietor",
        "The name (LLC, Inc, Corp), the website or public records show a legal entity.",
        "If the customer is a company, register a Standard brand, all fees again. If not, use the person's "
        "name or a plain trade name everywhere and ask Twilio Support.",
        ("brand_name", "first_name", "last_name"),
        resubmittable="after_fix_elsewhere",
        redo=("standard_brand", "support"),
        fee="standard",
        who="customer",
    ),
    _campaign(
        30918,
        "Trade name does not match the legal name",
        "The name used (DBA) is not on file for this person.",
        "Find out which name is on file, and ask Twilio Support to put it into the brand: an approved brand "
        "cannot be changed. Submit again once it is done.",
        ("brand_name", "first_name", "last_name"),
        resubmittable="after_fix_elsewhere",
        redo=_APPROVED,
        who="customer",
        certain=False,
    ),
    _campaign(
        30971,
        "E-mail is not at the business's domain",
        "An address at a public mail service was refused. How this applies to sole proprietors is not "
        "published.",
        "Ask the customer for an e-mail address at a domain of their own, and Twilio Support to put it into the "
        "brand: an approved brand cannot be changed. Submit again once it is done.",
        ("email",),
        resubmittable="after_fix_elsewhere",
        redo=_APPROVED,
        who="customer",
        certain=False,
    ),
    _campaign(
        30972,
        "Contact is not an authorised representative",
        "The named contact may not speak for the business.",
        "The contact must be the sole proprietor in person. Ask Twilio Support to correct the brand: an approved "
        "one cannot be changed. Submit again once it is done.",
        ("first_name", "last_name", "email", "phone_number"),
        resubmittable="after_fix_elsewhere",
        redo=_APPROVED,
        who="customer",
        certain=False,
    ),
)

FAILURES = TEXTS + BRAND_DATA
