"""For each catalogue entry: where Twilio reports it, how to make the sandbox do so, and what resolves it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from registrations.models.choices import Stage, WaitingFor
from registrations.twilio.rejections import Failure
from registrations.workflow.steps import conditions
from tests.scenarios.scenes import Play

from . import pages

Meet = Callable[[Play, Failure, str], str]


def _us(registration: Any) -> bool:
    return bool(registration.waiting_for == WaitingFor.US)


@dataclass(frozen=True)
class Way:
    """One test of one entry.

    scene: where the registration stands. meet: makes Twilio report the entry, runs until we know, and returns Twilio's
    words. beyond: what shows that Twilio accepted the fix. only: the inputs to change; None for all of the entry's.
    actions: what must be written, if it differs from what the entry promises for that scene. refused: the rejected
    call, as a pattern of its path; the walkthrough continues after it.
    """

    failure: Failure
    scene: str
    meet: Meet
    beyond: str | Stage
    name: str = ""
    only: tuple[str, ...] | None = None
    actions: tuple[str, ...] | None = None
    refused: str = ""

    @property
    def id(self) -> str:
        return self.failure.key + (f"-{self.name}" if self.name else "")


# What shows that Twilio accepted: the step that comes next, or the stage reached.
BEYOND: dict[str, str | Stage] = {
    "start": "trust_bundle.create",
    "profile": "trust_bundle.create",
    "trust_bundle": "number.resolve",
    "brand": Stage.OTP,
    "otp": "campaign.create_service",
    "campaign": "number.attach",
    "live": Stage.LIVE,
}


# --- an evaluation --------------------------------------------------------------------------------------------
def by_evaluation(play: Play, failure: Failure, words: str) -> str:
    """Stopped before the evaluation, to set what the sandbox will find."""
    play.hold_before("profile.evaluate")
    play.go()
    # If Twilio misses what we attached, the evaluation repeats automatically before it is final.
    finding = {"code": failure.code, "reason": words, "times": conditions.EVALUATIONS}
    if failure.key == "evaluation_supporting_bundle":
        finding["field"] = "bundle_sid"
    if failure.code in (22215, 22217, 22218):
        finding["times"] = 1
    play.post(f"profile/{play.registration.profile.sid}", action="finding", **finding)
    play.release()
    play.go(_us, within=timedelta(minutes=5))
    return words


# --- a bundle -------------------------------------------------------------------------------------------------
def by_reason(play: Play, failure: Failure, words: str) -> str:
    """Twilio gives a reason without a code, in the status callback alone."""
    words = f"{failure.texts[0]}."
    prefix = "[address_sids] - " if "postal" in failure.explanation + failure.title.lower() else ""
    play.post(f"profile/{play.registration.profile.sid}", action="reject", reason=prefix + words)
    play.go(_us)
    return failure.texts[0]


def by_bundle_code(play: Play, failure: Failure, words: str) -> str:
    part = play.registration.trust_bundle if play.registration.trust_bundle.sid else play.registration.profile
    play.post(f"bundle/{part.sid}", action="reject", code=failure.code)
    play.go(_us)
    return ""


def by_bare_rejection(play: Play, failure: Failure, words: str) -> str:
    play.post(f"profile/{play.registration.profile.sid}", action="set", status="twilio-rejected")
    play.go(_us)
    return ""


# --- brand and campaign ---------------------------------------------------------------------------------------
def item(code: int, words: str, fields: list[str]) -> dict[str, Any]:
    """One of `errors[]`, in one of the two spellings that are in use (docs/twilio.md section 4.1 and 5.1)."""
    link = f"https://www.twilio.com/docs/api/errors/{code}"
    if code % 2:
        return {"error_code": code, "description": words, "url": link, "fields": fields}
    return {
        "registrationerrorcode": code,
        "registrationerrordescription": words,
        "registrationerrorurl": link,
        "registrationerrorfields": fields,
    }


def _poll(play: Play) -> None:
    pages.press(play, "refresh")
    play.go(_us)


def by_brand(play: Play, failure: Failure, words: str) -> str:
    path = f"brand/{play.registration.brand.sid}"
    play.post(path, action="reject", code=failure.code)
    play.post(path, action="set", errors=[item(failure.code or 0, words, [])])
    _poll(play)
    return words


def by_brand_state(status: str) -> Meet:
    def meet(play: Play, failure: Failure, words: str) -> str:
        path = f"brand/{play.registration.brand.sid}"
        play.post(path, action="reject", code=30799)
        errors = [item(failure.code, words, [])] if failure.code else []
        play.post(path, action="set", status=status, errors=errors)
        _poll(play)
        return words if failure.code else ""

    return meet


def by_control(part: str, action: str) -> Meet:
    """A status that Twilio sets on a brand or campaign."""

    def meet(play: Play, failure: Failure, words: str) -> str:
        sid = play.registration.brand.sid if part == "brand" else play.registration.campaign.service_sid
        play.post(f"{part}/{sid}", action=action)
        _poll(play)
        return ""

    return meet


def by_lost_brand(play: Play, failure: Failure, words: str) -> str:
    """It failed, and then the registry no longer has it."""
    by_brand(play, failure, words)
    play.post(f"brand/{play.registration.brand.sid}", action="delete")
    pages.press(play, "refresh")
    play.go(lambda registration: bool(registration.brand.missing_since))
    return words


def by_refused_update(play: Play, failure: Failure, words: str) -> str:
    """The brand failed for a temporary reason; Twilio rejects resubmitting it."""
    _brand_failed(play)
    pattern = r"/BrandRegistrations/BN\w+$"
    play.fault(method="POST", path=pattern, action="error", status=400, code=failure.code, message=words)
    assert pages.submit(play)
    play.go(_us)
    return words


def _brand_failed(play: Play) -> None:
    play.post(f"brand/{play.registration.brand.sid}", action="reject", code=30791)
    _poll(play)


def by_silence(play: Play, failure: Failure, words: str) -> str:
    """The customer does not answer within 24 hours."""
    play.traveler.shift(24 * 3600 + 60)
    play.client.force_login(play.user)
    pages.press(play, "refresh")
    play.go(lambda registration: bool(registration.brand.errors))
    return "Invalid or expired OTP"


def by_campaign(play: Play, failure: Failure, words: str) -> str:
    fields = ["TERMS_AND_CONDITIONS_URL"] if failure.key == "30882_url" else []
    path = f"campaign/{play.registration.campaign.service_sid}"
    play.post(path, action="reject", code=failure.code, fields=fields)
    play.post(path, action="set", errors=[item(failure.code or 0, words, fields)])
    _poll(play)
    return words


def by_campaign_state(status: str) -> Meet:
    def meet(play: Play, failure: Failure, words: str) -> str:
        path = f"campaign/{play.registration.campaign.service_sid}"
        play.post(path, action="reject", code=30886)
        errors = [item(failure.code, words, [])] if failure.code else []
        play.post(path, action="set", campaign_status=status, errors=errors)
        _poll(play)
        return words if failure.code else ""

    return meet


# --- a number -------------------------------------------------------------------------------------------------
def by_event(action: str) -> Meet:
    """Only events report a number's status, with a page of the error dictionary as the reason."""

    def meet(play: Play, failure: Failure, words: str) -> str:
        play.post(f"number/{play.registration.phone_number.sid}", action=action, code=failure.code or 0)
        play.run_now()
        play.go(_us)
        return ""

    return meet


def by_bare_event(play: Play, failure: Failure, words: str) -> str:
    """The registration failed, and the event names no page."""
    play.post(f"number/{play.registration.phone_number.sid}", action="fail", code=0)
    play.run_now()
    play.go(_us)
    return ""


# --- a call that is refused at once -----------------------------------------------------------------------------
def by_refusal(method: str, path: str, status: int = 400, times: int = 1, words: str = "") -> Meet:
    def meet(play: Play, failure: Failure, default: str) -> str:
        message = words or default
        play.fault(
            method=method,
            path=path,
            action="error",
            status=status,
            code=failure.code,
            times=times,
            message=message,
        )
        if play.registration.stage == "otp":
            play.answer_yes()
            pages.press(play, "refresh")
        play.go(_us)
        return message

    return meet
