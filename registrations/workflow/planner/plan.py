"""What Submit would do now: the calls, what they may cost, what will be lost, and what stands in the way."""

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
from registrations.workflow.steps.brand import may_help as brand_may_help
from registrations.workflow.steps.brand import mobile_was_changed, needs_console_deletion
from registrations.workflow.steps.campaign import drift as campaign_drift
from registrations.workflow.steps.campaign import may_help as campaign_may_help
from registrations.workflow.steps.conditions import beyond_editing, may_repair
from registrations.workflow.steps.number import reattaching_helps
from registrations.workflow.steps.trust_bundle import submit_wanted as bundle_changed

# An approved brand cannot be updated, and Twilio's pages do not say which number its texts go to then.
MOBILE_MAY_NOT_FOLLOW = (
    "The mobile was changed after Twilio registered the brand, and Twilio does not say whether its texts go to "
    "the new number. If none arrives there: delete the brand in Twilio's Console, then Submit registers a new "
    "one, for its fee."
)


@dataclass(frozen=True)
class PlannedCall:
    """One call that Submit would make. fee: US dollars, None when free. later: only after the brand's answer."""

    slug: str
    label: str
    fee: Decimal | None
    repair: bool
    note: str
    later: bool = False


@dataclass(frozen=True)
class Plan:
    """calls: still needed, in order. blockers: why they cannot all run. fee: what they may cost together.

    notes: what a person should know before the click: tries left, what is lost, what may be charged.
    dead_end: nothing behind the last call can be reached before another Submit; those calls and their fees are
    not in the plan, because this Submit makes none of them.
    """

    calls: list[PlannedCall]
    blockers: list[str]
    fee: Decimal
    notes: list[str] = field(default_factory=list)
    dead_end: bool = False


def ask_again(registration: Registration) -> list[tuple[TwilioResource, dict[str, Any]]]:
    """What Submit changes beside the revision: what came back with a no is asked again, even unchanged."""
    changes: list[tuple[TwilioResource, dict[str, Any]]] = []
    again = {"resubmit_requested": True}
    for bundle in (registration.profile, registration.trust_bundle):
        if bundle.status == BUNDLE_REJECTED or bundle.evaluation_status not in ("", "compliant"):
            changes.append((bundle, again))
    brand, campaign, number = registration.brand, registration.campaign, registration.phone_number
    again_helps = not needs_console_deletion(registration) and brand_may_help(registration)
    if brand.missing_since or (brand.status == BRAND_FAILED and again_helps):
        changes.append((brand, again))
    # A campaign stands in the way of its brand's deletion.
    in_the_way = needs_console_deletion(registration)
    # A wish that Submit cannot meet now must not be met later, when a reason has come and nobody clicks.
    refused = campaign.status == CAMPAIGN_FAILED and campaign_may_help(registration)
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
    """What Submit would do now. Calls behind a wait are in the plan too, those behind a dead end are not."""
    asked = _as_if_submitted(registration)
    wanted = {step.slug: step for step in wanted_writes(asked)}
    if needs_console_deletion(asked):
        wanted.pop("brand.update", None)  # it would be refused, whatever was edited
    parts = {step.part for step in wanted.values()}
    calls: list[PlannedCall] = []
    blockers: list[str] = []
    ended = later = False
    for step in steps_of(asked):
        if isinstance(step, Watch):
            # Nothing of the plan answers this no.
            ended = step.part not in parts and step.exists(asked) and bool(step.failed(asked))
            if ended:
                blockers.append(step.failed(asked))
            later = later or (step.part == "brand" and ("brand" in parts or not step.passed(asked)))
        elif write := wanted.get(step.slug):
            if (blocked := write.blocked(asked)) and not _cleared(write, {call.slug for call in calls}):
                blockers.append(blocked)
            fee = write.fee() if write.fee else None
            calls.append(PlannedCall(write.slug, write.label, fee, write.repair, write.help, later))
        if ended:
            break
    fees = sum((call.fee for call in calls if call.fee), Decimal(0))
    return Plan(calls, blockers, fees, _notes(registration, {call.slug for call in calls}), ended)


def _cleared(step: Write, before: set[str]) -> bool:
    """What this very plan does first no longer stands in the way then."""
    evaluated = step.slug.endswith(".submit") and f"{step.part}.evaluate" in before
    return evaluated or (step.slug == "brand.update" and "campaign.make_way" in before)


