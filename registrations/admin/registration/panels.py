"""The step board and "what Twilio says", shaped for the page of a registration."""

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
# From the most to the least urgent: a part shows the first of these that one of its steps has.
_PART_STATUS = ("failed", "blocked", "running", "drifted", "waiting", "ready", "todo", "kept", "done")


@dataclass
class Part:
    """One group of the step board."""

    slug: str
    label: str
    steps: list[StepView] = field(default_factory=list)

    @property
    def status(self) -> str:
        statuses = {step.status for step in self.steps}
        return next((status for status in _PART_STATUS if status in statuses), "todo")

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


def parts(steps: list[StepView], planned: Container[str]) -> list[Part]:
    """The steps in their groups. A fee is shown only at a call of the plan: nobody pays for what is not reached."""
    groups = {slug: Part(slug, label) for slug, label in PART_LABELS.items()}
    for step in steps:
        if step.slug not in planned:
            step = replace(step, fee=None)
        groups.setdefault(step.part, Part(step.part, step.part)).steps.append(step)
    return [group for group in groups.values() if group.steps]


def upstream(registration: Registration) -> list[dict[str, Any]]:
    """What Twilio last said of each part; words we do not know are shown as they came."""
    profile, bundle = registration.profile, registration.trust_bundle
    brand, campaign, number = registration.brand, registration.campaign, registration.phone_number
    rows = [
        _said("Profile", profile, [status_label(BUNDLE, profile.status)], ""),
        _said("Trust bundle", bundle, [status_label(BUNDLE, bundle.status)], ""),
        _said(
            "Brand",
            brand,
            brand_words(brand),
            f"{brand.tcr_id} · resubmitted {brand.resubmissions} of {MAX_BRAND_UPDATES} times"
            if brand.resubmissions
            else brand.tcr_id,
        ),
        _said("Campaign", campaign, [status_label(CAMPAIGN, campaign.status)], campaign.campaign_id),
    ]
    # The number's A2P state is in no answer of Twilio's API: only events report it.
    a2p = (
        status_label(NUMBER, number.a2p_status)
        if number.a2p_status
        else StatusLabel("A2P state not reported", "idle")
    )
    if number.confirmed_at:
        rows.append(
            _said("Number", number, [StatusLabel("In the service", "good"), a2p], number.phone_number)
        )
    return [row for row in rows if row["words"]]


def brand_words(brand: Brand) -> list[StatusLabel]:
    """The brand's state, and whether the YES has come: only an approved brand's customer is asked for it."""
    words = [status_label(BRAND, brand.status)]
    if brand.identity_status and (
        brand.status == BRAND_APPROVED or brand.identity_status == IDENTITY_VERIFIED
    ):
        words.append(status_label(IDENTITY, brand.identity_status))
    return words


def _said(label: str, resource: TwilioResource, words: list[StatusLabel], detail: str) -> dict[str, Any]:
    words = [one for one in words if one.label != "—"]
    if resource.missing_since:
        words.append(StatusLabel("Not found at Twilio", "bad"))
    return {"label": label, "words": words, "detail": detail, "at": resource.synced_at}
