"""The plan page's promise is what Twilio then sees: the same calls, in the same order, for that fee."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from registrations.models import ApiCall
from registrations.models.choices import Stage
from registrations.workflow.planner import decisions
from tests.scenarios.entry_ways import EDITABLE
from tests.scenarios.scenes import Play
from tests.scenarios.writes import actions_of

from . import inputs, pages

NEW = inputs.NEW
PERSON, PLACE = ("profile.update_end_user",), ("profile.update_address",)
PROFILE = ("profile.evaluate", "profile.submit")
BUNDLE = ("trust_bundle.evaluate", "trust_bundle.submit")
MOBILE = ("trust_bundle.update_end_user", *BUNDLE)
AGAIN = ("campaign.delete", "campaign.create")
IN_PLACE = ("campaign.update",)
CREATED_ONCE = (
    *("subscriber_opt_in", "opt_in_message", "opt_in_keywords"),
    *("opt_out_message", "opt_out_keywords", "help_message", "help_keywords"),
)


def profile_refused(play: Play) -> None:
    play.post(f"profile/{play.registration.profile.sid}", action="reject", reason="Email is invalid.")
    play.go(lambda registration: registration.waiting_for == "us")


def brand_refused(play: Play) -> None:
    play.post(f"brand/{play.registration.brand.sid}", action="reject", code=30701)
    pages.press(play, "refresh")
    play.go(lambda registration: registration.waiting_for == "us")


def campaign_refused(play: Play) -> None:
    play.post(f"campaign/{play.registration.campaign.service_sid}", action="reject", code=30886)
    pages.press(play, "refresh")
    play.go(lambda registration: registration.waiting_for == "us")


def nothing(play: Play) -> None:
    play.go()


# Scene, rejection, edited input, and the repairs that follow, in order.
EMAIL = ("profile.update_email", *PERSON, *PROFILE)
EMAIL_BELOW = (*EMAIL, "trust_bundle.update_email", *BUNDLE)
SWAP = ("replace_address", "replace_document", "unassign_document", "assign_document")
PROMISES: dict[str, tuple[str, Callable[[Play], None], str, tuple[str, ...]]] = {
    "before_the_bundle": ("profile", profile_refused, "email", EMAIL),
    "after_the_bundle": ("trust_bundle", profile_refused, "email", EMAIL_BELOW),
    "failed_brand-email": ("brand", brand_refused, "email", (*EMAIL_BELOW, "brand.update")),
    "failed_brand-street": ("brand", brand_refused, "street", (*PLACE, *PROFILE, *BUNDLE, "brand.update")),
    "failed_brand-country": (
        "brand",
        brand_refused,
        "iso_country",
        (*(f"profile.{name}" for name in SWAP), *PROFILE, *BUNDLE, "brand.update"),
    ),
    "failed_brand-mobile": ("brand", brand_refused, "mobile_phone_number", (*MOBILE, "brand.update")),
    "failed_brand-vertical": ("brand", brand_refused, "vertical", (*MOBILE, "brand.update")),
    "yes_owed-mobile": ("otp", nothing, "mobile_phone_number", MOBILE),
    "campaign-description": ("campaign", campaign_refused, "description", IN_PLACE),
    "campaign-help_keywords": ("campaign", campaign_refused, "help_keywords", AGAIN),
}


@pytest.mark.parametrize("name", PROMISES)
def test_the_plan_is_followed_exactly(name: str, enter) -> None:
    scene, refuse, edited, repairs = PROMISES[name]
    play = enter(scene)
    refuse(play)
    changes = {"vertical": "RETAIL"} if edited == "vertical" else inputs.changes_of((edited,))
    pages.edit(play, changes)
    plan = decisions.plan(play.registration)
    before, paid = ApiCall.objects.order_by("-id").first(), dollars(play)
    assert pages.submit(play)
    play.go(lambda registration: registration.stage in (Stage.OTP, Stage.LIVE))
    if play.registration.stage == Stage.OTP and scene != "otp":
        play.answer_yes()
        pages.press(play, "refresh")
        play.go(lambda registration: registration.stage == Stage.LIVE)
    made = ApiCall.objects.filter(id__gt=before.id, registration_id=play.pk).order_by("id")
    promised = [call.slug for call in plan.calls]
    assert promised[: len(repairs)] == list(repairs)
    assert list(made.values_list("step", flat=True)) == promised[: len(made)]
    if scene != "otp":
        assert len(made) == len(promised)
        assert dollars(play) - paid == plan.fee
    assert play.violations() == []


def test_each_input_of_a_rejected_campaign_is_edited_or_means_another_campaign(enter) -> None:
    """Which can be edited in place: docs/twilio.md section 5.3."""
    play = enter("campaign")
    campaign_refused(play)
    slugs = {}
    for name in (*EDITABLE, "message_sample_2", *CREATED_ONCE):
        registration = play.registration
        if name.startswith("message_sample_"):
            registration.campaign.message_samples[int(name[-1]) - 1] += " More."
        else:
            setattr(registration.campaign, name, NEW[name])
        slugs[name] = tuple(
            call.slug for call in decisions.plan(registration).calls if call.slug != "number.attach"
        )
    assert slugs == dict.fromkeys((*EDITABLE, "message_sample_2"), IN_PLACE) | dict.fromkeys(
        CREATED_ONCE, AGAIN
    )


@pytest.mark.parametrize("name", ["description", "help_keywords"])
def test_edits_sent_while_a_campaign_is_under_review_pay_for_nothing_when_it_is_rejected(name, enter) -> None:
    play = enter("campaign")
    pages.edit(play, inputs.changes_of((name,)))
    assert "campaign edits stay here" in pages.text_of(pages.source_of(play, "confirm/submit"))
    assert pages.submit(play)
    campaign_refused(play)
    play.go()
    assert (actions_of(play.since()), play.registration.waiting_for) == ([], "us")
    # Now the plan shows the fee, and a click accepts it.
    paid, plan = dollars(play), decisions.plan(play.registration)
    assert plan.fee == 15
    assert pages.submit(play)
    play.go(lambda registration: registration.stage == Stage.LIVE)
    assert dollars(play) - paid == plan.fee


def test_edits_sent_while_a_brand_is_under_review_use_no_attempt_when_it_fails(enter) -> None:
    play = enter("brand")
    pages.edit(play, inputs.changes_of(("email",)))
    assert "wait here until it decides" in pages.text_of(pages.source_of(play, "confirm/submit"))
    assert pages.submit(play)
    brand_refused(play)
    play.go()
    assert "brand_update" not in actions_of(play.since())
    assert (play.registration.brand.resubmissions, play.registration.waiting_for) == (0, "us")
    assert "attempt 1 of 3" in pages.text_of(pages.source_of(play, "confirm/submit"))
    assert pages.submit(play)
    play.go(lambda registration: registration.stage == Stage.OTP)
    assert play.registration.brand.resubmissions == 1


def dollars(play: Play) -> Decimal:
    return Decimal(str(play.counts()["fees"]["dollars"]))
