"""One owner at a time, and no registration left behind."""

import os
import subprocess
import sys
from datetime import timedelta

import psutil
import pytest

from registrations.core import clock
from registrations.models import Registration, leases
from registrations.workflow.runner import lease
from tests.customers import make_draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def due_registration():
    registration = make_draft()
    Registration.objects.filter(pk=registration.pk).update(next_run_at=clock.now() - timedelta(seconds=1))
    return registration


def token_of(pid: int, started: float) -> str:
    return f"{leases.machine()}:{pid}:{started:.2f}:0123456789abcdef"


def test_one_of_two_workers_gets_the_registration(due_registration):
    first, second = lease.claim(due_registration.pk), lease.claim(due_registration.pk)
    assert first
    assert second is None
    lease.renew(due_registration.pk, first)
    with pytest.raises(lease.LeaseLost):
        lease.renew(due_registration.pk, "somebody else")


def test_a_registration_that_is_not_due_is_nobodys():
    assert lease.claim(make_draft().pk) is None


def test_a_lease_that_ran_out_is_free(due_registration):
    lease.claim(due_registration.pk)
    Registration.objects.filter(pk=due_registration.pk).update(lease_until=clock.now() - timedelta(seconds=1))
    assert lease.claim(due_registration.pk)


def test_the_registration_of_a_killed_worker_is_enqueued_at_once(due_registration):
    lease.claim(due_registration.pk)
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        started = psutil.Process(process.pid).create_time()
        process.wait()
    Registration.objects.filter(pk=due_registration.pk).update(lease_token=token_of(process.pid, started))
    assert lease.claim_due() == [due_registration.pk]
    assert lease.claim(due_registration.pk)


def test_the_registration_of_a_living_worker_is_left_to_it(due_registration):
    assert lease.claim(due_registration.pk)
    assert lease.claim_due() == []


def test_a_later_process_with_the_same_number_is_not_the_owner(due_registration):
    lease.claim(due_registration.pk)
    Registration.objects.filter(pk=due_registration.pk).update(lease_token=token_of(os.getpid(), 1.0))
    assert lease.claim_due() == [due_registration.pk]


def test_a_worker_on_another_machine_is_not_checked_from_here(due_registration):
    lease.claim(due_registration.pk)
    Registration.objects.filter(pk=due_registration.pk).update(
        lease_token="othermachine:1:1.00:0123456789abcdef"
    )
    assert lease.claim_due() == []


def test_a_registration_is_enqueued_once_while_the_queue_is_slow(due_registration):
    assert lease.claim_due() == [due_registration.pk]
    assert lease.claim_due() == []
    long_ago = clock.now() - leases.REQUEUE_AFTER - timedelta(seconds=1)
    Registration.objects.filter(pk=due_registration.pk).update(enqueued_at=long_ago)
    assert lease.claim_due() == [due_registration.pk]
