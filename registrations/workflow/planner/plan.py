"""What Submit would do now: the calls, what they may cost, what is lost, and what blocks them."""

import copy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from registrations.models import Registration, TwilioResource
from registrations.models.brand import MAX_BRAND_UPDATES
from registrations.twilio.rejections import merge_reasons, parse_error_items
from registrations.twilio.statuses import (
    BRAND,
    BRAND_FAILED,
    BUNDLE_REJECTED,
    CAMPAIGN_FAILED,
    CAMPAIGN_VERIFIED,
    IDENTITY_VERIFIED,
    status_label,
)
from registrations.workflow.steps import Watch, Write, steps_of
from registrations.workflow.steps.brand import changed_since_sent as brand_changed
from registrations.workflow.steps.brand import mobile_was_changed, needs_console_deletion
from registrations.workflow.steps.brand import resubmission_may_help as brand_resubmission_may_help
from registrations.workflow.steps.campaign import drift as campaign_drift
from registrations.workflow.steps.campaign import resubmission_may_help as campaign_resubmission_may_help
from registrations.workflow.steps.conditions import accepts_bundle_changes, beyond_editing
from registrations.workflow.steps.number import reattaching_helps
from registrations.workflow.steps.trust_bundle import BUNDLE as TRUST_BUNDLE

# An approved brand cannot be updated, and Twilio does not document which number its texts then go to.
MOBILE_MAY_NOT_FOLLOW = (
    "The mobile was changed after Twilio registered the brand, and Twilio does not say whether texts go to the "
    "new number. If none arrives there, delete the brand in Twilio's Console. Submit then registers a new one "
    "and charges its fee."
)


@dataclass(frozen=True)
class PlannedCall:
    """One call that Submit would make. fee: US dollars, None if free. later: only after the brand is decided."""

    slug: str
    label: str
    fee: Decimal | None
    repair: bool
    note: str
    later: bool = False


@dataclass(frozen=True)
class Plan:
    """What Submit would do.

    calls: the calls still needed, in order. blockers: why they cannot all run. fee: what they may cost in total.
    notes: what a person should know before the click: attempts left, what is lost, what may be charged.
    dead_end: nothing after the last call can be reached before another Submit. Those calls and their fees are not in
    the plan, because this Submit does not make them.
    """

    calls: list[PlannedCall]
    blockers: list[str]
    fee: Decimal
    notes: list[str] = field(default_factory=list)
    dead_end: bool = False


def resubmission_changes(registration: Registration) -> list[tuple[TwilioResource, dict[str, Any]]]:
    """What Submit changes besides the revision, as (resource, {column: value}).

    What was rejected is requested again, even if nothing was edited.
    """
    changes: list[tuple[TwilioResource, dict[str, Any]]] = []
    again = {"resubmit_requested": True}
    for bundle in (registration.profile, registration.trust_bundle):
        if bundle.status == BUNDLE_REJECTED or bundle.evaluation_status not in ("", "compliant"):
            changes.append((bundle, again))
    brand, campaign, number = registration.brand, registration.campaign, registration.phone_number
    again_helps = not needs_console_deletion(registration) and brand_resubmission_may_help(registration)
    if brand.missing_since or (brand.status == BRAND_FAILED and again_helps):
        changes.append((brand, again))
    # A campaign blocks the deletion of its brand.
    in_the_way = needs_console_deletion(registration)
    # A request that Submit cannot fulfill now must not be fulfilled later without a click.
    refused = campaign.status == CAMPAIGN_FAILED and campaign_resubmission_may_help(registration)
    if campaign.sid and (campaign.missing_since or refused or in_the_way):
        changes.append((campaign, again))
    if number.failure_reason:
        sent = {key: value for key, value in number.accepted_params.items() if key != "sender"}
        changes.append((number, {"failure_reason": "", "accepted_params": sent}))
    if reattaching_helps(registration):
        changes.append((number, again))
    if number.missing_since and not number.confirmed_at:
        changes.append((number, {"attached_at": None, "missing_since": None, "poll_count": 0}))
    return changes


def plan(registration: Registration) -> Plan:
    """What Submit would do now. Includes calls after a wait, but not those after a dead end."""
    submitted = _as_if_submitted(registration)
    needed = {step.slug: step for step in needed_writes(submitted)}
    if needs_console_deletion(submitted):
        needed.pop("brand.update", None)  # it would be rejected, whatever was edited
    parts = {step.part for step in needed.values()}
    calls: list[PlannedCall] = []
    blockers: list[str] = []
    ended = later = False
    for step in steps_of(submitted):
        if isinstance(step, Watch):
            # Nothing in the plan fixes this rejection.
            ended = step.part not in parts and step.exists(submitted) and bool(step.failed(submitted))
            if ended:
                blockers.append(step.failed(submitted))
            later = later or (step.part == "brand" and ("brand" in parts or not step.passed(submitted)))
        elif write := needed.get(step.slug):
            if (blocked := write.blocked(submitted)) and not _unblocked_by(
                write, {call.slug for call in calls}
            ):
                blockers.append(blocked)
            fee = write.fee() if write.fee else None
            calls.append(PlannedCall(write.slug, write.label, fee, write.repair, write.help, later))
        if ended:
            break
    fees = sum((call.fee for call in calls if call.fee), Decimal(0))
    return Plan(calls, blockers, fees, _notes(registration, {call.slug for call in calls}), ended)


