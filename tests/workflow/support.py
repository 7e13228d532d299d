"""Shared by the workflow tests: a gate that stops a registration before one step, and a recipe to reach each step."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings

from registrations.core import clock
from registrations.models import ApiCall, Brand, RateLimit, Registration
from registrations.models.choices import Stage, WaitingFor
from registrations.operations import actions, otp
from registrations.twilio.client import errors
from registrations.workflow.planner import decisions
from registrations.workflow.runner import runner
from tests.conftest import Harness
from tests.customers import OWNED_NUMBER, PARTS, make_draft
from tests.workflow.snapshots import Snapshot

# Data that must never appear outside our inputs and Twilio; distinctive on purpose.
SECRETS = {
    "first_name": "Wilhelmina",
    "last_name": "Quillfeather",
    "email": "wilhelmina.q@harborcrafts.com",
    "phone_number": "+14155552671",
    "street": "77 Marmalade Mews",
}
BRAND_NAME = "Quillfeather Kites"
AUTO_YES = "+14155559999"  # docs/sandbox.md: replies YES by itself
SILENT = "+14155552672"
OTHER_NUMBER_SID = "PN" + "0" * 31 + "2"
SCALE = 0.001  # the sandbox's clock in all tests

WRITING = ("create_", "update_", "delete_", "send_", "attach_", "detach_", "buy_")


@dataclass
class Gate:
    """Stops the worker before the step `before`, or lets it run only the step `only`."""

    before: str = ""
    only: str = ""
    held: str = ""

    def decide(self, registration: Registration, now: Any, attempts: Any = None) -> decisions.Decision:
        decision = decisions.decide(registration, now, attempts)
        if isinstance(decision, decisions.Call | decisions.Learn):
            slug = decision.step.slug
            if slug == self.before or (self.only and slug != self.only):
                self.held = slug
                return decisions.Stop(decision.step.stage, WaitingFor.US, "Held by the test.")
        return decision


@dataclass
class Scenario:
    """One registration before one step: what the tests do with it, and what Twilio saw since."""

    harness: Harness
    gate: Gate
    stack: ExitStack  # closed after the test
    slug: str = ""
    pk: int = 0
    seen: int = 0
    actor: str = "ann"

    # --- getting there --------------------------------------------------------------------------------------
    def make(self, **changes: dict[str, Any]) -> Registration:
        """A submitted registration whose customer replies YES by herself."""
        parts = {
            "profile": SECRETS | changes.pop("profile", {}),
            "trust_bundle": {"brand_name": BRAND_NAME, "mobile_phone_number": AUTO_YES}
            | changes.pop("trust_bundle", {}),
            # Campaign texts are not redacted; these must not name the customer, or they would hide a leak.
            "campaign": PARTS["campaign"] | changes.pop("campaign", {}),
            **changes,
        }
        registration = make_draft(**parts)
        actions.submit(registration, actor=self.actor)
        self.pk = registration.pk
        return registration

    def run(self, until: Callable[[Registration], bool] | None = None) -> Registration:
        return self.harness.run(
            self.pk, until=lambda registration: bool(self.gate.held) or bool(until and until(registration))
        )

    def stopped(self, stage: Stage) -> Registration:
        """Run until a person must act."""
        registration = self.run(lambda registration: registration.waiting_for == WaitingFor.US)
        assert (registration.stage, registration.waiting_for) == (stage, WaitingFor.US), registration.reason
        return registration

    def edit(self, **parts: dict[str, Any]) -> Registration:
        registration = runner.load(self.pk)
        assert actions.edit(registration, parts, actor=self.actor)
        actions.submit(registration, actor=self.actor)
        return runner.load(self.pk)

    def reach(self, slug: str) -> "Scenario":
        """Bring a new registration to where `slug` is the next step: once for real, then from a snapshot of that."""
        self.slug = slug
        key = (slug, self.actor, settings.A2P_TIME_SCALE)
        if snapshot := _reached.get(key):
            self.stack.enter_context(snapshot.restored(self.harness.sandbox))
            self.pk = snapshot.pk
        else:
            self.gate.before = slug
            RECIPES[slug](self)
            self.run()
            assert self.gate.held == slug, runner.load(self.pk).reason
            _reached[key] = Snapshot.take(self.pk, self.harness.sandbox)
        self.gate.before, self.gate.only = "", slug
        self.wake()
        self.seen = len(self.harness.log())
        return self

    def ask_again(self) -> None:
        """Press the button once more: Submit, or Remove if the registration is being removed."""
        registration = runner.load(self.pk)
        (actions.remove if registration.removing else actions.submit)(registration, actor=self.actor)

    # --- actions --------------------------------------------------------------------------------------------
    def wake(self) -> None:
        self.gate.held = ""
        RateLimit.objects.update(last_call=0, next_slot=0)
        Registration.objects.filter(pk=self.pk).update(next_run_at=clock.now())

    def job(self) -> Registration:
        return self.harness.advance(self.pk)

    def finish(self) -> Registration:
        """Run jobs until the step is done (the gate stops the registration before the next one)."""
        return self.run(lambda registration: self.is_done())

    def is_done(self) -> bool:
        calls = self.api_calls()
        return bool(calls) and calls[-1].state in ("ok", "found")

    # --- results --------------------------------------------------------------------------------------------
    def api_calls(self) -> list[ApiCall]:
        return list(ApiCall.objects.filter(registration_id=self.pk, step=self.slug).order_by("id"))

    def states(self) -> list[str]:
        return [call.state for call in self.api_calls()]

    def writes(self) -> list[dict[str, Any]]:
        """Writes that reached Twilio since the gate opened, including rejected ones."""
        return [entry for entry in self.harness.log()[self.seen :] if entry["method"] != "GET"]

    def effective(self) -> list[dict[str, Any]]:
        """Writes that changed something at Twilio since the gate opened."""
        return [entry for entry in self.writes() if 200 <= entry["status"] < 300]

    def spoil(self, action: str, **more: Any) -> None:
        """Spoil the next write, whatever it is."""
        for method in ("POST", "DELETE"):
            self.harness.fault(method=method, path=".", action=action, times=1, **more)


_reached: dict[tuple[Any, ...], Snapshot] = {}


class Rejecting:
    """A client whose writes Twilio rejects; reads go through."""

    def __init__(self, inner: Any, error: errors.TwilioError) -> None:
        self.inner, self.error, self.calls = inner, error, 0

    def __getattr__(self, name: str) -> Any:
        if not name.startswith(WRITING):
            return getattr(self.inner, name)

        def reject(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            raise self.error

        return reject


# --- recipes: how to reach each step ---------------------------------------------------------------------------
def _walk(scenario: Scenario) -> None:
    scenario.make(phone_number={"sender_number": OWNED_NUMBER})


def _bad_email(scenario: Scenario) -> None:
    scenario.make(profile={"email": "bad-email@harborcrafts.com"})
    scenario.stopped(Stage.PROFILE)
    scenario.edit(profile={"email": SECRETS["email"]})


def _wrong_street(scenario: Scenario) -> None:
    scenario.make(profile={"street": "77 Wrong Mews"})
    scenario.stopped(Stage.PROFILE)
    scenario.edit(profile={"street": SECRETS["street"]})


def _bad_bundle(scenario: Scenario) -> None:
    scenario.make(trust_bundle={"brand_name": "Quillfeather bundle 18602"})
    scenario.stopped(Stage.TRUST_BUNDLE)
    scenario.edit(trust_bundle={"brand_name": BRAND_NAME})


def _failed_brand(scenario: Scenario) -> None:
    scenario.make(trust_bundle={"brand_name": "Quillfeather fail once 30791"})
    scenario.stopped(Stage.BRAND)
    actions.submit(runner.load(scenario.pk), actor=scenario.actor)


def _failed_brand_and_email(scenario: Scenario) -> None:
    scenario.make(trust_bundle={"brand_name": "Quillfeather fail once 30701"})
    scenario.stopped(Stage.BRAND)
    scenario.edit(profile={"email": "wilhelmina.quill@harborcrafts.com"})


def _second_otp(scenario: Scenario) -> None:
    scenario.make(trust_bundle={"mobile_phone_number": SILENT})
    scenario.run(lambda registration: registration.stage == Stage.OTP)
    Brand.objects.update(otp_sent_at=clock.now() - timedelta(hours=1))
    otp.resend(runner.load(scenario.pk), actor=scenario.actor)


def _failed_campaign(scenario: Scenario) -> None:
    token = " [[once 30893:SAMPLE_MESSAGE_1]]"
    scenario.make(campaign={"description": PARTS["campaign"]["description"] + token})
    scenario.stopped(Stage.CAMPAIGN)


def _edited_campaign(scenario: Scenario) -> None:
    _failed_campaign(scenario)
    scenario.edit(campaign={"description": PARTS["campaign"]["description"] + " Only that."})


def _changed_keywords(scenario: Scenario) -> None:
    _failed_campaign(scenario)
    scenario.edit(campaign={"help_keywords": "HELP, ASSIST"})


def _number_to_buy(scenario: Scenario) -> None:
    registration = scenario.make(phone_number={"sender_number": "", "area_code": "415"})
    actions.confirm_purchase(registration, actor=scenario.actor)


def _lost_campaign(scenario: Scenario) -> None:
    """It disappeared at Twilio, perhaps with its messaging service."""
    scenario.make()
    live = scenario.run(lambda registration: registration.stage == Stage.LIVE)
    world = scenario.harness.sandbox.world
    with world.lock:
        world.store.delete("Usa2p", live.campaign.service_sid)
    actions.refresh(live, actor=scenario.actor)
    scenario.run(
        lambda registration: (
            bool(registration.campaign.missing_since) and registration.waiting_for == WaitingFor.US
        )
    )
    actions.submit(runner.load(scenario.pk), actor=scenario.actor)


def _moved_to_canada(scenario: Scenario) -> None:
    """The country of an address cannot be changed: address and document are created again."""
    scenario.make(profile={"street": "77 Wrong Mews"})
    scenario.stopped(Stage.PROFILE)
    scenario.edit(
        profile={
            "street": SECRETS["street"],
            "city": "Toronto",
            "region": "ON",
            "postal_code": "M5V 3L9",
            "iso_country": "CA",
        }
    )


def _brand_failed_late(scenario: Scenario) -> None:
    """The registry revokes a brand that already has a campaign."""
    scenario.make()
    live = scenario.run(lambda registration: registration.stage == Stage.LIVE)
    scenario.harness.post(f"brand/{live.brand.sid}", action="reject", code=30799)
    actions.refresh(live, actor=scenario.actor)
    scenario.stopped(Stage.BRAND)
    actions.submit(runner.load(scenario.pk), actor=scenario.actor)


def _remove_live(scenario: Scenario) -> None:
    scenario.make()
    actions.remove(scenario.run(lambda registration: registration.stage == Stage.LIVE), actor=scenario.actor)


def _remove_bundle(scenario: Scenario) -> None:
    """Only what Twilio has not accepted can be deleted (21646)."""
    scenario.make(trust_bundle={"brand_name": "Quillfeather bundle 18602"})
    actions.remove(scenario.stopped(Stage.TRUST_BUNDLE), actor=scenario.actor)


def _remove_profile(scenario: Scenario) -> None:
    scenario.make(profile={"email": "bad-email@harborcrafts.com"})
    actions.remove(scenario.stopped(Stage.PROFILE), actor=scenario.actor)


def _other_number(scenario: Scenario) -> None:
    scenario.make()
    live = scenario.run(lambda registration: registration.stage == Stage.LIVE)
    assert live.stage == Stage.LIVE, live.reason
    scenario.edit(phone_number={"sender_number": OTHER_NUMBER_SID})


RECIPES: dict[str, Callable[[Scenario], None]] = {
    "profile.policies": _walk,
    "profile.create": _walk,
    "profile.create_end_user": _walk,
    "profile.create_address": _walk,
    "profile.create_document": _walk,
    "profile.assign_end_user": _walk,
    "profile.assign_document": _walk,
    "profile.assign_primary": _walk,
    "profile.evaluate": _walk,
    "profile.submit": _walk,
    "trust_bundle.create": _walk,
    "trust_bundle.create_end_user": _walk,
    "trust_bundle.assign_end_user": _walk,
    "trust_bundle.assign_profile": _walk,
    "trust_bundle.evaluate": _walk,
    "trust_bundle.submit": _walk,
    "number.resolve": _walk,
    "brand.create": _walk,
    "campaign.look_at_service": _lost_campaign,
    "campaign.create_service": _walk,
    "campaign.create": _walk,
    "number.attach": _walk,
    "number.buy": _number_to_buy,
    # Repairs.
    "profile.update_email": _bad_email,
    "profile.update_end_user": _bad_email,
    "profile.update_address": _wrong_street,
    "trust_bundle.update_email": _failed_brand_and_email,
    "trust_bundle.update_end_user": _bad_bundle,
    "brand.update": _failed_brand,
    "brand.send_otp": _second_otp,
    "campaign.update": _edited_campaign,
    "campaign.delete": _changed_keywords,
    "number.detach": _other_number,
    "profile.replace_address": _moved_to_canada,
    "profile.replace_document": _moved_to_canada,
    "profile.unassign_document": _moved_to_canada,
    "campaign.make_way": _brand_failed_late,
    # Removing a registration.
    "remove.number": _remove_live,
    "remove.campaign": _remove_live,
    "remove.service": _remove_live,
    "remove.brand": _remove_live,
    "remove.trust_bundle": _remove_bundle,
    "remove.sole_proprietor": _remove_bundle,
    "remove.profile": _remove_profile,
    "remove.document": _remove_profile,
    "remove.address": _remove_profile,
    "remove.person": _remove_profile,
}


def personal_data_in(value: Any) -> list[str]:
    """The customer's data found in a JSON-like value; for API calls, timeline, and messages."""
    text = json.dumps(value, default=str).lower()
    return [item for item in (*SECRETS.values(), AUTO_YES, BRAND_NAME) if item.lower() in text]


def steps(scenario: Scenario) -> list[str]:
    """The slugs of all attempts of the registration, in their order."""
    attempts = ApiCall.objects.filter(registration_id=scenario.pk).order_by("id")
    return list(attempts.values_list("step", flat=True))


def calls(scenario: Scenario, method: str, path: str) -> list[dict[str, Any]]:
    """Requests to Twilio with this method and this text in the path."""
    return [entry for entry in scenario.harness.log() if entry["method"] == method and path in entry["path"]]


def at_otp(registration: Registration) -> bool:
    return registration.stage == Stage.OTP


def new_calls(scenario: Scenario, seen: int) -> list[str]:
    """What was written after the first `seen` writes, without SIDs: "POST EndUsers/…" is a change of one."""
    found = []
    for entry in scenario.harness.writes()[seen:]:
        parts = entry["path"].removesuffix(".json").split("/")
        names = [
            part for part in parts if part[:2] not in ("BU", "BN", "MG", "QE", "IT", "AD", "BV", "PN", "AC")
        ]
        found.append(f"{entry['method']} {names[-1]}" + ("/…" if parts[-1] != names[-1] else ""))
    return found
