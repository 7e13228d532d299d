"""Registrations as JSON lines: where each stands, for scripts and monitors. Reads only; asks Twilio nothing."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Prefetch, QuerySet

from registrations.models import ApiCall, Registration
from registrations.models.choices import OPEN_CALL_STATES
from registrations.workflow.planner.attempts import Attempts
from registrations.workflow.planner.problems import problems

CHUNK = 500

# Key in the output -> (mirror, column).
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
    """One plain dict per registration (see `line`), streamed: two queries for each CHUNK of selected."""
    heavy = ("request_params", "request", "response", "error_details", "traceback")
    ledger = Prefetch("api_calls", ApiCall.objects.order_by("id").defer(*heavy), to_attr="ledger")
    selected = registrations.select_related(*Registration.PARTS).prefetch_related(ledger)
    for registration in selected.iterator(chunk_size=CHUNK):
        attempts: list[ApiCall] = getattr(registration, "ledger")  # noqa: B009 (made by the prefetch)
        opened = next((run for run in attempts if run.state in OPEN_CALL_STATES), None)
        yield line(registration, Attempts(opened, {run.step: run for run in attempts}))


def line(registration: Registration, attempts: Attempts | None = None) -> dict[str, Any]:
    """id, external_id, label, stage, waiting_for, reason, errors, sids, statuses and the times that matter.

    SIDs and statuses are "" until Twilio has given them; statuses are Twilio's own words. `statuses.number`
    is the A2P state of the number, which only events report. Times are datetimes or None.
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
    """What Twilio holds against the registration now: code (or None), its words, the inputs concerned, the part."""
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
    return {
        key: getattr(getattr(registration, resource), column) for key, (resource, column) in table.items()
    }
