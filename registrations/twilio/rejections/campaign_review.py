"""Campaign registrations that failed in handling: reviewers, time-outs, suspension, states.

Source: Twilio facts, sections 5.2 to 5.4. Here the texts are not, or not alone, at fault.
"""

from .model import Failure, Fee, Resubmittable, Scope, Who


def _handling(
    code: int,
    title: str,
    explanation: str,
    advice: str,
    *,
    fields: tuple[str, ...] = (),
    resubmittable: Resubmittable,
    redo: tuple[Scope, ...] = ("support",),
    fee: Fee = "none",
    who: Who = "us",
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
        fee=fee,
        who=who,
        certain=certain,
        source="Twilio facts, section 5.2",
    )


def _review(
    code: int,
    title: str,
    explanation: str,
    advice: str,
    redo: tuple[Scope, ...] = ("support",),
    fee: Fee = "none",
) -> Failure:
    """A decision or fault at the reviewers, with no text of ours to correct."""
    return _handling(
        code,
        title,
        explanation,
        advice,
        resubmittable="unknown",
        redo=redo,
        fee=fee,
        who="twilio",
        certain=False,
    )


FAILURES = (
    _review(
        30880,
        "Unknown error",
        "Twilio gave no closer reason for this item.",
        "Look at the other reasons first; if there are none, ask Twilio Support.",
    ),
    _review(
        30899,
        "Rejected by a carrier",
        "One or more carriers refused the campaign.",
        "Correct what the other reasons name; without any, ask Twilio Support.",
    ),
    _review(
        30900,
        "Use case cannot be registered",
        "This brand may not use the use case.",
        "Ask Twilio Support; a Sole Proprietor has only the one use case.",
    ),
    _handling(
        30901,
        "Registration timed out",
        "No answer came in time; nothing was wrong with the texts.",
        "Submit again: the campaign is deleted and made anew.",
        resubmittable="no",
        redo=("campaign_recreate",),
        fee="campaign_vetting",
        who="twilio",
    ),
    _review(
        30902,
        "Rejected in the second review",
        "The second reviewing company refused the campaign.",
        "Correct what the other reasons name; without any, ask Twilio Support.",
    ),
    *(
        _handling(
            code,
            title,
            "This concerns campaigns registered outside Twilio, which Sole Proprietors cannot have.",
            "Nothing here uses it; if it appears, ask Twilio Support.",
            resubmittable="no",
            redo=("support",),
        )
        for code, title in (
            (30904, "External campaign is not shared with Twilio"),
            (30905, "External campaign waits for Twilio's review"),
            (30906, "External campaign rejected by Twilio"),
        )
    ),
    _handling(
        30930,
        "Brand has too many campaigns",
        "A brand can have at most 100 campaigns; a Sole Proprietor brand only one.",
        "Delete the campaign that is not needed, then submit again.",
        resubmittable="no",
        redo=("campaign_recreate", "support"),
        fee="campaign_vetting",
    ),
    _handling(
        30990,
        "Campaign suspended",
        "Carriers or Twilio stopped the campaign. Unresolved, it is deleted after 30 days and its number "
        "released.",
        "Ask Twilio Support at once for the reason and how to lift the suspension; do not delete anything.",
        resubmittable="no",
        redo=("support",),
    ),
    *(
        _review(
            code,
            "Campaign registration failed",
            explanation,
            "Try again later; if it comes back, ask Twilio Support.",
            ("retry_later", "campaign_recreate", "support"),
            "campaign_vetting",
        )
        for code, explanation in (
            (30991, "The registration failed; the closer reasons, if any, stand beside it."),
            (30992, "The registration failed without a closer reason."),
            (30993, "Moving a campaign from another provider took too long."),
            (30994, "The registration failed without a closer reason."),
        )
    ),
    _handling(
        30995,
        "Messaging service is full",
        "The messaging service holds as many numbers as it may.",
        "Remove numbers that do not belong to this customer from the service; a Sole Proprietor needs one.",
        fields=("sender_number",),
        resubmittable="yes",
        redo=("number",),
    ),
    Failure(
        code=None,
        key="campaign_failed",
        area="campaign",
        title="Campaign rejected without a reason",
        explanation="Twilio gave no reason; reasons exist only for campaigns submitted since mid-2023.",
        advice="Refresh once more; if no reason appears, ask Twilio Support.",
        redo=("support",),
        states=("campaign:FAILED",),
        source="Twilio facts, section 5.1",
    ),
    Failure(
        code=None,
        key="campaign_suspended",
        area="campaign",
        title="Campaign suspended",
        explanation="Nothing can be sent. Unresolved, the campaign is deleted after 30 days, its number "
        "released.",
        advice="Ask Twilio Support at once for the reason and how to lift the suspension; do not delete "
        "anything.",
        resubmittable="no",
        redo=("support",),
        states=("campaign:SUSPENDED",),
        source="Twilio facts, section 5.4",
    ),
    Failure(
        code=None,
        key="campaign_not_editable_now",
        area="campaign",
        title="Campaign cannot be edited now",
        explanation="A campaign can be edited only after it was rejected; while in review or approved it "
        "cannot.",
        advice="Wait for the review's end. An approved campaign is changed only by deleting and making it "
        "anew.",
        resubmittable="after_fix_elsewhere",
        redo=("retry_later", "campaign_recreate"),
        fee="campaign_vetting",
        texts=("Campaign update is allowed only for FAILURE state",),
        source="Twilio facts, section 5.3",
    ),
)
