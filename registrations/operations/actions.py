"""What a person can do to a registration. Each action saves, writes to the timeline, and enqueues a job.

Pages and commands call these and nothing else. None of them calls Twilio; the worker does. `actor` is the user name as
text. An action that is not possible now raises Refused with a sentence for the person.
"""

from collections.abc import Collection, Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from registrations.core import clock, queue
from registrations.intake import preflight
from registrations.intake.preflight import gate, online_checks
from registrations.models import Batch, PhoneNumber, Profile, Registration
from registrations.models.choices import Stage
from registrations.workflow import timeline
from registrations.workflow.planner import decisions, plan
from registrations.workflow.recorder import registry_limits
from registrations.workflow.recorder.submissions import labels
from registrations.workflow.runner import runner
from registrations.workflow.steps import WATCHED_PARTS, watch_of
from registrations.workflow.steps.number import purchase_needed

from . import assignment
from .reconciliation import schedule

PREFLIGHT_ADVICE = "Fix this, or submit anyway on the page that shows the plan."

Parts = dict[str, dict[str, Any]]


class Refused(Exception):
    """The action is not possible now; the message says why, and what to do instead."""


def create(parts: Parts, *, actor: str, **registration_fields: Any) -> Registration:
    """Save a new registration as a draft. `parts`: {part: {input: value}} (see Registration.PARTS)."""
    with transaction.atomic():
        registration = Registration.objects.create(
            **{"account_sid": settings.TWILIO_ACCOUNT_SID, **registration_fields}
        )
        for name, model in Registration.part_models().items():
            inputs = parts.get(name, {})
            keys = _limit_keys(Profile(**inputs)) if name == "profile" else {}
            model.objects.create(registration=registration, **inputs, **keys)
        timeline.record(registration, "created", "Created.", actor=actor)
        return runner.refresh_status(registration.pk, registration)


def edit(
    registration: Registration,
    parts: Parts,
    *,
    actor: str,
    expected_revision: int | None = None,
    **registration_fields: Any,
) -> bool:
    """Save changed inputs. True if any changed; they become a new revision, which waits for Submit.

    Raises Refused if somebody else saved meanwhile (`expected_revision` is the one the person saw).
    """
    with transaction.atomic():
        current = Registration.objects.select_for_update().get(pk=registration.pk)
        if expected_revision is not None and current.revision != expected_revision:
            raise Refused(
                "Somebody else changed this registration while you were editing. Your changes are still in "
                "the form. Compare them with the page, then save again."
            )
        full = runner.load(registration.pk)
        counted = registry_limits.values_of(full)
        changed: list[str] = []
        for name, values in parts.items():
            changed += _save_changed(getattr(full, name), values)
        _end_outdated_override(full, counted)
        fields = {k: v for k, v in registration_fields.items() if getattr(current, k) != v}
        if fields:
            Registration.objects.filter(pk=current.pk).update(**fields)
        if "owner" in fields:
            assignment.owner_changed(current, fields.pop("owner"), actor=actor)
        if changed:
            _changed_inputs(full, changed, actor)
        elif fields:
            timeline.record(current, "edited", f"Edited: {labels(fields)}.", actor=actor)
        runner.refresh_status(current.pk)
    return bool(changed)


def _end_outdated_override(registration: Registration, before: Sequence[str]) -> None:
    """A supervisor's override covers the values it was given for, not another used-up value that is entered later."""
    if not registration.limit_override or registry_limits.values_of(registration) == before:
        return
    fields = registry_limits.changed_fields(before, registry_limits.values_of(registration))
    if any(use.exhausted and use.field in fields for use in registry_limits.uses_of(registration)):
        Registration.objects.filter(pk=registration.pk).update(limit_override="")
        text = "The limit override ended: it was for other values."
        timeline.record(registration, "limits:override_ended", text)


def _save_changed(resource: Any, values: dict[str, Any]) -> list[str]:
    changed = [name for name, value in values.items() if getattr(resource, name) != value]
    for name in changed:
        setattr(resource, name, values[name])
    if changed:
        keys = _limit_keys(resource) if isinstance(resource, Profile) else {}
        for name, key in keys.items():
            setattr(resource, name, key)
        resource.save(update_fields=[*changed, *keys, "updated_at"])
    return changed


