"""The steps in groups, and Twilio's last status of each part, as the registration's page shows them."""

from collections.abc import Container
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from registrations.models import Brand, Registration, TwilioResource
from registrations.models.brand import MAX_BRAND_UPDATES
from registrations.twilio.statuses import (
    BRAND,
    BRAND_APPROVED,
    BUNDLE,
    CAMPAIGN,
    IDENTITY,
    IDENTITY_VERIFIED,
    NUMBER,
    StatusLabel,
    status_label,
)
from registrations.workflow.planner.progress import StepView

PART_LABELS = {
    "profile": "Profile",
    "trust_bundle": "Trust bundle",
    "brand": "Brand",
    "campaign": "Campaign",
    "phone_number": "Number",
}
# The most urgent first: a group shows the first of these that one of its steps has.
_GROUP_STATUS = ("failed", "blocked", "running", "drifted", "waiting", "ready", "todo", "kept", "done")


@dataclass
class StepGroup:
    """The steps of one part."""

    slug: str
    label: str
    steps: list[StepView] = field(default_factory=list)

    @property
    def status(self) -> str:
        statuses = {step.status for step in self.steps}
        return next((status for status in _GROUP_STATUS if status in statuses), "todo")

    @property
    def done(self) -> int:
        return sum(step.status == "done" for step in self.steps)

    @property
    def total(self) -> int:
        return len(self.steps)

    @property
    def is_open(self) -> bool:
        return self.status not in ("done", "todo", "kept")

    @property
    def finished_at(self) -> datetime | None:
        times = [step.at for step in self.steps if step.at]
        return max(times) if times and self.status == "done" else None


def step_groups(steps: list[StepView], planned: Container[str]) -> list[StepGroup]:
    """The steps by part. Only the plan's calls show a fee: a call that is not reached costs nothing."""
    groups = {slug: StepGroup(slug, label) for slug, label in PART_LABELS.items()}
    for step in steps:
        if step.slug not in planned:
            step = replace(step, fee=None)
        groups.setdefault(step.part, StepGroup(step.part, step.part)).steps.append(step)
    return [group for group in groups.values() if group.steps]


def twilio_status(registration: Registration) -> list[dict[str, Any]]:
    """Twilio's last status of each part that it has; statuses we do not know are shown as received."""
    brand, campaign, number = registration.brand, registration.campaign, registration.phone_number
    resubmitted = (
        f"resubmitted {brand.resubmissions} of {MAX_BRAND_UPDATES} times" if brand.resubmissions else ""
    )
    rows = [
        _row("Profile", registration.profile, [status_label(BUNDLE, registration.profile.status)]),
        _row(
            "Trust bundle",
            registration.trust_bundle,
            [status_label(BUNDLE, registration.trust_bundle.status)],
        ),
        _row("Brand", brand, brand_statuses(brand), " · ".join(filter(None, [brand.tcr_id, resubmitted]))),
        _row("Campaign", campaign, [status_label(CAMPAIGN, campaign.status)], campaign.campaign_id),
    ]
    if number.confirmed_at:
        # Twilio's API does not return a number's A2P status: only events report it.
        a2p = (
            status_label(NUMBER, number.a2p_status)
            if number.a2p_status
            else StatusLabel("A2P status not reported", "idle")
        )
        rows.append(_row("Number", number, [StatusLabel("In the service", "good"), a2p], number.phone_number))
    return [row for row in rows if row["statuses"]]


def brand_statuses(brand: Brand) -> list[StatusLabel]:
    """The brand's status, and whether the customer replied YES: Twilio asks only after the brand is approved."""
    statuses = [status_label(BRAND, brand.status)]
    if brand.identity_status and (
        brand.status == BRAND_APPROVED or brand.identity_status == IDENTITY_VERIFIED
    ):
        statuses.append(status_label(IDENTITY, brand.identity_status))
    return statuses


def _row(
    label: str, resource: TwilioResource, statuses: list[StatusLabel], detail: str = ""
) -> dict[str, Any]:
    statuses = [status for status in statuses if status.label != "—"]
    if resource.missing_since:
        statuses.append(StatusLabel("Not found at Twilio", "bad"))
    return {"label": label, "statuses": statuses, "detail": detail}
