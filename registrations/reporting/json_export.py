"""Registrations as JSON lines with their status, for scripts and monitoring. Only reads; does not call Twilio."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Prefetch, QuerySet

from registrations.models import ApiCall, Registration
from registrations.models.choices import OPEN_CALL_STATES
from registrations.workflow.planner.attempts import Attempts
from registrations.workflow.planner.problems import problems

CHUNK = 500

# {key in the output: (part, column)}
SIDS = {
    "profile": ("profile", "sid"),
    "end_user": ("profile", "end_user_sid"),
    "address": ("profile", "address_sid"),
    "supporting_document": ("profile", "supporting_document_sid"),
    "end_user_assignment": ("profile", "end_user_assignment_sid"),
    "document_assignment": ("profile", "document_assignment_sid"),
    "primary_assignment": ("profile", "primary_assignment_sid"),
    "evaluation": ("profile", "evaluation_sid"),
    "trust_bundle": ("trust_bundle", "sid"),
    "trust_bundle_end_user": ("trust_bundle", "end_user_sid"),
    "trust_bundle_end_user_assignment": ("trust_bundle", "end_user_assignment_sid"),
    "trust_bundle_profile_assignment": ("trust_bundle", "profile_assignment_sid"),
    "trust_bundle_evaluation": ("trust_bundle", "evaluation_sid"),
    "brand": ("brand", "sid"),
    "service": ("campaign", "service_sid"),
    "campaign": ("campaign", "sid"),
    "phone_number": ("phone_number", "sid"),
}
STATUSES = {
    "profile": ("profile", "status"),
    "trust_bundle": ("trust_bundle", "status"),
    "brand": ("brand", "status"),
    "identity": ("brand", "identity_status"),
    "campaign": ("campaign", "status"),
    "number": ("phone_number", "a2p_status"),
}


def export(registrations: QuerySet[Registration]) -> Iterator[dict[str, Any]]:
    """One dict per registration (see `as_dict`), streamed: two queries per CHUNK."""
    long = ("request_params", "request", "response", "error_details", "traceback")
    api_calls = Prefetch("api_calls", ApiCall.objects.order_by("id").defer(*long), to_attr="all_api_calls")
    selected = registrations.select_related(*Registration.PARTS).prefetch_related(api_calls)
    for registration in selected.iterator(chunk_size=CHUNK):
        calls: list[ApiCall] = getattr(registration, "all_api_calls")  # noqa: B009 (set by the prefetch)
        opened = next((call for call in calls if call.state in OPEN_CALL_STATES), None)
        yield as_dict(registration, Attempts(opened, {call.step: call for call in calls}))


def as_dict(registration: Registration, attempts: Attempts | None = None) -> dict[str, Any]:
    """id, external_id, label, stage, waiting_for, reason, errors, sids, statuses and the times that matter.

    SIDs and statuses are "" until Twilio provides them; statuses are Twilio's own. `statuses.number` is the number's
    A2P status, which only events report. Times are datetimes or None.
    """
    return {
        "id": registration.pk,
        "external_id": registration.external_id,
        "label": registration.label,
        "stage": registration.stage,
        "waiting_for": registration.waiting_for,
        "reason": registration.reason,
        "errors": errors(registration, attempts),
        "sids": _columns(registration, SIDS),
        "statuses": _columns(registration, STATUSES),
        "tcr_ids": {"brand": registration.brand.tcr_id, "campaign": registration.campaign.campaign_id},
        "sender": registration.phone_number.phone_number,
        "hold": registration.hold,
        "submitted": registration.is_submitted,
        "stage_since": registration.stage_since,
        "next_run_at": registration.next_run_at,
        "updated_at": registration.updated_at,
    }


def errors(registration: Registration, attempts: Attempts | None = None) -> list[dict[str, Any]]:
    """The open rejections: code (or None), Twilio's message, the affected inputs, the part."""
    return [
        {
            "code": problem.code,
            "message": problem.message or problem.title,
            "fields": list(problem.fields),
            "part": problem.part,
        }
        for problem in problems(registration, attempts)
    ]


def _columns(registration: Registration, table: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {key: getattr(getattr(registration, part), column) for key, (part, column) in table.items()}
