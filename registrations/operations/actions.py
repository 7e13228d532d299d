"""What a person can do to a registration: each verb saves, writes the timeline and rings the worker.

Pages and commands call these and nothing else. None of them calls Twilio; the worker does. `actor` is the
user's name as text. A verb that may not be done now raises Refused with a sentence for the person.
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

PREFLIGHT_ADVICE = "Mend this, or submit it all the same on the page that shows the plan."

Parts = dict[str, dict[str, Any]]


class Refused(Exception):
    """The verb cannot be done now; the message says why, and what to do instead."""


def create(parts: Parts, *, actor: str, **registration_fields: Any) -> Registration:
    """Save a new registration as a draft. `parts`: mirror name -> inputs (see Registration.PARTS)."""
    with transaction.atomic():
        registration = Registration.objects.create(
            **{"account_sid": settings.TWILIO_ACCOUNT_SID, **registration_fields}
        )
        for name, model in Registration.part_models().items():
            inputs = parts.get(name, {})
            keys = _keys(Profile(**inputs)) if name == "profile" else {}
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
    """Save changed inputs; True when one changed, which makes a new revision that waits for Submit.

    Raises Refused when somebody else saved meanwhile (`expected_revision` is what the person saw).
    """
    with transaction.atomic():
        current = Registration.objects.select_for_update().get(pk=registration.pk)
        if expected_revision is not None and current.revision != expected_revision:
            raise Refused(
                "Somebody else changed this registration while you were editing. Your changes are still in "
                "the form: compare them with the page, then save again."
            )
        full = runner.load(registration.pk)
        counted = registry_limits.values_of(full)
        changed: list[str] = []
        for name, values in parts.items():
            changed += _save_changed(getattr(full, name), values)
        _judge_override(full, counted)
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


def _judge_override(registration: Registration, before: Sequence[str]) -> None:
    """A supervisor's agreement covers the values that it was given for, not a spent one that comes later."""
    if not registration.limit_override or registry_limits.values_of(registration) == before:
        return
    fields = registry_limits.changed_fields(before, registry_limits.values_of(registration))
    if any(use.exhausted and use.field in fields for use in registry_limits.uses_of(registration)):
        Registration.objects.filter(pk=registration.pk).update(limit_override="")
        text = "The agreement to go past a limit ended: it was given for other values."
        timeline.record(registration, "limits:override_ended", text)


def _save_changed(resource: Any, values: dict[str, Any]) -> list[str]:
    changed = [name for name, value in values.items() if getattr(resource, name) != value]
    for name in changed:
        setattr(resource, name, values[name])
    if changed:
        keys = _keys(resource) if isinstance(resource, Profile) else {}
        for name, key in keys.items():
            setattr(resource, name, key)
        resource.save(update_fields=[*changed, *keys, "updated_at"])
    return changed


def _keys(profile: Profile) -> dict[str, str]:
    """By which uses of an email or an address are counted across registrations (limits.py)."""
    return {
        "email_key": profile.email.casefold(),
        "address_key": registry_limits.address_key(
            profile.street, profile.street_secondary, profile.postal_code, profile.iso_country
        ),
    }


def _changed_inputs(registration: Registration, changed: list[str], actor: str) -> None:
    Registration.objects.filter(pk=registration.pk).update(revision=registration.revision + 1)
    if "area_code" in changed or "sender_number" in changed:
        # A confirmed price belongs to the number that was chosen then.
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
    """Apply the plan: Submit, Resubmit and Try again are this one act. Pressing it twice is harmless.

    `batch` is the bulk action that does it; the paid calls that follow are counted there. `despite`: keys of the
    pre-flight's errors that the person has read and goes past; None: whatever it finds.
    """
    with transaction.atomic():
        current = Registration.objects.select_for_update().get(pk=registration.pk)
        if current.removing or current.stage == Stage.REMOVED:
            raise Refused("This registration is being removed from Twilio, or was. Make a new one instead.")
        if current.hold:
            raise Refused("This registration is on hold. Release it first.")
        _check_limits(runner.load(current.pk))
        _check_texts(runner.load(current.pk), despite, actor)
        _ask_again(runner.load(current.pk))
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
        raise Refused(" ".join([*spent, "A supervisor can go on all the same, with a reason."]))


def override_limits(registration: Registration, *, reason: str, actor: str) -> None:
    """Go past a limit that we counted; the reason stays on the registration. The caller checks the permission."""
    if not reason.strip():
        raise Refused("Say why this registration may go past the limit.")
    with transaction.atomic():
        Registration.objects.filter(pk=registration.pk).update(limit_override=reason.strip()[:300])
        timeline.record(registration, "limits:overridden", f"Past the limit: {reason.strip()}", actor=actor)


