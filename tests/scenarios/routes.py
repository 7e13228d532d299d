"""For each catalogue entry: where it comes up, how to make the sandbox produce it, and what resolves it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from registrations.models.choices import Stage, WaitingFor
from registrations.twilio.rejections import Failure
from registrations.workflow.steps import conditions
from tests.scenarios.start_states import Session

from . import pages

Provoke = Callable[[Session, Failure, str], str]


def _us(registration: Any) -> bool:
    return bool(registration.waiting_for == WaitingFor.US)


@dataclass(frozen=True)
class Route:
    """One route through one entry.

    start: name of the start state. provoke: makes the sandbox reject, runs until we know, returns Twilio's text.
    accepted_at: the step or stage that shows that Twilio has accepted. only: the inputs to change; None: all of the
    entry's. actions: the expected writes, when they differ from what the entry promises for that start state.
    refused: the call that was refused, as a pattern of its path; the walkthrough continues after it.
    """

    failure: Failure
    start: str
    provoke: Provoke
    accepted_at: str | Stage
    name: str = ""
    only: tuple[str, ...] | None = None
    actions: tuple[str, ...] | None = None
    refused: str = ""

    @property
    def id(self) -> str:
        return self.failure.key + (f"-{self.name}" if self.name else "")


# What shows that Twilio has accepted: the next step, or the stage that is reached.
ACCEPTED_AT: dict[str, str | Stage] = {
    "start": "trust_bundle.create",
    "profile": "trust_bundle.create",
    "trust_bundle": "number.resolve",
    "brand": Stage.OTP,
    "otp": "campaign.create_service",
    "campaign": "number.attach",
    "live": Stage.LIVE,
}


# --- an evaluation --------------------------------------------------------------------------------------------
def by_evaluation(session: Session, failure: Failure, words: str) -> str:
    """Stop before the evaluation and tell the sandbox what it will find."""
    session.hold_before("profile.evaluate")
    session.go()
    # When Twilio misses what we have attached, we evaluate again before we believe it.
    finding = {"code": failure.code, "reason": words, "times": conditions.EVALUATIONS}
    if failure.key == "evaluation_supporting_bundle":
        finding["field"] = "bundle_sid"
    if failure.code in (22215, 22217, 22218):
        finding["times"] = 1
    session.post(f"profile/{session.registration.profile.sid}", action="finding", **finding)
    session.release()
    session.go(_us, within=timedelta(minutes=5))
    return words


# --- a bundle -------------------------------------------------------------------------------------------------
def by_reason(session: Session, failure: Failure, words: str) -> str:
    """Twilio gives a reason without a code, only in the status callback."""
    words = f"{failure.texts[0]}."
    prefix = "[address_sids] - " if "postal" in failure.explanation + failure.title.lower() else ""
    session.post(f"profile/{session.registration.profile.sid}", action="reject", reason=prefix + words)
    session.go(_us)
    return failure.texts[0]


def by_bundle_code(session: Session, failure: Failure, words: str) -> str:
    part = (
        session.registration.trust_bundle
        if session.registration.trust_bundle.sid
        else session.registration.profile
    )
    session.post(f"bundle/{part.sid}", action="reject", code=failure.code)
    session.go(_us)
    return ""


def by_bare_rejection(session: Session, failure: Failure, words: str) -> str:
    session.post(f"profile/{session.registration.profile.sid}", action="set", status="twilio-rejected")
    session.go(_us)
    return ""


# --- brand and campaign ---------------------------------------------------------------------------------------
def item(code: int, words: str, fields: list[str]) -> dict[str, Any]:
    """One of `errors[]`, in one of the two spellings that Twilio uses (docs/twilio.md section 4.1 and 5.1)."""
    link = f"https://www.twilio.com/docs/api/errors/{code}"
    if code % 2:
        return {"error_code": code, "description": words, "url": link, "fields": fields}
    return {
        "registrationerrorcode": code,
        "registrationerrordescription": words,
        "registrationerrorurl": link,
        "registrationerrorfields": fields,
    }


def _look(session: Session) -> None:
    pages.press(session, "refresh")
    session.go(_us)


def by_brand(session: Session, failure: Failure, words: str) -> str:
    path = f"brand/{session.registration.brand.sid}"
    session.post(path, action="reject", code=failure.code)
    session.post(path, action="set", errors=[item(failure.code or 0, words, [])])
    _look(session)
    return words


def by_brand_state(status: str) -> Provoke:
    def provoke(session: Session, failure: Failure, words: str) -> str:
        path = f"brand/{session.registration.brand.sid}"
        session.post(path, action="reject", code=30799)
        errors = [item(failure.code, words, [])] if failure.code else []
        session.post(path, action="set", status=status, errors=errors)
        _look(session)
        return words if failure.code else ""

    return provoke


def by_control(part: str, action: str) -> Provoke:
    """What Twilio decides about a brand or campaign with a status of its own."""

    def provoke(session: Session, failure: Failure, words: str) -> str:
        sid = session.registration.brand.sid if part == "brand" else session.registration.campaign.service_sid
        session.post(f"{part}/{sid}", action=action)
        _look(session)
        return ""

    return provoke


def by_lost_brand(session: Session, failure: Failure, words: str) -> str:
    """It failed, and then the registry no longer has it."""
    by_brand(session, failure, words)
    session.post(f"brand/{session.registration.brand.sid}", action="delete")
    pages.press(session, "refresh")
    session.go(lambda registration: bool(registration.brand.missing_since))
    return words


def by_refused_update(session: Session, failure: Failure, words: str) -> str:
    """The brand failed for a temporary reason, and Twilio refuses to resubmit it."""
    _brand_failed(session)
    pattern = r"/BrandRegistrations/BN\w+$"
    session.fault(method="POST", path=pattern, action="error", status=400, code=failure.code, message=words)
    assert pages.submit(session)
    session.go(_us)
    return words


def _brand_failed(session: Session) -> None:
    session.post(f"brand/{session.registration.brand.sid}", action="reject", code=30791)
    _look(session)


def by_silence(session: Session, failure: Failure, words: str) -> str:
    """The customer does not answer within 24 hours."""
    session.time.shift(24 * 3600 + 60)
    session.client.force_login(session.user)
    pages.press(session, "refresh")
    session.go(lambda registration: bool(registration.brand.errors))
    return "Invalid or expired OTP"


def by_campaign(session: Session, failure: Failure, words: str) -> str:
    fields = ["TERMS_AND_CONDITIONS_URL"] if failure.key == "30882_url" else []
    path = f"campaign/{session.registration.campaign.service_sid}"
    session.post(path, action="reject", code=failure.code, fields=fields)
    session.post(path, action="set", errors=[item(failure.code or 0, words, fields)])
    _look(session)
    return words


def by_campaign_state(status: str) -> Provoke:
    def provoke(session: Session, failure: Failure, words: str) -> str:
        path = f"campaign/{session.registration.campaign.service_sid}"
        session.post(path, action="reject", code=30886)
        errors = [item(failure.code, words, [])] if failure.code else []
        session.post(path, action="set", campaign_status=status, errors=errors)
        _look(session)
        return words if failure.code else ""

    return provoke


# --- a number -------------------------------------------------------------------------------------------------
def by_event(action: str) -> Provoke:
    """Only events report a number's state; the reason is a link to the error dictionary."""

    def provoke(session: Session, failure: Failure, words: str) -> str:
        session.post(f"number/{session.registration.phone_number.sid}", action=action, code=failure.code or 0)
        session.run_now()
        session.go(_us)
        return ""

    return provoke


def by_bare_event(session: Session, failure: Failure, words: str) -> str:
    """The registration failed, and the event has no link to a reason."""
    session.post(f"number/{session.registration.phone_number.sid}", action="fail", code=0)
    session.run_now()
    session.go(_us)
    return ""


# --- a call that is refused at once -----------------------------------------------------------------------------
def by_refusal(method: str, path: str, status: int = 400, times: int = 1, words: str = "") -> Provoke:
    def provoke(session: Session, failure: Failure, told: str) -> str:
        told = words or told
        session.fault(
            method=method,
            path=path,
            action="error",
            status=status,
            code=failure.code,
            times=times,
            message=told,
        )
        if session.registration.stage == "otp":
            session.answer_yes()
            pages.press(session, "refresh")
        session.go(_us)
        return told

    return provoke
