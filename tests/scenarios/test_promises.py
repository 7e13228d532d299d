"""The calls that the plan page shows are the calls that Twilio gets: same order, same fee."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from registrations.models import ApiCall
from registrations.models.choices import Stage
from registrations.workflow.planner import decisions
from tests.scenarios.actions import actions_of
from tests.scenarios.catalogue_routes import EDITABLE
from tests.scenarios.start_states import Session

from . import inputs, pages

NEW = inputs.NEW
PERSON, PLACE = ("profile.update_end_user",), ("profile.update_address",)
PROFILE = ("profile.evaluate", "profile.submit")
BUNDLE = ("trust_bundle.evaluate", "trust_bundle.submit")
MOBILE = ("trust_bundle.update_end_user", *BUNDLE)
ANEW = ("campaign.delete", "campaign.create")
IN_PLACE = ("campaign.update",)
CREATED_ONCE = (
    *("subscriber_opt_in", "opt_in_message", "opt_in_keywords"),
    *("opt_out_message", "opt_out_keywords", "help_message", "help_keywords"),
)


def profile_refused(session: Session) -> None:
    session.post(f"profile/{session.registration.profile.sid}", action="reject", reason="Email is invalid.")
    session.go(lambda registration: registration.waiting_for == "us")


def brand_refused(session: Session) -> None:
    session.post(f"brand/{session.registration.brand.sid}", action="reject", code=30701)
    pages.press(session, "refresh")
    session.go(lambda registration: registration.waiting_for == "us")


def campaign_refused(session: Session) -> None:
    session.post(f"campaign/{session.registration.campaign.service_sid}", action="reject", code=30886)
    pages.press(session, "refresh")
    session.go(lambda registration: registration.waiting_for == "us")


def nothing(session: Session) -> None:
    session.go()


# Where it is rejected, what is edited, and the fixes that follow, in order.
EMAIL = ("profile.update_email", *PERSON, *PROFILE)
EMAIL_BELOW = (*EMAIL, "trust_bundle.update_email", *BUNDLE)
SWAP = ("replace_address", "replace_document", "unassign_document", "assign_document")
PROMISES: dict[str, tuple[str, Callable[[Session], None], str, tuple[str, ...]]] = {
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
    "campaign-help_keywords": ("campaign", campaign_refused, "help_keywords", ANEW),
}


@pytest.mark.parametrize("name", PROMISES)
def test_the_plan_is_kept_to_the_letter(name: str, enter) -> None:
    start, refuse, edited, repairs = PROMISES[name]
    session = enter(start)
    refuse(session)
    changes = {"vertical": "RETAIL"} if edited == "vertical" else inputs.changes_of((edited,))
    pages.edit(session, changes)
    plan = decisions.plan(session.registration)
    before, paid = ApiCall.objects.order_by("-id").first(), dollars(session)
    assert pages.submit(session)
    session.go(lambda registration: registration.stage in (Stage.OTP, Stage.LIVE))
    if session.registration.stage == Stage.OTP and start != "otp":
        session.answer_yes()
        pages.press(session, "refresh")
        session.go(lambda registration: registration.stage == Stage.LIVE)
    made = ApiCall.objects.filter(id__gt=before.id, registration_id=session.pk).order_by("id")
    promised = [call.slug for call in plan.calls]
    assert promised[: len(repairs)] == list(repairs)
    assert list(made.values_list("step", flat=True)) == promised[: len(made)]
    if start != "otp":
        assert len(made) == len(promised)
        assert dollars(session) - paid == plan.fee
    assert session.violations() == []


def test_each_input_of_a_rejected_campaign_is_edited_or_means_another_campaign(enter) -> None:
    """Which can be edited in place: docs/twilio.md section 5.3."""
    session = enter("campaign")
    campaign_refused(session)
    slugs = {}
    for name in (*EDITABLE, "message_sample_2", *CREATED_ONCE):
        registration = session.registration
        if name.startswith("message_sample_"):
            registration.campaign.message_samples[int(name[-1]) - 1] += " More."
        else:
            setattr(registration.campaign, name, NEW[name])
        slugs[name] = tuple(
            call.slug for call in decisions.plan(registration).calls if call.slug != "number.attach"
        )
    assert slugs == dict.fromkeys((*EDITABLE, "message_sample_2"), IN_PLACE) | dict.fromkeys(
        CREATED_ONCE, ANEW
    )


@pytest.mark.parametrize("name", ["description", "help_keywords"])
def test_edits_sent_while_a_campaign_is_under_review_pay_for_nothing_when_it_is_rejected(name, enter) -> None:
    session = enter("campaign")
    pages.edit(session, inputs.changes_of((name,)))
    assert "edits of the campaign stay here" in pages.text_of(pages.source_of(session, "confirm/submit"))
    assert pages.submit(session)
    campaign_refused(session)
    session.go()
    assert (actions_of(session.since()), session.registration.waiting_for) == ([], "us")
    # Now the plan names the fee, and a click pays it.
    paid, plan = dollars(session), decisions.plan(session.registration)
    assert plan.fee == 15
    assert pages.submit(session)
    session.go(lambda registration: registration.stage == Stage.LIVE)
    assert dollars(session) - paid == plan.fee


def test_edits_sent_while_a_brand_is_under_review_use_no_try_when_it_fails(enter) -> None:
    session = enter("brand")
    pages.edit(session, inputs.changes_of(("email",)))
    assert "wait here until Twilio has answered" in pages.text_of(pages.source_of(session, "confirm/submit"))
    assert pages.submit(session)
    brand_refused(session)
    session.go()
    assert "brand_update" not in actions_of(session.since())
    assert (session.registration.brand.resubmissions, session.registration.waiting_for) == (0, "us")
    assert "try 1 of 3" in pages.text_of(pages.source_of(session, "confirm/submit"))
    assert pages.submit(session)
    session.go(lambda registration: registration.stage == Stage.OTP)
    assert session.registration.brand.resubmissions == 1


def dollars(session: Session) -> Decimal:
    return Decimal(str(session.counts()["fees"]["dollars"]))
