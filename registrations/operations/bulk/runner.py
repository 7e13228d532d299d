"""Runs a batch: selected, previewed in portions (the dry run), confirmed, run row by row.

Every row is settled in the transaction that ran it, and only while it is still to run, so neither a killed worker nor
two workers at once run a row twice.
"""

import logging
import time
import traceback
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db import DatabaseError, transaction

from registrations.core import clock
from registrations.models import Batch, BatchItem, Registration
from registrations.models.choices import ItemState, JobState
from registrations.operations import actions
from registrations.twilio.client.redaction import redact_trace

from . import background_job, notices
from .action import BulkAction, Candidate, Preview, load_candidates, skip
from .actions import LISTED_ACTIONS
from .group_edit import GROUP_EDIT
from .limit_forecast import LimitForecast

log = logging.getLogger(__name__)

ACTIONS: dict[str, BulkAction] = {action.slug: action for action in (*LISTED_ACTIONS, GROUP_EDIT)}
# More at once is nearly always a mistake; the lists can be filtered.
MAX_REGISTRATIONS = 100_000
# Rows that one portion of the job adds, previews, or runs. Between two portions the lease is renewed.
ADD_AT_ONCE, PREVIEW_AT_ONCE, RUN_AT_ONCE = 5000, 200, 10
EDITED = "Edited since the dry run, so it was not sent. Check it, then submit it again."


class TooMany(Exception):
    """More registrations than one batch takes; the message says so."""


# --- what a person does -------------------------------------------------------------------------------------------
def start(
    kind: str,
    selected: Iterable[int],
    *,
    user: Any,
    params: Mapping[str, Any] | None = None,
    query: str = "",
) -> Batch:
    """Create a batch of the action `kind` for these registration ids, and have a worker make its dry run.

    Quick for any number of ids: they are kept in one column, and the job creates the rows.
    """
    pks = sorted(set(selected))
    if len(pks) > MAX_REGISTRATIONS:
        raise TooMany(
            f"At most {MAX_REGISTRATIONS:,} registrations at once; you selected {len(pks):,}. Filter the list."
        )
    with transaction.atomic():
        batch = Batch.objects.create(
            kind=ACTIONS[kind].slug,
            params={**(params or {}), "chosen": pks},
            query=query,
            user=user,
            actor=user.get_username()[:150],
            total=len(pks),
        )
        background_job.start(batch)
    return batch


def confirm(batch: Batch, *, user: Any, inputs: Mapping[str, Any] | None = None) -> None:
    """Run what the dry run showed, in the name of the person who confirms. Confirming twice is harmless."""
    with transaction.atomic():
        current = Batch.objects.select_for_update().get(pk=batch.pk)
        if current.state == JobState.READY:
            current.params = {**current.params, **(inputs or {})}
            current.user, current.actor = user, user.get_username()[:150]
            current.save(update_fields=["params", "user", "actor"])
        background_job.confirm(current)


def cancel(batch: Batch, *, user: Any) -> None:
    background_job.cancel(batch, actor=user.get_username())


def restart(batch: Batch) -> None:
    """Continue with the rows that are left. A dry run that nobody confirmed starts over."""
    with transaction.atomic():
        if not batch.confirmed_at:
            batch.items.exclude(state=ItemState.NEW).update(state=ItemState.NEW, text="", fee=None)
            _save_params(batch, rate_limited_calls={})
        background_job.restart(batch)


# --- the job ------------------------------------------------------------------------------------------------------
def advance(pk: int) -> None:
    """The job: work on a batch for a limited time; does nothing if another worker has it."""
    background_job.advance(Batch, pk, _portion)


def _portion(batch: Batch) -> bool:
    if batch.state == JobState.RUNNING:
        return _run_items(batch)
    return _add_items(batch) if batch.params.get("chosen") else _preview_items(batch)


def _save_params(batch: Batch, **params: Any) -> None:
    batch.params = {**batch.params, **params}
    Batch.objects.filter(pk=batch.pk).update(params=batch.params)


@transaction.atomic
def _add_items(batch: Batch) -> bool:
    """Create rows for the next selected registrations that still exist."""
    chosen = batch.params["chosen"]
    pks = Registration.objects.filter(pk__in=chosen[:ADD_AT_ONCE]).order_by("pk").values_list("pk", flat=True)
    BatchItem.objects.bulk_create(
        [BatchItem(batch=batch, registration_id=pk) for pk in pks], batch_size=1000, ignore_conflicts=True
    )
    _save_params(batch, chosen=chosen[ADD_AT_ONCE:])
    return True


