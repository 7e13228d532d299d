"""Twilio's two policies, fetched once and stored: what the bundles must contain.

Registrations that start together do not all fetch them: a worker claims a policy by a conditional UPDATE that makes
it look fresh for a minute. The others continue without it; the evaluation reports the same gaps later.
"""

from datetime import timedelta
from typing import Any

from registrations.core import clock
from registrations.models import Policy, Registration
from registrations.twilio.client import SOLE_PROPRIETOR_POLICY_SID, STARTER_POLICY_SID, TwilioClient, errors

from . import payloads

REFRESH_AFTER = timedelta(days=7)
CLAIM = timedelta(minutes=1)  # for one fetch; if its worker dies, another one may fetch after that
POLICY_SIDS = (STARTER_POLICY_SID, SOLE_PROPRIETOR_POLICY_SID)


def policies_needed(registration: Registration) -> bool:
    if registration.profile.sid:
        return False
    fresh = Policy.objects.filter(sid__in=POLICY_SIDS, fetched_at__gt=clock.now() - REFRESH_AFTER).count()
    return fresh < len(POLICY_SIDS)


def learn_policies(client: TwilioClient, registration: Registration) -> dict[str, Any]:
    """Fetch those that no other worker is fetching.

    A policy that Twilio does not find is stored as empty: the evaluation decides, not we.
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

    Only the end-user types that we fill in are compared: Twilio's guide shows another policy's body under the
    starter policy's SID, so an unknown type proves no gap.
    """
    have = {
        "starter_customer_profile_information": payloads.person(registration),
        "sole_proprietor_information": payloads.sole_proprietor(registration),
    }
    if all(value for filled in have.values() for value in filled.values()):
        return ""  # nothing can be missing: no need to read the policies
    missing: list[str] = []
    for policy in Policy.objects.filter(sid__in=POLICY_SIDS):
        for end_user_type, fields in required_fields(policy.payload).items():
            if end_user_type in have:
                missing += [
                    name for name in fields if name in have[end_user_type] and not have[end_user_type][name]
                ]
    if not missing:
        return ""
    return f"Twilio's policy requires: {', '.join(sorted(set(missing)))}. Fill in the missing fields, then submit."


def required_fields(payload: dict) -> dict[str, list[str]]:
    """{end-user type: its field names} of a policy body; unexpected shapes are skipped."""
    requirements = payload.get("requirements")
    end_users = requirements.get("end_user") if isinstance(requirements, dict) else None
    return {
        str(end_user.get("type")): [name for name in end_user.get("fields") or [] if isinstance(name, str)]
        for end_user in (end_users if isinstance(end_users, list) else [])
        if isinstance(end_user, dict)
    }