def _limit_keys(profile: Profile) -> dict[str, str]:
    """The columns by which registry_limits counts uses of an email or an address across registrations."""
    return {
        "email_key": profile.email.casefold(),
        "address_key": registry_limits.address_key(
            profile.street, profile.street_secondary, profile.postal_code, profile.iso_country
        ),
    }


def _changed_inputs(registration: Registration, changed: list[str], actor: str) -> None:
    Registration.objects.filter(pk=registration.pk).update(revision=registration.revision + 1)
    if "area_code" in changed or "sender_number" in changed:
        # The confirmed price was for another number.
        PhoneNumber.objects.filter(registration=registration).update(
            purchase_confirmed_at=None, purchase_confirmed_by=""
        )
    timeline.record(registration, "edited", f"Edited: {labels(changed)}.", actor=actor)


def submit(
    registration: Registration,
    *,
    actor: str,
    batch: Batch | None = None,
    despite: Collection[str] | None = (),
) -> None:
    """Apply the plan. Submit, Resubmit and Try again are all this action. Doing it twice is harmless.

    `batch`: the bulk action that submits; the cost of the calls is counted there. `despite`: keys of the pre-flight
    errors that the person has read and accepts; None: all of them.
    """
    with transaction.atomic():
        current = Registration.objects.select_for_update().get(pk=registration.pk)
        if current.removing or current.stage == Stage.REMOVED:
            raise Refused(
                "This registration is being removed from Twilio, or already was. Create a new one instead."
            )
        if current.hold:
            raise Refused("This registration is on hold. Release it first.")
        _check_limits(runner.load(current.pk))
        _check_texts(runner.load(current.pk), despite, actor)
        _allow_retry(runner.load(current.pk))
        Registration.objects.filter(pk=current.pk).update(
            submitted_revision=current.revision,
            submitted_at=clock.now(),
            submitted_by=actor[:150],
            submitted_batch=batch,
            attempts=0,
        )
        timeline.record(current, "submitted", "Submitted.", actor=actor, revision=current.revision)
        wake(current.pk)


def _check_limits(registration: Registration) -> None:
    """Refuse what the registry would refuse after the fee, unless a supervisor gave a reason."""
    if not registry_limits.limits_apply(registration):
        return
    registry_limits.lock_limits()
    spent = [use.text for use in registry_limits.uses_of(registration) if use.exhausted]
    if spent:
        raise Refused(" ".join([*spent, "A supervisor can submit it anyway, with a reason."]))


def override_limits(registration: Registration, *, reason: str, actor: str) -> None:
    """Allow exceeding a registry limit; the reason stays on the registration. The caller checks the permission."""
    if not reason.strip():
        raise Refused("Enter why this registration may exceed the limit.")
    with transaction.atomic():
        Registration.objects.filter(pk=registration.pk).update(limit_override=reason.strip()[:300])
        timeline.record(registration, "limits:overridden", f"Limit override: {reason.strip()}", actor=actor)


def _check_texts(registration: Registration, despite: Collection[str] | None, actor: str) -> None:
    """Refuse to pay for what the pre-flight says will be rejected, unless the person has read and accepts that.

    Accepted errors stay on the registration and do not block it again; later errors do.
    """
    found = gate.blocking_errors(registration)
    unread = [] if despite is None else [finding for finding in found if finding.key not in despite]
    if unread:
        texts = " ".join(dict.fromkeys(finding.text for finding in unread))
        raise Refused(f"The pre-flight found {preflight.summary(unread)}: {texts} {PREFLIGHT_ADVICE}")
    if found:
        keys = sorted({*gate.overridden_keys(registration), *(finding.key for finding in found)})
        Registration.objects.filter(pk=registration.pk).update(preflight_override={"keys": keys})
        titles = "; ".join(dict.fromkeys(finding.rule.title for finding in found))
        timeline.record(
            registration, "preflight:passed", f"Submitted despite the pre-flight: {titles}.", actor=actor
        )


def request_online_checks(registration: Registration, *, actor: str) -> None:
    """Have a worker check the customer's web pages and the mobile's line type, as far as the settings allow."""
    if not online_checks.enabled():
        raise Refused(
            "Online checks are turned off. An administrator can turn them on (A2P_PREFLIGHT_FETCH, "
            "A2P_PREFLIGHT_LOOKUP)."
        )
    with transaction.atomic():
        timeline.record(
            registration, online_checks.ASKED, "Requested a check of web pages and mobile.", actor=actor
        )
        queue.enqueue_online_checks(registration.pk)


