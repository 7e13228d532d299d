"""What the tests of the pipeline share: a gate that holds a case before one row, and a recipe to reach each row."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from registrations import clock, one_time_texts, pipeline, planning, verbs
from registrations.gateway import errors
from registrations.models import Brand, Lane, Registration, StepRun
from registrations.states import Stage, WaitingFor
from tests.cases import OWNED_NUMBER, PARTS, make_case
from tests.conftest import Desk

# Data that must never be met outside our inputs and Twilio: distinctive on purpose.
SECRETS = {
    "first_name": "Wilhelmina",
    "last_name": "Quillfeather",
    "email": "wilhelmina.q@harborcrafts.com",
    "phone_number": "+14155552671",
    "street": "77 Marmalade Mews",
}
BRAND_NAME = "Quillfeather Kites"
AUTO_YES = "+14155559999"  # docs/sandbox.md: answers YES by itself
SILENT = "+14155552672"
OTHER_NUMBER_SID = "PN" + "0" * 31 + "2"
SCALE = 0.001  # the sandbox's clock in all tests

WRITING = ("create_", "update_", "delete_", "send_", "attach_", "detach_", "buy_")


@dataclass
class Gate:
    """Holds the worker before `before`, or lets it do nothing but `only`."""

    before: str = ""
    only: str = ""
    held: str = ""

    def decide(self, registration: Registration, now: Any, runs: Any = None) -> planning.Decision:
        decision = planning.decide(registration, now, runs)
        if isinstance(decision, planning.Call | planning.Learn):
            slug = decision.row.slug
            if slug == self.before or (self.only and slug != self.only):
                self.held = slug
                return planning.Stop(decision.row.stage, WaitingFor.US, "Held by the test.")
        return decision


@dataclass
class Stand:
    """One case before one row: what the tests do with it, and what Twilio saw since."""

    desk: Desk
    gate: Gate
    slug: str = ""
    pk: int = 0
    seen: int = 0
    actor: str = "ann"

    # --- getting there --------------------------------------------------------------------------------------
    def make(self, **changes: dict[str, Any]) -> Registration:
        """A submitted case whose customer answers YES by herself."""
        parts = {
            "profile": SECRETS | changes.pop("profile", {}),
            "trust_bundle": {"brand_name": BRAND_NAME, "mobile_phone_number": AUTO_YES}
            | changes.pop("trust_bundle", {}),
            # Texts of a campaign are kept as they are; these must not name the customer, or they hide a leak.
            "campaign": PARTS["campaign"] | changes.pop("campaign", {}),
            **changes,
        }
        case = make_case(**parts)
        verbs.submit(case, actor=self.actor)
        self.pk = case.pk
        return case

    def run(self, until: Callable[[Registration], bool] | None = None) -> Registration:
        return self.desk.run(self.pk, until=lambda case: bool(self.gate.held) or bool(until and until(case)))

    def stopped(self, stage: Stage) -> Registration:
        """Run until a person must act."""
        case = self.run(lambda case: case.waiting_for == WaitingFor.US)
        assert (case.stage, case.waiting_for) == (stage, WaitingFor.US), case.reason
        return case

    def edit(self, **parts: dict[str, Any]) -> Registration:
        case = pipeline.load(self.pk)
        assert verbs.edit(case, parts, actor=self.actor)
        verbs.submit(case, actor=self.actor)
        return pipeline.load(self.pk)

    def reach(self, slug: str) -> "Stand":
        self.slug = self.gate.before = slug
        RECIPES[slug](self)
        self.run()
        assert self.gate.held == slug, pipeline.load(self.pk).reason
        self.gate.before, self.gate.only = "", slug
        self.wake()
        self.seen = len(self.desk.log())
        return self

    def ask_again(self) -> None:
        """Press the button once more: Submit, or Take down when that is what the case is at."""
        case = pipeline.load(self.pk)
        (verbs.remove if case.removing else verbs.submit)(case, actor=self.actor)

    # --- acting ---------------------------------------------------------------------------------------------
    def wake(self) -> None:
        self.gate.held = ""
        Lane.objects.update(last_call=0, next_slot=0)
        Registration.objects.filter(pk=self.pk).update(wake_at=clock.now())

    def job(self) -> Registration:
        return self.desk.advance(self.pk)

    def finish(self) -> Registration:
        """Jobs until the row is behind us (the gate holds the case before the next one)."""
        return self.run(lambda case: self.is_done())

    def is_done(self) -> bool:
        runs = self.runs()
        return bool(runs) and runs[-1].state in ("ok", "found")

    # --- looking --------------------------------------------------------------------------------------------
    def runs(self) -> list[StepRun]:
        return list(StepRun.objects.filter(registration_id=self.pk, step=self.slug).order_by("id"))

    def states(self) -> list[str]:
        return [run.state for run in self.runs()]

    def writes(self) -> list[dict[str, Any]]:
        """Writes that reached Twilio since the gate opened, refused ones included."""
        return [entry for entry in self.desk.log()[self.seen :] if entry["method"] != "GET"]

    def effective(self) -> list[dict[str, Any]]:
        """Writes that changed something at Twilio since the gate opened."""
        return [entry for entry in self.writes() if 200 <= entry["status"] < 300]

    def spoil(self, action: str, **more: Any) -> None:
        """Spoil the next write, whatever it is."""
        for method in ("POST", "DELETE"):
            self.desk.fault(method=method, path=".", action=action, times=1, **more)


class Refusing:
    """A gateway whose next write is Twilio's no; reads go through."""

    def __init__(self, inner: Any, error: errors.GatewayError) -> None:
        self.inner, self.error, self.asked = inner, error, 0

    def __getattr__(self, name: str) -> Any:
        if not name.startswith(WRITING):
            return getattr(self.inner, name)

        def refuse(*args: Any, **kwargs: Any) -> Any:
            self.asked += 1
            raise self.error

        return refuse