def _preview_items(batch: Batch) -> bool:
    """The dry run of the next rows."""
    action = ACTIONS[batch.kind]
    items = {item.registration_id: item for item in batch.items.filter(state=ItemState.NEW)[:PREVIEW_AT_ONCE]}
    if not items:
        background_job.prepared(batch, batch.items.count())
        return False
    rate_limited = dict(batch.params.get("rate_limited_calls") or {})
    # Most rows of a portion share a few outcomes: one UPDATE per outcome is far quicker than one per row.
    same_outcome: dict[tuple[ItemState, str, Decimal | None, int], list[int]] = {}
    candidates = load_candidates(items)
    forecast = LimitForecast(batch, candidates if action.submits else [])
    for candidate in candidates:
        preview = _preview(batch, action, forecast.applied_to(candidate))
        if preview.will_run and action.submits:
            forecast.add(candidate.registration)
        state = ItemState.WILL if preview.will_run else ItemState.SKIPPED
        fee = preview.fee if preview.will_run else None
        outcome = (state, preview.text, fee, candidate.registration.revision)
        same_outcome.setdefault(outcome, []).append(items[candidate.registration.pk].pk)
        for limit, calls in preview.rate_limited_calls.items():
            rate_limited[limit] = rate_limited.get(limit, 0) + calls
    with transaction.atomic():
        for (state, text, fee, revision), pks in same_outcome.items():
            BatchItem.objects.filter(pk__in=pks).update(state=state, text=text, fee=fee, revision=revision)
        _save_params(batch, rate_limited_calls=rate_limited)
    return True


def _preview(batch: Batch, action: BulkAction, candidate: Candidate) -> Preview:
    try:
        return action.preview(candidate, batch.params)
    except DatabaseError:
        raise
    except Exception as error:
        return skip(_log_error(batch, candidate.registration.pk, error))


def _run_items(batch: Batch) -> bool:
    pks = list(batch.items.filter(state=ItemState.WILL).values_list("pk", flat=True)[:RUN_AT_ONCE])
    for pk in pks:
        if not Batch.objects.filter(pk=batch.pk, state=JobState.RUNNING).exists():
            return False  # cancelled
        began = time.monotonic()
        _run_item(batch, pk)
        background_job.pause_for_other_writers(began)
    if pks:
        return True
    _finish(batch)
    return False


@transaction.atomic
def _finish(batch: Batch) -> None:
    background_job.finished(batch)
    batch.refresh_from_db()
    if batch.state == JobState.DONE:
        action = ACTIONS[batch.kind]
        if action.on_finished:
            action.on_finished(batch)
        notices.notify_batch_done(batch, action.label)


@transaction.atomic
def _run_item(batch: Batch, pk: int) -> None:
    """Run one row and save its outcome, both or neither."""
    item = BatchItem.objects.select_for_update().filter(pk=pk, state=ItemState.WILL).first()
    if item is None:
        return
    try:
        with transaction.atomic():
            item.state, item.text = _attempt(batch, item)
    except actions.Refused as refusal:
        item.state, item.text = ItemState.SKIPPED, str(refusal)
    except DatabaseError:
        raise  # The row's state is unknown: the whole batch stops and can be restarted.
    except Exception as error:
        item.state, item.text = ItemState.FAILED, _log_error(batch, item.registration_id, error)
    if item.state == ItemState.SKIPPED:
        item.fee = None
    item.finished_at = clock.now()
    item.save(update_fields=["state", "text", "fee", "finished_at"])


def _attempt(batch: Batch, item: BatchItem) -> tuple[ItemState, str]:
    """Previews once more, on the locked registration: the dry run may be a day old."""
    action = ACTIONS[batch.kind]
    Registration.objects.select_for_update().get(pk=item.registration_id)
    [candidate] = load_candidates([item.registration_id])
    preview = action.preview(candidate, batch.params)
    if not preview.will_run:
        return ItemState.SKIPPED, preview.text
    if action.submits and item.revision not in (None, candidate.registration.revision):
        return ItemState.SKIPPED, EDITED
    if action.must_match_preview and preview.text != item.text:
        return ItemState.SKIPPED, f"Changed since the dry run. {preview.text} Check it again."
    agreed = item.fee or Decimal(0)
    if preview.fee > agreed:
        text = f"It would now cost up to ${preview.fee:.2f}; ${agreed:.2f} was agreed to. Check it again."
        return ItemState.SKIPPED, text
    return ItemState.DONE, action.run(candidate.registration, batch)


def _log_error(batch: Batch, pk: int, error: Exception) -> str:
    """Logs an internal error without personal data; returns the row's text."""
    trace = redact_trace("".join(traceback.format_exception(error)))
    log.error("batch %s, registration %s: %s", batch.pk, pk, trace)
    return f"Internal error ({type(error).__name__}). The log has the details."
