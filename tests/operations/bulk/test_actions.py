"""Every row of the table of bulk acts: what it takes, what it passes over and why, what it does."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registrations.models import ApiCall, Brand, Notification, Registration, RetiredResource
from registrations.models.choices import CallState, ItemState, JobState, Stage, WaitingFor
from registrations.operations import actions, assignment, bulk
from registrations.operations.bulk import runner
from registrations.operations.bulk.action import load_candidates
from registrations.workflow.planner import decisions
from registrations.workflow.planner.attempts import Attempts
from registrations.workflow.recorder import registry_limits
from tests.factories import make_registration
from tests.operations.bulk.conftest import done, outcomes, prepared

pytestmark = pytest.mark.django_db
WILL, SKIPPED, DONE = ItemState.WILL, ItemState.SKIPPED, ItemState.DONE
FAILED_CAMPAIGN = {
    "campaign_status": "FAILED",
    "errors": [{"error_code": 30909, "description": "CTA", "fields": ["MESSAGE_FLOW"], "url": ""}],
}


def one_of_each() -> dict[str, Registration]:
    """A registration of each kind that an act must tell apart, no two with the same phone."""
    made: dict[str, Registration] = {}

    def make(name: str, stage: str = Stage.DRAFT, **more) -> Registration:
        n = len(made)
        parts = {
            "trust_bundle": {"mobile_phone_number": f"+141555526{n:02d}"},
            "profile": {"email": f"{name}@example.org", "street": f"{n + 1} Main St"},
        }
        made[name] = make_registration(stage, label=name, parts=parts, **more)
        return made[name]

    make("draft")
    make("at-twilio", Stage.CAMPAIGN)
    make("refused", Stage.CAMPAIGN, answer=FAILED_CAMPAIGN)
    edited = make("refused-edited", Stage.CAMPAIGN, answer=FAILED_CAMPAIGN)
    actions.edit(edited, {"campaign": {"message_flow": "A new way to opt in. " * 4}}, actor="ann")
    otp = make("otp", Stage.OTP)
    Brand.objects.filter(registration=otp).update(otp_sent_at=timezone.now() - timedelta(hours=2))
    make("live", Stage.LIVE)
    actions.hold(make("held", Stage.OTP), reason="Waits.", actor="ann")
    make("removed", Stage.REMOVED)
    stopped = make("stopped", Stage.PROFILE)
    ApiCall.objects.filter(registration=stopped, step="profile.create").update(state=CallState.OK)
    Registration.objects.filter(pk=stopped.pk).update(waiting_for=WaitingFor.US)
    return made


TAKES = {
    "submit": {"draft", "refused-edited"},
    "resume": {"at-twilio", "otp", "stopped"},
    "resubmit": {"refused", "refused-edited"},
    "refresh": {"at-twilio", "refused", "refused-edited", "otp", "live", "stopped"},
    "otp": {"otp"},
    "assign": {
        "draft", "at-twilio", "refused", "refused-edited", "otp", "live", "held", "removed", "stopped",
    },
    "hold": {"draft", "at-twilio", "refused", "refused-edited", "otp", "live", "stopped"},
    "release": {"held"},
}  # fmt: skip


def test_every_listed_act_is_tested():
    assert set(TAKES) == {act.slug for act in bulk.ACTIONS.values() if act.in_lists}


@pytest.mark.parametrize("slug", TAKES)
def test_what_the_dry_run_takes_is_what_is_done(ann, slug):
    registrations = one_of_each()
    inputs = {"assign": {"owner": ann.pk}, "hold": {"reason": "Asked to wait."}}.get(slug, {})
    events = {name: registration.events.count() for name, registration in registrations.items()}
    batch = prepared(slug, registrations.values(), ann)
    assert batch.state == JobState.READY
    rows = outcomes(batch)
    assert {name for name, (state, _) in rows.items() if state == WILL} == TAKES[slug]
    assert all(text for _, text in rows.values())
    assert {name: registration.events.count() for name, registration in registrations.items()} == events, (
        "a dry run does nothing"
    )

    bulk.confirm(batch, user=ann, inputs=inputs)
    bulk.advance(batch.pk)
    batch.refresh_from_db()
    assert batch.state == JobState.DONE
    after = outcomes(batch)
    assert {name for name, (state, _) in after.items() if state == DONE} == TAKES[slug]
    assert {n: row for n, row in after.items() if row[0] == SKIPPED} == {
        n: row for n, row in rows.items() if row[0] == SKIPPED
    }
    for name, registration in registrations.items():
        added = registration.events.count() - events[name]
        assert added == (1 if name in TAKES[slug] else 0), name
        if added:
            assert registration.events.first().actor == "ann"


@pytest.mark.parametrize("slug", TAKES)
def test_the_dry_run_costs_the_same_queries_for_many(ann, slug):
    registrations = list(one_of_each().values())

    def queries(chosen: list[Registration]) -> int:
        batch = bulk.start(slug, [registration.pk for registration in chosen], user=ann)
        with CaptureQueriesContext(connection) as seen:
            bulk.advance(batch.pk)
        batch.refresh_from_db()
        assert batch.state == JobState.READY
        return len(seen)

    few = queries(registrations)
    assert queries([*registrations, *one_of_each_again()]) <= few + 2


def one_of_each_again() -> list[Registration]:
    return [make_registration(label=f"More {n}") for n in range(12)]


class TestSubmit:
    def test_fees_and_pace_are_those_of_the_plans(self, ann):
        registrations = [one_of_each()[name] for name in ("draft", "refused-edited")]
        batch = prepared("submit", registrations, ann)
        fees = {item.registration_id: item.fee for item in batch.items.all()}
        assert fees == {
            registration.pk: decisions.plan(_fresh(registration)).fee for registration in registrations
        }
        # brand and campaign of the draft, the campaign of the other
        assert batch.params["rate_limited_calls"]["a2p"] == 3

    def test_calls_that_follow_are_counted_at_the_batch(self, ann):
        registration = make_registration()
        batch = done("submit", [registration], ann)
        registration.refresh_from_db()
        assert registration.submitted_batch == batch
        assert registration.submitted_by == "ann"
        actions.edit(registration, {"profile": {"last_name": "Poe"}}, actor="bo")
        actions.submit(_fresh(registration), actor="bo")
        registration.refresh_from_db()
        assert registration.submitted_batch is None

    def test_a_limit_that_is_reached_is_the_reason(self, ann):
        for n in range(3):
            make_registration(Stage.BRAND, label=f"Other {n}")
        registration = make_registration(label="One too many")
        passed = make_registration(label="Let pass")
        actions.override_limits(passed, reason="They moved.", actor="bo")
        rows = outcomes(prepared("submit", [registration, passed], ann))
        assert rows["One too many"][0] == SKIPPED
        assert "was used for 3 other brands" in rows["One too many"][1]
        assert rows["Let pass"][0] == WILL

    def test_registrations_of_one_batch_that_share_a_mobile_stop_at_the_limit(self, ann):
        registrations = [make_registration(label=f"Registration {n}") for n in range(4)]
        batch = done("submit", registrations, ann)
        rows = outcomes(batch)
        assert [rows[f"Registration {n}"][0] for n in range(4)] == [DONE, DONE, DONE, SKIPPED]
        assert "This mobile is used for 3 registrations selected before this one" in rows["Registration 3"][1]

    def test_the_dry_run_counts_the_chosen_among_each_other(self, ann, monkeypatch):
        """By id, over the portions of the job; who may pass the limit counts, who was submitted counts once."""
        monkeypatch.setattr(runner, "PREVIEW_AT_ONCE", 2)
        edited = make_registration(Stage.CAMPAIGN, label="Was submitted", answer=FAILED_CAMPAIGN)
        actions.edit(edited, {"campaign": {"message_flow": "A new way to opt in. " * 4}}, actor="ann")
        registrations = [make_registration(label=f"Registration {n}") for n in range(4)]
        actions.override_limits(registrations[0], reason="They moved.", actor="bo")
        late = make_registration(label="Let pass")
        actions.override_limits(late, reason="They moved.", actor="bo")
        other = make_registration(
            label="Other mobile", parts={"trust_bundle": {"mobile_phone_number": "+14155552699"}}
        )
        batch = prepared("submit", [late, other, *reversed(registrations), edited], ann)
        rows = outcomes(batch)
        assert {name for name, (state, _) in rows.items() if state == WILL} == {
            "Was submitted", "Registration 0", "Registration 1", "Let pass", "Other mobile"
        }  # fmt: skip
        assert rows["Registration 2"] == rows["Registration 3"]
        assert rows["Registration 2"][1].startswith(
            "This mobile is used for 1 other brand and 2 registrations selected before this one. The "
            "Campaign Registry allows 3 (30750). Use another one."
        )
        bulk.confirm(batch, user=ann)
        bulk.advance(batch.pk)
        done_ones = {name for name, (state, _) in outcomes(batch).items() if state == DONE}
        assert done_ones == {name for name, (state, _) in rows.items() if state == WILL}

    @pytest.mark.parametrize(
        ("parts", "words"),
        [({"email": "one@example.org"}, "This email address is used for 10 registr"),
         ({"street": "1 Main Street"}, "This address is used for 10 registr")],
    )  # fmt: skip
    def test_so_it_does_for_e_mails_and_addresses(self, ann, parts, words):
        registrations = []
        for n in range(11):
            own = {"email": f"{n}@example.org", "street": f"{n} Oak St", **parts}
            mobile = {"mobile_phone_number": f"+141555526{n:02d}"}
            registrations.append(
                make_registration(
                    label=f"Registration {n:02d}", parts={"profile": own, "trust_bundle": mobile}
                )
            )
        rows = outcomes(prepared("submit", registrations, ann))
        assert [name for name, (state, _) in rows.items() if state == SKIPPED] == ["Registration 10"]
        assert words in rows["Registration 10"][1]

    def test_what_became_dearer_since_is_not_done(self, ann, settings):
        registration = make_registration()
        batch = prepared("submit", [registration], ann)
        settings.A2P_FEES = {**settings.A2P_FEES, "brand": settings.A2P_FEES["brand"] + 1}
        bulk.confirm(batch, user=ann)
        bulk.advance(batch.pk)
        assert outcomes(batch)[registration.label] == (
            SKIPPED,
            "It would now cost up to $20.50; $19.50 was agreed to. Check it again.",
        )
        registration.refresh_from_db()
        assert not registration.was_submitted


def test_assign_to_nobody_and_to_who_owns_it_already(ann):
    mine, free = make_registration(label="Mine", owner=ann), make_registration(label="Free")
    assert outcomes(done("assign", [mine, free], ann, {"owner": ann.pk})) == {
        "Mine": (SKIPPED, "Already assigned to this person."),
        "Free": (DONE, "Assigned to ann."),
    }
    assert {*Registration.objects.values_list("owner", flat=True)} == {ann.pk}
    done("assign", [mine, free], ann, {"owner": None})
    assert {*Registration.objects.values_list("owner", flat=True)} == {None}


def test_a_registration_that_somebody_claimed_since_the_dry_run_stays_theirs(ann):
    bo = get_user_model().objects.create_user("bo", is_staff=True)
    claimed, free = make_registration(label="Claimed"), make_registration(label="Free")
    batch = prepared("assign", [claimed, free], ann)
    assert outcomes(batch)["Free"][1] == "Currently unassigned."
    assignment.assign(claimed, to=bo, shown=None, actor="bo")
    bulk.confirm(batch, user=ann, inputs={"owner": ann.pk})
    bulk.advance(batch.pk)
    assert outcomes(batch) == {
        "Claimed": (SKIPPED, "Changed since the dry run. Currently assigned to bo. Check it again."),
        "Free": (DONE, "Assigned to ann."),
    }
    claimed.refresh_from_db()
    assert claimed.owner == bo


def test_an_owner_whose_account_was_closed_gets_nothing(ann):
    left = get_user_model().objects.create_user("left", is_staff=True, is_active=False)
    registration = make_registration()
    rows = outcomes(done("assign", [registration], ann, {"owner": left.pk}))
    assert rows[registration.label] == (SKIPPED, "This person no longer has an active account.")


def test_a_new_owner_is_notified_once(ann):
    bo = get_user_model().objects.create_user("bo", is_staff=True)
    batch = done(
        "assign", [make_registration(label=f"Registration {n}") for n in range(3)], ann, {"owner": bo.pk}
    )
    assert [news.text for news in Notification.objects.filter(user=bo)] == [
        "ann assigned 3 registrations to you."
    ]
    told = Notification.objects.get(user=ann)
    assert (told.batch, told.text) == (batch, "Bulk action “Assign” is done: 3 done.")


def test_hold_keeps_the_reason(ann):
    registration = make_registration(Stage.OTP)
    done("hold", [registration], ann, {"reason": "The shop is closed in May."})
    registration.refresh_from_db()
    assert (registration.hold, registration.hold_reason) == (True, "The shop is closed in May.")


def test_every_act_names_a_permission_that_exists():
    codes = {f"registrations.{p.codename}" for p in Permission.objects.all()}
    assert {act.permission for act in bulk.ACTIONS.values()} <= codes


def test_what_is_known_of_many_is_what_is_known_of_each():
    registrations = list(one_of_each().values())
    RetiredResource.objects.create(registration=registrations[1], kind="brand", sid="BN1", reason="replaced")
    for registration in registrations[:3]:
        make_registration(
            Stage.BRAND, label="Same address", parts={"profile": {"street": registration.profile.street}}
        )
    fresh = [_fresh(registration) for registration in registrations]
    many = registry_limits.uses_of_many(fresh)
    assert many == {registration.pk: registry_limits.uses_of(registration) for registration in fresh}
    assert any(use.used for uses in many.values() for use in uses)
    for candidate in load_candidates(registration.pk for registration in registrations):
        assert candidate.attempts == Attempts.of(candidate.registration)


def _fresh(registration: Registration) -> Registration:
    return load_candidates([registration.pk])[0].registration