# --- recipes: how each row comes to be the next one ------------------------------------------------------------
def _walk(stand: Stand) -> None:
    stand.make(phone_number={"sender_number": OWNED_NUMBER})


def _bad_email(stand: Stand) -> None:
    stand.make(profile={"email": "bad-email@harborcrafts.com"})
    stand.stopped(Stage.PROFILE)
    stand.edit(profile={"email": SECRETS["email"]})


def _wrong_street(stand: Stand) -> None:
    stand.make(profile={"street": "77 Wrong Mews"})
    stand.stopped(Stage.PROFILE)
    stand.edit(profile={"street": SECRETS["street"]})


def _bad_bundle(stand: Stand) -> None:
    stand.make(trust_bundle={"brand_name": "Quillfeather bundle 18602"})
    stand.stopped(Stage.TRUST_BUNDLE)
    stand.edit(trust_bundle={"brand_name": BRAND_NAME})


def _failed_brand(stand: Stand) -> None:
    stand.make(trust_bundle={"brand_name": "Quillfeather fail once 30791"})
    stand.stopped(Stage.BRAND)
    verbs.submit(pipeline.load(stand.pk), actor=stand.actor)


def _failed_brand_and_email(stand: Stand) -> None:
    stand.make(trust_bundle={"brand_name": "Quillfeather fail once 30701"})
    stand.stopped(Stage.BRAND)
    stand.edit(profile={"email": "wilhelmina.quill@harborcrafts.com"})


def _second_otp(stand: Stand) -> None:
    stand.make(trust_bundle={"mobile_phone_number": SILENT})
    stand.run(lambda case: case.stage == Stage.OTP)
    Brand.objects.update(otp_sent_at=clock.now() - timedelta(hours=1))
    one_time_texts.resend(pipeline.load(stand.pk), actor=stand.actor)


def _failed_campaign(stand: Stand) -> None:
    token = " [[once 30893:SAMPLE_MESSAGE_1]]"
    stand.make(campaign={"description": PARTS["campaign"]["description"] + token})
    stand.stopped(Stage.CAMPAIGN)


def _edited_campaign(stand: Stand) -> None:
    _failed_campaign(stand)
    stand.edit(campaign={"description": PARTS["campaign"]["description"] + " Only that."})


def _changed_keywords(stand: Stand) -> None:
    _failed_campaign(stand)
    stand.edit(campaign={"help_keywords": "HELP, ASSIST"})


def _number_to_buy(stand: Stand) -> None:
    case = stand.make(phone_number={"sender_number": "", "area_code": "415"})
    verbs.confirm_purchase(case, actor=stand.actor)


