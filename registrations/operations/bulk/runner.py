"""How a batch goes: chosen, judged in chunks (the dry run), confirmed, done row by row.

Every row is settled in the transaction that did it, and only while it is still to be done, so neither a killed
worker nor two workers at once do a row twice.
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
from .action import BulkAct, Sight, Verdict, look, skip
from .actions import TABLE
from .group_edit import GROUP_EDIT
from .limit_forecast import Ahead

log = logging.getLogger(__name__)

ACTS: dict[str, BulkAct] = {act.slug: act for act in (*TABLE, GROUP_EDIT)}
# More at once is nearly always a mistake; the lists can be filtered.
MOST = 100_000
# What one portion of the job does; between two portions the lease is renewed.
ENTERED, JUDGED, DONE = 5000, 200, 10
EDITED = "Somebody has edited it since the dry run, so it was not sent. Look at it, then submit it again."


class TooMany(Exception):
    """More rows than one batch takes; the message says so."""


# --- what a person does -------------------------------------------------------------------------------------------
def start(
    kind: str, chosen: Iterable[int], *, user: Any, params: Mapping[str, Any] | None = None, query: str = ""
) -> Batch:
    """Have a worker make the dry run of an act on these registrations (keys of registrations).

    Quick however many there are: the keys are kept in one column, and the job makes the rows.
    """
    pks = sorted(set(chosen))
    if len(pks) > MOST:
        raise TooMany(f"At most {MOST:,} registrations at once; these are {len(pks):,}. Filter the list.")
    with transaction.atomic():
        batch = Batch.objects.create(
            kind=ACTS[kind].slug,
            params={**(params or {}), "chosen": pks},
            query=query,
            user=user,
            actor=user.get_username()[:150],
            total=len(pks),
        )
        background_job.start(batch)
    return batch


def confirm(batch: Batch, *, user: Any, inputs: Mapping[str, Any] | None = None) -> None:
    """Do what the dry run showed, in the name of who confirms. Pressing it twice is harmless."""
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
    """Go on with the rows that are left. A dry run that nobody confirmed is made anew."""
    with transaction.atomic():
        if not batch.confirmed_at:
            batch.items.exclude(state=ItemState.NEW).update(state=ItemState.NEW, text="", fee=None)
            _keep(batch, paced={})
        background_job.restart(batch)


# --- the job --------------------------------------------------------------------------------------------------------
def advance(pk: int) -> None:
    """The job: carry a batch on for a bounded time; a no-op when another worker is at it."""
    background_job.advance(Batch, pk, _portion)


def _portion(batch: Batch) -> bool:
    if batch.state == JobState.RUNNING:
        return _run(batch)
    return _enter(batch) if batch.params.get("chosen") else _judge(batch)


def _keep(batch: Batch, **params: Any) -> None:
    batch.params = {**batch.params, **params}
    Batch.objects.filter(pk=batch.pk).update(params=batch.params)


@transaction.atomic
def _enter(batch: Batch) -> bool:
    """Rows for the next of the chosen registrations; those that were deleted meanwhile are left out."""
    chosen = batch.params["chosen"]
    alive = Registration.objects.filter(pk__in=chosen[:ENTERED]).order_by("pk").values_list("pk", flat=True)
    BatchItem.objects.bulk_create(
        [BatchItem(batch=batch, registration_id=pk) for pk in alive], batch_size=1000, ignore_conflicts=True
    )
    _keep(batch, chosen=chosen[ENTERED:])
    return True


def _judge(batch: Batch) -> bool:
    """The dry run of the next rows."""
    act = ACTS[batch.kind]
    items = {item.registration_id: item for item in batch.items.filter(state=ItemState.NEW)[:JUDGED]}
    if not items:
        background_job.prepared(batch, batch.items.count())
        return False
    paced = dict(batch.params.get("paced") or {})
    # Most rows of a chunk share a few outcomes: an UPDATE for each of those is far quicker than one by row.
    alike: dict[tuple[ItemState, str, Decimal | None, int], list[int]] = {}
    sights = look(items)
    ahead = Ahead(batch, sights if act.goes_on else [])
    for sight in sights:
        verdict = _verdict(batch, act, ahead.seen(sight))
        if verdict.will and act.goes_on:
            ahead.add(sight.registration)
        state = ItemState.WILL if verdict.will else ItemState.SKIPPED
        outcome = (state, verdict.text, verdict.fee if verdict.will else None, sight.registration.revision)
        alike.setdefault(outcome, []).append(items[sight.registration.pk].pk)
        for limit, calls in verdict.paced.items():
            paced[limit] = paced.get(limit, 0) + calls
    with transaction.atomic():
        for (state, text, fee, revision), pks in alike.items():
            BatchItem.objects.filter(pk__in=pks).update(state=state, text=text, fee=fee, revision=revision)
        _keep(batch, paced=paced)
    return True


def _verdict(batch: Batch, act: BulkAct, sight: Sight) -> Verdict:
    try:
        return act.judge(sight, batch.params)
    except DatabaseError:
        raise
    except Exception as error:
        return skip(_defect(batch, sight.registration.pk, error))


def _run(batch: Batch) -> bool:
    pks = list(batch.items.filter(state=ItemState.WILL).values_list("pk", flat=True)[:DONE])
    for pk in pks:
        if not Batch.objects.filter(pk=batch.pk, state=JobState.RUNNING).exists():
            return False  # cancelled
        began = time.monotonic()
        _do(batch, pk)
        background_job.make_way(began)
    if pks:
        return True
    _finish(batch)
    return False


@transaction.atomic
def _finish(batch: Batch) -> None:
    background_job.finished(batch)
    batch.refresh_from_db()
    if batch.state == JobState.DONE:
        act = ACTS[batch.kind]
        if act.ended:
            act.ended(batch)
        notices.notify_batch_done(batch, act.label)


@transaction.atomic
def _do(batch: Batch, pk: int) -> None:
    """One row and its outcome, together or not at all."""
    item = BatchItem.objects.select_for_update().filter(pk=pk, state=ItemState.WILL).first()
    if item is None:
        return
    try:
        with transaction.atomic():
            item.state, item.text = _attempt(batch, item)
    except actions.Refused as refusal:
        item.state, item.text = ItemState.SKIPPED, str(refusal)
    except DatabaseError:
        raise  # nothing is known of the row: the work stops as a whole, and can be started again
    except Exception as error:
        item.state, item.text = ItemState.FAILED, _defect(batch, item.registration_id, error)
    if item.state == ItemState.SKIPPED:
        item.fee = None
    item.finished_at = clock.now()
    item.save(update_fields=["state", "text", "fee", "finished_at"])


def _attempt(batch: Batch, item: BatchItem) -> tuple[ItemState, str]:
    """Judged once more, on the very revision that it is done to: the dry run may be a day old."""
    act = ACTS[batch.kind]
    Registration.objects.select_for_update().get(pk=item.registration_id)
    [sight] = look([item.registration_id])
    verdict = act.judge(sight, batch.params)
    if not verdict.will:
        return ItemState.SKIPPED, verdict.text
    if act.goes_on and item.revision not in (None, sight.registration.revision):
        return ItemState.SKIPPED, EDITED
    if act.as_told and verdict.text != item.text:
        return ItemState.SKIPPED, f"It has changed since the dry run. {verdict.text} Look at it again."
    agreed = item.fee or Decimal(0)
    if verdict.fee > agreed:
        return (
            ItemState.SKIPPED,
            f"It would cost up to ${verdict.fee:.2f} now; ${agreed:.2f} was agreed to. Look at it again.",
        )
    return ItemState.DONE, act.do(sight.registration, batch)


def _defect(batch: Batch, pk: int, error: Exception) -> str:
    log.error(
        "batch %s, registration %s: %s",
        batch.pk,
        pk,
        redact_trace("".join(traceback.format_exception(error))),
    )
    return f"An error of ours ({type(error).__name__}). An engineer finds the details in the log."
