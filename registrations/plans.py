"""What Submit would do now: the calls, what they may cost, what will be lost, and what stands in the way."""

import copy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from registrations.failures import parse_error_items
from registrations.models import Mirror, Registration
from registrations.models.brand import MAX_BRAND_UPDATES
from registrations.states import (
    BRAND_FAILED,
    BUNDLE_REJECTED,
    CAMPAIGN_FAILED,
    CAMPAIGN_VERIFIED,
    IDENTITY_VERIFIED,
)
from registrations.steps import Watch, Write, rows_of
from registrations.steps.brand import needs_console_deletion
from registrations.steps.guards import may_repair

PARTS = ("profile", "trust_bundle", "brand", "campaign", "phone_number")


@dataclass(frozen=True)
class PlannedCall:
    """One call that Submit would make. fee: US dollars, None when free."""

    slug: str
    label: str
    fee: Decimal | None
    repair: bool
    note: str


@dataclass(frozen=True)
class Plan:
    """calls: still needed, in order. blockers: why they cannot all run. fee: what they may cost together.

    notes: what a person should know before the click: tries left, what is lost, what may be charged.
    """

    calls: list[PlannedCall]
    blockers: list[str]
    fee: Decimal
    notes: list[str] = field(default_factory=list)


def ask_again(registration: Registration) -> list[tuple[Mirror, dict[str, Any]]]:
    """What Submit changes beside the revision: what came back with a no is asked again, even unchanged."""
    changes: list[tuple[Mirror, dict[str, Any]]] = []
    again = {"resubmit_requested": True}
    for bundle in (registration.profile, registration.trust_bundle):
        if bundle.status == BUNDLE_REJECTED or bundle.evaluation_status == "noncompliant":
            changes.append((bundle, again))
    brand, campaign, number = registration.brand, registration.campaign, registration.phone_number
    if brand.gone_at or (brand.status == BRAND_FAILED and not needs_console_deletion(registration)):
        changes.append((brand, again))
    if campaign.sid and (campaign.gone_at or campaign.status == CAMPAIGN_FAILED):
        changes.append((campaign, again))
    if number.failure_reason:
        sent = {key: value for key, value in number.sent.items() if key != "sender"}
        changes.append((number, {"failure_reason": "", "sent": sent}))
    if number.gone_at and not number.confirmed_at:
        changes.append((number, {"attached_at": None, "gone_at": None, "polls": 0}))
    return changes


def plan(registration: Registration) -> Plan:
    """What Submit would do now. Calls behind a wait are in the plan too."""
    asked = _as_if_submitted(registration)
    calls: list[PlannedCall] = []
    blockers: list[str] = []
    rows = wanted_writes(asked)
    for row in rows:
        # What this very plan does first no longer stands in the way then.
        blocked = row.blocked(asked)
        before = {call.slug for call in calls}
        cleared = (row.slug.endswith(".submit") and f"{row.part}.evaluate" in before) or (
            row.slug == "brand.update" and "campaign.make_way" in before
        )
        if blocked and not cleared:
            blockers.append(blocked)
        fee = row.fee() if row.fee else None
        calls.append(PlannedCall(row.slug, row.label, fee, row.repair, row.help))
    blockers += _dead_ends(asked, {row.part for row in rows})
    fees = sum((call.fee for call in calls if call.fee), Decimal(0))
    return Plan(calls, blockers, fees, _notes(registration, {row.slug for row in rows}))


def _dead_ends(registration: Registration, parts: set[str]) -> list[str]:
    """What came back with a no, and no call of the plan answers."""
    ends = [
        row.failed(registration)
        for row in rows_of(registration)
        if isinstance(row, Watch) and row.part not in parts and row.exists(registration)
    ]
    return list(dict.fromkeys(end for end in ends if end))


def wanted_writes(registration: Registration) -> list[Write]:
    """The writes that are wanted now, and those that they make necessary."""
    writes = [row for row in rows_of(registration) if isinstance(row, Write)]
    wanted = {row.slug for row in writes if row.wanted(registration)}
    brought = {slug for row in writes if row.slug in wanted for slug in row.brings}
    return [row for row in writes if row.slug in wanted | brought]


def _as_if_submitted(registration: Registration) -> Registration:
    """A copy on which Submit was pressed; nothing is saved."""
    twin = copy.copy(registration)
    twin._state = copy.copy(registration._state)
    twin._state.fields_cache = dict(registration._state.fields_cache)
    for part in PARTS:
        setattr(twin, part, copy.copy(getattr(registration, part)))
    for mirror, columns in ask_again(twin):
        for column, value in columns.items():
            setattr(mirror, column, value)
    return twin


def _notes(registration: Registration, slugs: set[str]) -> list[str]:
    brand, campaign = registration.brand, registration.campaign
    notes = []
    if "brand.update" in slugs:
        notes.append(
            f"This resubmits the brand: try {brand.resubmissions + 1} of {MAX_BRAND_UPDATES}. It is free."
        )
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
    if campaign.status == CAMPAIGN_FAILED and any(
        item.failure.resubmittable == "no" for item in parse_error_items(campaign.errors)
    ):
        notes.append(
            "Twilio says that this campaign cannot be resubmitted as it is. Read the reasons before you pay."
        )
    if not may_repair(registration) and brand.identity_status == IDENTITY_VERIFIED:
        notes.append(
            "The brand is verified: Twilio takes no changes of person, address, brand name or mobile now."
        )
    return notes