def _lost_campaign(stand: Stand) -> None:
    """It vanished at Twilio, perhaps with its messaging service."""
    stand.make()
    live = stand.run(lambda case: case.stage == Stage.LIVE)
    world = stand.desk.sandbox.world
    with world.lock:
        world.store.delete("Usa2p", live.campaign.service_sid)
    verbs.refresh(live, actor=stand.actor)
    stand.run(lambda case: bool(case.campaign.gone_at) and case.waiting_for == WaitingFor.US)
    verbs.submit(pipeline.load(stand.pk), actor=stand.actor)


def _moved_to_canada(stand: Stand) -> None:
    """The country of an address cannot be changed: address and document are made anew."""
    stand.make(profile={"street": "77 Wrong Mews"})
    stand.stopped(Stage.PROFILE)
    stand.edit(
        profile={
            "street": SECRETS["street"],
            "city": "Toronto",
            "region": "ON",
            "postal_code": "M5V 3L9",
            "iso_country": "CA",
        }
    )


def _brand_failed_late(stand: Stand) -> None:
    """The registry takes back a brand that has a campaign already."""
    stand.make()
    live = stand.run(lambda case: case.stage == Stage.LIVE)
    stand.desk.post(f"brand/{live.brand.sid}", action="reject", code=30799)
    verbs.refresh(live, actor=stand.actor)
    stand.stopped(Stage.BRAND)
    verbs.submit(pipeline.load(stand.pk), actor=stand.actor)


def _take_down_live(stand: Stand) -> None:
    stand.make()
    verbs.remove(stand.run(lambda case: case.stage == Stage.LIVE), actor=stand.actor)


def _take_down_bundle(stand: Stand) -> None:
    """Only what Twilio has not accepted can be deleted (21646)."""
    stand.make(trust_bundle={"brand_name": "Quillfeather bundle 18602"})
    verbs.remove(stand.stopped(Stage.TRUST_BUNDLE), actor=stand.actor)


def _take_down_profile(stand: Stand) -> None:
    stand.make(profile={"email": "bad-email@harborcrafts.com"})
    verbs.remove(stand.stopped(Stage.PROFILE), actor=stand.actor)


def _other_number(stand: Stand) -> None:
    stand.make()
    live = stand.run(lambda case: case.stage == Stage.LIVE)
    assert live.stage == Stage.LIVE, live.reason
    stand.edit(phone_number={"sender_number": OTHER_NUMBER_SID})


RECIPES: dict[str, Callable[[Stand], None]] = {
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
    # Taking a case down.
    "remove.number": _take_down_live,
    "remove.campaign": _take_down_live,
    "remove.service": _take_down_live,
    "remove.brand": _take_down_live,
    "remove.trust_bundle": _take_down_bundle,
    "remove.sole_proprietor": _take_down_bundle,
    "remove.profile": _take_down_profile,
    "remove.document": _take_down_profile,
    "remove.address": _take_down_profile,
    "remove.person": _take_down_profile,
}


def personal_data_in(value: Any) -> list[str]:
    """The customer's own data that occur in a JSON-like value; for ledger, timeline and messages."""
    text = json.dumps(value, default=str).lower()
    return [item for item in (*SECRETS.values(), AUTO_YES, BRAND_NAME) if item.lower() in text]


def steps(stand: Stand) -> list[str]:
    """The slugs of all attempts of the case, in their order."""
    runs = StepRun.objects.filter(registration_id=stand.pk).order_by("id")
    return list(runs.values_list("step", flat=True))


def calls(stand: Stand, method: str, path: str) -> list[dict[str, Any]]:
    """What Twilio was asked with this method and this in the path."""
    return [entry for entry in stand.desk.log() if entry["method"] == method and path in entry["path"]]


def at_otp(case: Registration) -> bool:
    return case.stage == Stage.OTP


def new_calls(stand: Stand, seen: int) -> list[str]:
    """What was written after the first `seen` writes, without SIDs: "POST EndUsers/…" is a change of one."""
    found = []
    for entry in stand.desk.writes()[seen:]:
        parts = entry["path"].removesuffix(".json").split("/")
        names = [
            part for part in parts if part[:2] not in ("BU", "BN", "MG", "QE", "IT", "AD", "BV", "PN", "AC")
        ]
        found.append(f"{entry['method']} {names[-1]}" + ("/…" if parts[-1] != names[-1] else ""))
    return found
