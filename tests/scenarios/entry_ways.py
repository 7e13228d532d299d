"""How each catalogue entry is tested. Every entry is listed here, by its area or by itself."""

from registrations.models.choices import Stage
from registrations.twilio.rejections import FAILURES, Failure
from tests.scenarios.ways import (
    BEYOND,
    Meet,
    Way,
    by_bare_event,
    by_bare_rejection,
    by_brand,
    by_brand_state,
    by_bundle_code,
    by_campaign,
    by_campaign_state,
    by_control,
    by_evaluation,
    by_event,
    by_lost_brand,
    by_reason,
    by_refusal,
    by_refused_update,
)
from tests.scenarios.writes import is_dead_end

ADDRESS = r"/Addresses\.json$"
PROFILE = r"/CustomerProfiles$"
ONE_PROFILE = r"/CustomerProfiles/BU\w+$"
PERSON, DOCUMENT = r"/EndUsers$", r"/SupportingDocuments$"
BRAND, ONE_BRAND = r"/BrandRegistrations$", r"/BrandRegistrations/BN\w+$"
SERVICE, CAMPAIGN = r"/v1/Services$", r"/Usa2p$"
ATTACH, ASSIGNMENT = r"/PhoneNumbers$", r"/EntityAssignments$"

# A number's codes are about sending; we see them as the reason in a number's event.
EVENT_CODES = (30034, 30033, 30022, 30023, 30025, 30026, 30007, 30024, 30126, 30995)
# What comes after a call that was rejected there.
BEHIND: dict[str, str | Stage] = {
    "start": "trust_bundle.create",
    "trust_bundle": Stage.OTP,
    "otp": "number.attach",
    "campaign": Stage.LIVE,
}
# Calls that get the code immediately: scene, path of the POST, HTTP status.
AT_ONCE: dict[int, tuple[str, str, int]] = {
    21628: ("start", ADDRESS, 400),
    21629: ("start", ADDRESS, 400),
    **dict.fromkeys((22207, 22212, 20001, 20002, 20422, 20423, 20004, 20007), ("start", PERSON, 400)),
    **dict.fromkeys((22208, 22209, 22210, 22211, 22213), ("start", DOCUMENT, 400)),
    **dict.fromkeys((22206, 22229), ("start", ASSIGNMENT, 400)),
    **dict.fromkeys((22203, 22204), ("start", ONE_PROFILE, 400)),
    **dict.fromkeys((21736, 21737, 21738, 21739, 21740, 21741), ("trust_bundle", BRAND, 400)),
    21713: ("otp", SERVICE, 400),
    **dict.fromkeys((21719, 21720, 21727, 21728), ("otp", CAMPAIGN, 400)),
    **dict.fromkeys((21714, 21715, 21705), ("campaign", ATTACH, 400)),
}


def ways_of(failure: Failure) -> list[Way]:
    """The ways of one entry; none when it has a test of its own (test_alone.py)."""
    code, area = failure.code or 0, failure.area

    def one(scene: str, meet, **more) -> Way:
        return Way(failure, scene, meet, more.pop("beyond", BEYOND[scene]), **more)

    if area == "evaluation":
        return [one("start", by_evaluation)]
    if failure.texts and area == "bundle":
        return [one("profile", by_reason)]
    if failure.key == "bundle_rejected":
        return [one("profile", by_bare_rejection)]
    if area == "bundle":
        about_brand_name = failure.fields == ("brand_name",)
        return [one("trust_bundle" if about_brand_name else "profile", by_bundle_code)]
    if code in EVENT_CODES:
        return [one("live", by_event("fail"))]
    if area == "number" and failure.states:
        actions = {"number_unregistered": "deregistered", "number_pending_deregistration": "deregistering"}
        action = actions.get(failure.key)
        return [one("live", by_event(action) if action else by_bare_event)]
    if area == "brand" and not failure.states and code not in NAMED | ALONE:
        return [one("brand", by_brand)]
    if area == "campaign" and code and code not in NAMED:
        if {"campaign_update", "campaign_recreate"} <= set(failure.redo):
            return [
                one("campaign", by_campaign, name="in_place", only=EDITABLE, actions=("campaign_update",)),
                one("campaign", by_campaign, name="again", actions=("campaign_recreate",)),
            ]
        return [one("campaign", by_campaign)]
    if code in AT_ONCE:
        scene, path, status = AT_ONCE[code]
        times = 0 if is_dead_end(failure) else 1
        meet = by_refusal("POST", path, status, times)
        return [one(scene, meet, refused=path, beyond=BEHIND[scene])]
    return [one(scene, meet, **more) for scene, meet, more in STATES.get(failure.key, ())]


# Inputs of a rejected campaign that can be edited (docs/twilio.md section 5.3).
EDITABLE = (
    "description",
    "message_flow",
    "message_sample_1",
    "has_embedded_links",
    "has_embedded_phone",
    "age_gated",
    "direct_lending",
    "privacy_policy_url",
    "terms_and_conditions_url",
)
STATES: dict[str, tuple[tuple[str, Meet, dict], ...]] = {
    "brand_failed": (("brand", by_brand_state("FAILED"), {}),),
    "brand_suspended": (("otp", by_control("brand", "suspend"), {}),),
    "brand_deletion_failed": (("brand", by_brand_state("DELETION_FAILED"), {}),),
    "30710": (("brand", by_brand_state("DELETION_FAILED"), {}),),
    "30711": (("brand", by_brand_state("DELETION_FAILED"), {}),),
    "30702": (
        ("brand", by_brand, {"name": "still_there", "actions": ("brand_update",)}),
        ("brand", by_lost_brand, {"name": "gone", "actions": ("new_brand",)}),
    ),
    "campaign_failed": (("campaign", by_campaign_state("FAILED"), {}),),
    "campaign_suspended": (("campaign", by_campaign_state("SUSPENDED"), {}),),
    "30990": (("campaign", by_campaign_state("SUSPENDED"), {}),),
    "60723": (("brand", by_refused_update, {"refused": ONE_BRAND}),),
    "60724": (("brand", by_refused_update, {"refused": ONE_BRAND}),),
    # A new object is not found everywhere at once: only the fifth 404 is final.
    "20404": (("start", by_refusal("POST", PERSON, 404, 5), {"refused": PERSON}),),
    "22205": (("start", by_refusal("POST", ASSIGNMENT, 400, 5), {"refused": ASSIGNMENT}),),
}
NAMED: frozenset[int] = frozenset(int(key) for key in STATES if key.isdigit())
# These have tests of their own.
ALONE: frozenset[int] = frozenset({30752, 30793})

WAYS = [way for failure in FAILURES for way in ways_of(failure)]
