"""A bundle's FailureReason: the one text that no read shows, against the sandbox's own callbacks."""

import pytest
from django.test import Client

from registrations.models import Profile
from registrations.models.choices import Stage
from registrations.operations import actions
from registrations.workflow.planner import decisions
from registrations.workflow.runner import runner
from tests.conftest import Harness
from tests.operations.webhooks.conftest import Postman, Twilio, process_all, stopped, submit

pytestmark = pytest.mark.django_db


class TestFailureReason:
    def rejected(
        self, harness: Harness, mail: Postman, email: str = "bad-email.callback-only@harborcrafts.com"
    ):
        registration = submit(profile={"email": email})
        harness.run(registration.pk, until=stopped)
        mail.wait_for("twilio-rejected")
        return registration.pk

    def test_the_text_that_only_the_callback_has_is_shown_at_its_input(self, harness: Harness, mail: Postman):
        pk = self.rejected(harness, mail)
        assert not Profile.objects.get().failure_reason  # a look alone does not tell
        mail.hand_over()
        process_all()
        told = harness.run(pk)
        assert told.profile.failure_reason == "Email is invalid."
        (problem,) = decisions.problems(told)
        assert (problem.part, problem.field, problem.message) == ("profile", "email", "Email is invalid.")

    def test_the_callback_may_come_before_the_look(self, harness: Harness, mail: Postman):
        registration = submit(profile={"email": "bad-email.callback-only@harborcrafts.com"})
        harness.run(registration.pk, until=lambda registration: bool(registration.profile.submitted_at))
        mail.wait_for("twilio-rejected")
        mail.hand_over()
        process_all()
        told = harness.run(
            registration.pk,
            until=lambda registration: (
                stopped(registration) and not registration.profile.refresh_requested_at
            ),
        )
        assert told.profile.failure_reason == "Email is invalid."

    def test_another_reason_for_the_same_submission_replaces_the_first(self, harness: Harness, mail: Postman):
        pk = self.rejected(harness, mail)
        mail.hand_over()
        process_all()
        assert harness.run(pk).profile.failure_reason == "Email is invalid."
        sid = Profile.objects.get().sid
        twilio = Twilio(mail.url, harness.sandbox.world.config.auth_tokens[0])
        other = {"BundleSid": sid, "Status": "twilio-rejected", "FailureReason": "Unknown email domain."}
        assert twilio.status(other).status_code == 204
        process_all()
        assert harness.run(pk).profile.failure_reason == "Unknown email domain."

    def test_an_address_suggestion_arrives_whole(self, harness: Harness, mail: Postman):
        registration = submit(profile={"street": "77 Wrong Mews"})
        harness.run(registration.pk, until=stopped)
        mail.wait_for("twilio-rejected")
        mail.hand_over()
        process_all()
        told = harness.run(registration.pk)
        suggestions = [problem.suggestion for problem in decisions.problems(told) if problem.suggestion]
        assert suggestions
        assert "Jersey" in suggestions[0].street

    def test_a_late_repeat_of_an_old_reason_does_not_cover_the_new_one(self, harness: Harness, mail: Postman):
        pk = self.rejected(harness, mail)
        old = mail.wait_for("Email+is+invalid")
        mail.hand_over()
        process_all()
        harness.run(pk)
        changes = {"profile": {"email": "bad-domain.callback-only@harborcrafts.com"}}
        actions.edit(runner.load(pk), changes, actor="ann")
        actions.submit(runner.load(pk), actor="ann")
        harness.run(pk, until=stopped)
        mail.wait_for("Unknown+email+domain")
        mail.hand_over()
        # The old one once more, as if it were new: after the new one.
        kept = {**old.headers, "I-Twilio-Idempotency-Token": "another"}
        assert type(old)(old.path, old.body, kept).deliver(Client()) == 204
        process_all()
        assert harness.run(pk).profile.failure_reason == "Unknown email domain."

    def test_the_first_reason_that_comes_after_the_second_does_not_cover_it(
        self, harness: Harness, mail: Postman
    ):
        pk = self.rejected(harness, mail)
        held = list(mail.letters)
        mail.letters.clear()
        changes = {"profile": {"email": "bad-domain.callback-only@harborcrafts.com"}}
        actions.edit(runner.load(pk), changes, actor="ann")
        actions.submit(runner.load(pk), actor="ann")
        harness.run(pk, until=stopped)
        mail.wait_for("Unknown+email+domain")
        mail.hand_over()
        process_all()
        assert harness.run(pk).profile.failure_reason == "Unknown email domain."
        mail.letters.extend(held)
        mail.hand_over()
        process_all()
        assert harness.run(pk).profile.failure_reason == "Unknown email domain."

    def test_a_rejection_of_the_former_submission_is_not_believed(self, harness: Harness, mail: Postman):
        pk = self.rejected(harness, mail)
        changes = {"profile": {"email": "ann.lee@harborcrafts.com"}}
        actions.edit(runner.load(pk), changes, actor="ann")
        actions.submit(runner.load(pk), actor="ann")
        harness.run(pk, until=lambda registration: registration.stage == Stage.OTP)
        mail.hand_over()  # every callback of both submissions, only now
        process_all()
        registration = harness.run(
            pk, until=lambda registration: not registration.profile.refresh_requested_at
        )
        assert registration.stage == Stage.OTP
        assert registration.profile.failure_reason == ""
        assert not decisions.problems(registration)

    def test_submitting_again_clears_it(self, harness: Harness, mail: Postman):
        pk = self.rejected(harness, mail)
        mail.hand_over()
        process_all()
        assert harness.run(pk).profile.failure_reason
        actions.edit(runner.load(pk), {"profile": {"email": "ann.lee@harborcrafts.com"}}, actor="ann")
        actions.submit(runner.load(pk), actor="ann")
        registration = harness.run(pk, until=lambda registration: registration.stage == Stage.OTP)
        assert registration.profile.failure_reason == ""