def wanted_writes(registration: Registration) -> list[Write]:
    """The writes that are wanted now, and those that they make necessary."""
    writes = [step for step in steps_of(registration) if isinstance(step, Write)]
    wanted = {step.slug for step in writes if step.is_needed(registration)}
    brought = {slug for step in writes if step.slug in wanted for slug in step.implies}
    return [step for step in writes if step.slug in wanted | brought]


def twin_of(registration: Registration) -> Registration:
    """A copy with copies of its mirrors, to try changes on; nothing of it is saved."""
    twin = copy.copy(registration)
    twin._state = copy.copy(registration._state)
    twin._state.fields_cache = dict(registration._state.fields_cache)
    for part in Registration.PARTS:
        setattr(twin, part, copy.copy(getattr(registration, part)))
    return twin


def _as_if_submitted(registration: Registration) -> Registration:
    """A copy on which Submit was pressed; nothing is saved."""
    twin = twin_of(registration)
    for resource, columns in ask_again(twin):
        for column, value in columns.items():
            setattr(resource, column, value)
    return twin


def _notes(registration: Registration, slugs: set[str]) -> list[str]:
    brand, campaign = registration.brand, registration.campaign
    notes = []
    if "brand.update" in slugs:
        notes.append(
            f"This resubmits the brand: try {brand.resubmissions + 1} of {MAX_BRAND_UPDATES}. "
            "Resubmitting is free."
        )
    notes += [
        f"Nothing was changed since Twilio refused the {part}, although a reason is about what you entered. "
        "Twilio may well refuse it again."
        for part, slug, changed in (
            ("brand", "brand.update", brand_changed),
            ("campaign", "campaign.update", campaign_drift),
        )
        if slug in slugs and not changed(registration) and _about_inputs(part, getattr(registration, part))
    ]
    if "brand.create" in slugs and brand.sid:
        notes.append("A new brand is registered, and its fee is paid again.")
    if "campaign.update" in slugs:
        notes.append(
            "The campaign is edited in place. Twilio's sources differ on whether vetting is charged again: "
            "it may cost what is shown."
        )
    if {"campaign.delete", "campaign.make_way"} & slugs:
        notes.append(
            "The campaign is deleted and created again: it gets a new review and a new vetting fee."
            + (" Its messages stop until then." if campaign.status == CAMPAIGN_VERIFIED else "")
        )
    if campaign.status == CAMPAIGN_FAILED and "campaign.make_way" not in slugs:
        reasons = [item.failure for item in parse_error_items(campaign.errors)]
        titles = list(dict.fromkeys(one.title for one in reasons if beyond_editing(one)))
        if titles:
            notes.append(
                f"No edit of the campaign answers this: {'; '.join(titles)}. Read the reasons before you pay."
            )
    if "trust_bundle.update_end_user" in slugs and mobile_was_changed(registration):
        notes.append(MOBILE_MAY_NOT_FOLLOW)
    if _campaign_held_back(registration, slugs):
        notes.append(
            "Twilio takes changes of a campaign only while it is rejected. The edits of the campaign stay here."
        )
    if _held_back(registration):
        notes.append(
            "The brand is verified: Twilio takes no changes of person, address, brand name or mobile now. "
            "These edits stay here."
            if brand.identity_status == IDENTITY_VERIFIED
            else f"The brand is at Twilio ({status_label(BRAND, brand.status).label.lower()}): changes of person, address, "
            "brand name or mobile wait here until Twilio has answered. If it refuses the brand, you are asked "
            "before a try is used."
        )
    return notes


def _about_inputs(part: str, resource: TwilioResource) -> bool:
    """Whether one of Twilio's reasons is known to be about an input, so that the same again is in vain."""
    reasons = merge_reasons(part, resource.errors, resource.failure_reason)
    return any(one.inputs and one.failure.resubmittable == "yes" for one in reasons)


def _campaign_held_back(registration: Registration, slugs: set[str]) -> bool:
    """Whether campaign inputs were edited that Twilio does not take now."""
    campaign = registration.campaign
    waits = bool(campaign.sid) and not campaign.missing_since and campaign.status != CAMPAIGN_FAILED
    replaced = {"campaign.make_way", "campaign.delete", "campaign.create"} & slugs
    return waits and not replaced and bool(campaign_drift(registration))


def _held_back(registration: Registration) -> bool:
    """Whether inputs of profile or bundle were edited that Twilio does not take now."""
    sent = registration.trust_bundle.accepted_params.get("submit")
    return bool(sent) and not may_repair(registration) and bundle_changed(registration)
