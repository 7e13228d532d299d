"""Campaign rejections because of what is sent: mostly final for this content.

Source: Twilio facts, section 5.2. For the codes from 30928 on Twilio's pages were not found; that an edit
cannot cure them is drawn from the titles.
"""

from .model import Failure, Fee, Resubmittable, Scope, Who


def _content(
    code: int,
    title: str,
    explanation: str,
    advice: str,
    *,
    resubmittable: Resubmittable = "no",
    redo: tuple[Scope, ...] = ("support",),
    fee: Fee = "none",
    who: Who = "customer",
    certain: bool = True,
) -> Failure:
    return Failure(
        code=code,
        area="campaign",
        title=title,
        explanation=explanation,
        advice=advice,
        fields=("description", "message_samples"),
        resubmittable=resubmittable,
        redo=redo,
        fee=fee,
        who=who,
        certain=certain,
        source="Twilio facts, section 5.2",
    )


def _forbidden(code: int, subject: str) -> Failure:
    return _content(
        code,
        f"Not allowed: {subject}",
        f"The reviewers see {subject} in the campaign, which carriers do not carry.",
        "If that is the customer's business, it cannot be registered. If it is a misunderstanding, reword "
        "the texts and ask Twilio Support before paying for another review.",
        redo=("support", "campaign_recreate"),
        fee="campaign_vetting",
        certain=False,
    )


FORBIDDEN_SUBJECTS: dict[int, str] = {
    30928: "messages of influencers or public figures",
    30929: "emergency alerts",
    30940: "cannabis, CBD or illegal substances",
    30941: "prescription or controlled drugs",
    30942: "loan marketing",
    30943: "third-party debt collection",
    30944: "gambling or betting",
    30945: "sweepstakes or contests",
    30946: "stock alerts",
    30947: "cryptocurrency",
    30948: "high-risk investment",
    30949: "debt reduction or consolidation",
    30950: "credit repair",
    30951: "third-party lead generation or multi-level marketing",
    30952: "a use that federal law does not allow",
    30953: "sexual or adult content",
    30954: "hateful or violent content",
    30955: "promotion of alcohol",
    30957: "firearms or explosives",
    30958: "tobacco or vaping",
    30959: "fraudulent or misleading content",
    30960: "known phishing",
    30962: "deceptive marketing",
}

FAILURES = (
    _content(
        30883,
        "Forbidden content",
        "The reviewers see sex, hate, alcohol, firearms, tobacco or similar content.",
        "Take the content out if it is not the customer's business; otherwise it cannot be registered. Ask "
        "Twilio Support if the reviewers are mistaken.",
    ),
    _content(
        30884,
        "Looks like spam or phishing",
        "The reviewers fear that recipients are deceived or have not agreed.",
        "Ask the customer what is really sent, then Twilio Support; do not simply submit again.",
    ),
    _content(
        30885,
        "High risk of fraud",
        "The reviewers see a risk of fraud or deceptive marketing.",
        "Ask the customer what is really sent, then Twilio Support; do not simply submit again.",
    ),
    _content(
        30897,
        "Content not allowed",
        "This content cannot be registered, however it is worded.",
        "Only a new campaign for a different purpose can be registered; tell the customer.",
        redo=("campaign_recreate",),
        fee="campaign_vetting",
    ),
    *(_forbidden(code, subject) for code, subject in FORBIDDEN_SUBJECTS.items()),
)