def _unblocked_by(step: Write, before: set[str]) -> bool:
    """Whether an earlier call in this plan removes what blocks the step."""
    evaluated = step.slug.endswith(".submit") and f"{step.part}.evaluate" in before
    return evaluated or (step.slug == "brand.update" and "campaign.make_way" in before)


def needed_writes(registration: Registration) -> list[Write]:
    """The writes that are needed now, and those that they imply."""
    writes = [step for step in steps_of(registration) if isinstance(step, Write)]
    needed = {step.slug for step in writes if step.is_needed(registration)}
    implied = {slug for step in writes if step.slug in needed for slug in step.implies}
    return [step for step in writes if step.slug in needed | implied]


def editable_copy(registration: Registration) -> Registration:
    """An unsaved copy, with copies of its parts, to try changes on."""
    twin = copy.copy(registration)
    twin._state = copy.copy(registration._state)
    twin._state.fields_cache = dict(registration._state.fields_cache)
    for part in Registration.PARTS:
        setattr(twin, part, copy.copy(getattr(registration, part)))
    return twin


def _as_if_submitted(registration: Registration) -> Registration:
    """An unsaved copy in the state after pressing Submit."""
    twin = editable_copy(registration)
    for resource, columns in resubmission_changes(twin):
        for column, value in columns.items():
            setattr(resource, column, value)
    return twin


def _notes(registration: Registration, slugs: set[str]) -> list[str]:
    brand, campaign = registration.brand, registration.campaign
    notes = []
    if "brand.update" in slugs:
        notes.append(
            f"This resubmits the brand: attempt {brand.resubmissions + 1} of {MAX_BRAND_UPDATES}. "
            "Resubmitting is free."
        )
    notes += [
        f"Nothing was changed since Twilio rejected the {part}, although a reason is about your inputs. "
        "Twilio may reject it again."
        for part, slug, changed in (
            ("brand", "brand.update", brand_changed),
            ("campaign", "campaign.update", campaign_drift),
        )
        if slug in slugs and not changed(registration) and _about_inputs(part, getattr(registration, part))
    ]
    if "brand.create" in slugs and brand.sid:
        notes.append("A new brand is registered, and its fee is charged again.")
    if "campaign.update" in slugs:
        notes.append(
            "The campaign is edited in place. Twilio's sources differ on whether vetting is charged again, so this "
            "may cost the fee shown."
        )
    if {"campaign.delete", "campaign.make_way"} & slugs:
        notes.append(
            "The campaign is deleted and created again, with a new review and a new vetting fee."
            + (" Its messages stop until then." if campaign.status == CAMPAIGN_VERIFIED else "")
        )
    if campaign.status == CAMPAIGN_FAILED and "campaign.make_way" not in slugs:
        failures = [item.failure for item in parse_error_items(campaign.errors)]
        titles = list(dict.fromkeys(failure.title for failure in failures if beyond_editing(failure)))
        if titles:
            notes.append(
                f"Editing the campaign does not fix this: {'; '.join(titles)}. Read the reasons before you pay."
            )
    if "trust_bundle.update_end_user" in slugs and mobile_was_changed(registration):
        notes.append(MOBILE_MAY_NOT_FOLLOW)
    if _campaign_held_back(registration, slugs):
        notes.append(
            "Twilio accepts changes to a campaign only while it is rejected. Your campaign edits stay here."
        )
    if _held_back(registration):
        notes.append(
            "The brand is verified, so Twilio accepts no changes to the person, address, brand name, or mobile. "
            "These edits stay here."
            if brand.identity_status == IDENTITY_VERIFIED
            else f"Twilio is reviewing the brand ({status_label(BRAND, brand.status).label.lower()}). Changes to the "
            "person, address, brand name, or mobile wait here until it decides. If it rejects the brand, nothing is "
            "resubmitted until you submit again."
        )
    return notes


def _about_inputs(part: str, resource: TwilioResource) -> bool:
    """Whether one of Twilio's reasons is known to be about an input, so resubmitting unchanged is pointless."""
    reasons = merge_reasons(part, resource.errors, resource.failure_reason)
    return any(reason.inputs and reason.failure.resubmittable == "yes" for reason in reasons)


def _campaign_held_back(registration: Registration, slugs: set[str]) -> bool:
    """Whether campaign inputs were edited that Twilio does not accept now."""
    campaign = registration.campaign
    waits = bool(campaign.sid) and not campaign.missing_since and campaign.status != CAMPAIGN_FAILED
    replaced = {"campaign.make_way", "campaign.delete", "campaign.create"} & slugs
    return waits and not replaced and bool(campaign_drift(registration))


def _held_back(registration: Registration) -> bool:
    """Whether profile or trust bundle inputs were edited that Twilio does not accept now."""
    sent = registration.trust_bundle.accepted_params.get("submit")
    return (
        bool(sent) and not accepts_bundle_changes(registration) and TRUST_BUNDLE.submit_needed(registration)
    )