def _allow_retry(registration: Registration) -> None:
    for resource, columns in plan.resubmission_changes(registration):
        type(resource)._default_manager.filter(pk=resource.pk).update(**columns)


def wake(pk: int) -> None:
    """Have the worker advance it now. If the worker already has the registration, it continues once more afterwards."""
    now = clock.now()
    Registration.objects.filter(pk=pk).update(next_run_at=now)
    queue.enqueue(pk, now)
    runner.refresh_status(pk)


# --- other actions ------------------------------------------------------------------------------------------------
def confirm_purchase(registration: Registration, *, actor: str) -> None:
    """Agree to the monthly price of a number in the current area code."""
    number = PhoneNumber.objects.get(registration=registration)
    if not purchase_needed(registration):
        raise Refused("This registration does not buy a number.")
    with transaction.atomic():
        PhoneNumber.objects.filter(pk=number.pk).update(
            purchase_confirmed_at=clock.now(), purchase_confirmed_by=actor[:150]
        )
        timeline.record(registration, "number:purchase_confirmed", "Purchase confirmed.", actor=actor)
        wake(registration.pk)


def hold(registration: Registration, *, reason: str, actor: str) -> None:
    """Stop all work on the registration until it is released; a call in progress still finishes.

    It is still checked at Twilio when a webhook arrives or a person asks.
    """
    with transaction.atomic():
        Registration.objects.filter(pk=registration.pk).update(hold=True, hold_reason=reason[:300])
        timeline.record(registration, "hold", f"On hold: {reason}" if reason else "On hold.", actor=actor)
        runner.refresh_status(registration.pk)


def release(registration: Registration, *, actor: str) -> None:
    with transaction.atomic():
        Registration.objects.filter(pk=registration.pk).update(hold=False, hold_reason="")
        timeline.record(registration, "released", "Released.", actor=actor)
        wake(registration.pk)


def refresh(registration: Registration, *, actor: str) -> None:
    """Check Twilio now instead of at the next scheduled time."""
    with transaction.atomic():
        for name in WATCHED_PARTS:
            if watch_of(registration, name):
                Registration.part_models()[name]._default_manager.filter(registration=registration).update(
                    refresh_requested_at=clock.now()
                )
        if schedule.retired_brands(registration.pk).exists():
            queue.enqueue_retired_brands(registration.pk)
        timeline.record(registration, "refresh", "Requested a check at Twilio.", actor=actor)
        wake(registration.pk)


def add_note(registration: Registration, *, text: str, actor: str) -> None:
    """Write a note on the timeline; colleagues mentioned with @ are notified."""
    if text.strip():
        with transaction.atomic():
            note = timeline.record(registration, "note", text.strip(), actor=actor)
            assignment.notify_mentioned(note, actor=actor)


def use_suggested_address(registration: Registration, *, actor: str) -> list[str]:
    """Use the address that Twilio suggested; returns the changed inputs. Submit sends them."""
    suggested = [p.suggestion for p in decisions.problems(registration) if p.suggestion]
    if not suggested:
        raise Refused("Twilio did not suggest an address for this registration.")
    profile, inputs = registration.profile, suggested[0].as_inputs()
    try:
        Profile(**inputs).clean_fields(exclude={f.name for f in Profile._meta.fields} - set(inputs))
    except ValidationError as error:
        wrong = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
        raise Refused(
            f"Twilio's suggestion cannot be saved ({wrong}). Correct the address yourself."
        ) from error
    changed = [name for name, value in inputs.items() if getattr(profile, name) != value]
    if changed:
        edit(registration, {"profile": inputs}, actor=actor)
    return changed


def remove(registration: Registration, *, actor: str) -> None:
    """Remove everything of the registration from Twilio, in order; its history stays here."""
    with transaction.atomic():
        current = Registration.objects.select_for_update().get(pk=registration.pk)
        if current.hold:
            raise Refused("This registration is on hold. Release it first.")
        Registration.objects.filter(pk=current.pk).update(
            removing=True, submitted_at=clock.now(), submitted_by=actor[:150], attempts=0
        )
        timeline.record(current, "remove", "Removing everything from Twilio.", actor=actor)
        wake(current.pk)
