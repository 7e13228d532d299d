"""Twilio's two policies, fetched once and kept: what the bundles must hold.

Registrations that start together do not all fetch them: a worker claims a policy by a conditional UPDATE that makes it
look fresh for a minute. The others go on without it meanwhile; the evaluation says what the policy would have.
"""

from datetime import timedelta
from typing import Any

from registrations.core import clock
from registrations.models import Policy, Registration
from registrations.twilio.client import SOLE_PROPRIETOR_POLICY_SID, STARTER_POLICY_SID, TwilioClient, errors

from . import payloads

REFRESH_AFTER = timedelta(days=7)
CLAIM = timedelta(minutes=1)  # for one fetch; when its worker dies, another one may fetch after that
POLICY_SIDS = (STARTER_POLICY_SID, SOLE_PROPRIETOR_POLICY_SID)


def policies_wanted(registration: Registration) -> bool:
    if registration.profile.sid:
        return False
    fresh = Policy.objects.filter(sid__in=POLICY_SIDS, fetched_at__gt=clock.now() - REFRESH_AFTER).count()
    return fresh < len(POLICY_SIDS)


def learn_policies(client: TwilioClient, registration: Registration) -> dict[str, Any]:
    """Fetch those that nobody is fetching already.

    A policy that Twilio does not show is kept as empty: the evaluation decides, not we.
    """
    for sid in POLICY_SIDS:
        if not _claim(sid):
            continue
        try:
            payload = client.fetch_policy(sid)
        except errors.Rejected as error:
            if not error.not_found:
                _release(sid)
                raise
            payload = {}
        except Exception:
            _release(sid)
            raise
        Policy.objects.filter(sid=sid).update(payload=payload, fetched_at=clock.now())
    return {}


def _claim(sid: str) -> bool:
    stale = clock.now() - REFRESH_AFTER
    Policy.objects.get_or_create(sid=sid, defaults={"fetched_at": stale - CLAIM})
    return bool(Policy.objects.filter(sid=sid, fetched_at__lte=stale).update(fetched_at=stale + CLAIM))


def _release(sid: str) -> None:
    Policy.objects.filter(sid=sid).update(fetched_at=clock.now() - REFRESH_AFTER - CLAIM)


def policy_gaps(registration: Registration) -> str:
    """One sentence naming what the policies require and this registration lacks, or "".

    Only requirements on the end-user types that we fill are compared: Twilio's guide shows a body of another
    policy under the starter policy's SID, so an unknown type is no proof of a gap.
    """
    have = {
        "starter_customer_profile_information": payloads.person(registration),
        "sole_proprietor_information": payloads.sole_proprietor(registration),
    }
    if all(value for filled in have.values() for value in filled.values()):
        return ""  # whatever they ask for, it is there: no need to read them
    missing: list[str] = []
    for policy in Policy.objects.filter(sid__in=POLICY_SIDS):
        for end_user_type, fields in required_fields(policy.payload).items():
            if end_user_type in have:
                missing += [
                    name for name in fields if name in have[end_user_type] and not have[end_user_type][name]
                ]
    if not missing:
        return ""
    return (
        f"Twilio's policy asks for: {', '.join(sorted(set(missing)))}. Fill in what is missing, then submit."
    )


def required_fields(payload: dict) -> dict[str, list[str]]:
    """End-user type -> its field names, from a policy body; odd shapes give nothing rather than an error."""
    requirements = payload.get("requirements")
    rows = requirements.get("end_user") if isinstance(requirements, dict) else None
    return {
        str(step.get("type")): [name for name in step.get("fields") or [] if isinstance(name, str)]
        for step in (rows if isinstance(rows, list) else [])
        if isinstance(step, dict)
    }