def _check_texts(registration: Registration, despite: Collection[str] | None, actor: str) -> None:
    """Refuse to pay for what the pre-flight says will be rejected, unless the person has read that.

    What was gone past stays on the registration: it does not stop again, an error that comes later does.
    """
    found = gate.blocking_errors(registration)
    unread = [] if despite is None else [finding for finding in found if finding.key not in despite]
    if unread:
        said = " ".join(dict.fromkeys(finding.text for finding in unread))
        raise Refused(f"The pre-flight found {preflight.summary(unread)}: {said} {PREFLIGHT_ADVICE}")
    if found:
        keys = sorted({*gate.overridden_keys(registration), *(finding.key for finding in found)})
        Registration.objects.filter(pk=registration.pk).update(preflight_override={"keys": keys})
        titles = "; ".join(dict.fromkeys(finding.rule.title for finding in found))
        timeline.record(
            registration, "preflight:passed", f"Submitted in spite of the pre-flight: {titles}.", actor=actor
        )


def look_online(registration: Registration, *, actor: str) -> None:
    """Have a worker look at the customer's pages and the mobile's line type, as far as the settings allow."""
    if not online_checks.enabled():
        raise Refused(
            "Looking outside is switched off. An administrator can switch it on (A2P_PREFLIGHT_FETCH, "
            "A2P_PREFLIGHT_LOOKUP)."
        )
    with transaction.atomic():
        timeline.record(registration, online_checks.ASKED, "Asked to look at pages and mobile.", actor=actor)
        queue.enqueue_online_checks(registration.pk)


def _ask_again(registration: Registration) -> None:
    for resource, columns in plan.resubmission_changes(registration):
        type(resource)._default_manager.filter(pk=resource.pk).update(**columns)


def wake(pk: int) -> None:
    """Have the worker look now. If it is at work on the registration already, it looks once more when it ends."""
    now = clock.now()
    Registration.objects.filter(pk=pk).update(next_run_at=now)
    queue.enqueue(pk, now)
    runner.refresh_status(pk)


# --- the rest ------------------------------------------------------------------------------------------------------
def confirm_purchase(registration: Registration, *, actor: str) -> None:
    """Agree to the monthly price of a number in the area code as it is now."""
    number = PhoneNumber.objects.get(registration=registration)
    if not purchase_needed(registration):
        raise Refused("There is no number to buy for this registration.")
    with transaction.atomic():
        PhoneNumber.objects.filter(pk=number.pk).update(
            purchase_confirmed_at=clock.now(), purchase_confirmed_by=actor[:150]
        )
        timeline.record(registration, "number:purchase_confirmed", "Purchase confirmed.", actor=actor)
        wake(registration.pk)


def hold(registration: Registration, *, reason: str, actor: str) -> None:
    """Stop all work on the registration until it is released; a call that is under way still ends.

    What a delivery or a person asks for is still looked at.
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
    """Look at Twilio now instead of at the next planned time."""
    with transaction.atomic():
        for name in WATCHED_PARTS:
            if watch_of(registration, name):
                Registration.part_models()[name]._default_manager.filter(registration=registration).update(
                    refresh_requested_at=clock.now()
                )
        if schedule.retired_brands(registration.pk).exists():
            queue.enqueue_retired_brands(registration.pk)
        timeline.record(registration, "refresh", "Asked to look at Twilio now.", actor=actor)
        wake(registration.pk)


def add_note(registration: Registration, *, text: str, actor: str) -> None:
    """Write on the timeline; colleagues whom it names with @ are told."""
    if text.strip():
        with transaction.atomic():
            note = timeline.record(registration, "note", text.strip(), actor=actor)
            assignment.tell_mentioned(note, actor=actor)


def use_suggested_address(registration: Registration, *, actor: str) -> list[str]:
    """Take over the address that Twilio suggested; returns the changed inputs. Submit sends them."""
    suggested = [p.suggestion for p in decisions.problems(registration) if p.suggestion]
    if not suggested:
        raise Refused("Twilio suggested no address for this registration.")
    profile, inputs = registration.profile, suggested[0].as_inputs()
    try:
        Profile(**inputs).clean_fields(exclude={f.name for f in Profile._meta.fields} - set(inputs))
    except ValidationError as error:
        wrong = "; ".join(f"{name}: {' '.join(said)}" for name, said in error.message_dict.items())
        raise Refused(
            f"Twilio's suggestion cannot be saved ({wrong}). Correct the address by hand."
        ) from error
    changed = [name for name, value in inputs.items() if getattr(profile, name) != value]
    if changed:
        edit(registration, {"profile": inputs}, actor=actor)
    return changed


def remove(registration: Registration, *, actor: str) -> None:
    """Take everything of the registration down at Twilio, in order; its history stays here."""
    with transaction.atomic():
        current = Registration.objects.select_for_update().get(pk=registration.pk)
        if current.hold:
            raise Refused("This registration is on hold. Release it first.")
        Registration.objects.filter(pk=current.pk).update(
            removing=True, submitted_at=clock.now(), submitted_by=actor[:150], attempts=0
        )
        timeline.record(current, "remove", "Taking down what is at Twilio.", actor=actor)
        wake(current.pk)
