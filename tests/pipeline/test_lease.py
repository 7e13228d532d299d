"""One owner at a time, and no case left behind."""

import os
import subprocess
import sys
from datetime import timedelta

import psutil
import pytest

from registrations import clock, lease
from registrations.models import Registration
from tests.cases import make_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def due_case():
    case = make_case()
    Registration.objects.filter(pk=case.pk).update(wake_at=clock.now() - timedelta(seconds=1))
    return case


def token_of(pid: int, started: float) -> str:
    return f"{lease._machine()}:{pid}:{started:.2f}:0123456789abcdef"


def test_one_of_two_workers_gets_the_case(due_case):
    first, second = lease.claim(due_case.pk), lease.claim(due_case.pk)
    assert first
    assert second is None
    lease.renew(due_case.pk, first)
    with pytest.raises(lease.LeaseLost):
        lease.renew(due_case.pk, "somebody else")


def test_a_case_that_is_not_due_is_nobodys():
    assert lease.claim(make_case().pk) is None


def test_a_lease_that_ran_out_is_free(due_case):
    lease.claim(due_case.pk)
    Registration.objects.filter(pk=due_case.pk).update(lease_until=clock.now() - timedelta(seconds=1))
    assert lease.claim(due_case.pk)


def test_the_case_of_a_killed_worker_is_rung_for_at_once(due_case):
    lease.claim(due_case.pk)
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        started = psutil.Process(process.pid).create_time()
        process.wait()
    Registration.objects.filter(pk=due_case.pk).update(lease_token=token_of(process.pid, started))
    assert lease.claim_due() == [due_case.pk]
    assert lease.claim(due_case.pk)


def test_the_case_of_a_living_worker_is_left_to_it(due_case):
    assert lease.claim(due_case.pk)
    assert lease.claim_due() == []


def test_a_later_process_with_the_same_number_is_not_the_owner(due_case):
    lease.claim(due_case.pk)
    Registration.objects.filter(pk=due_case.pk).update(lease_token=token_of(os.getpid(), 1.0))
    assert lease.claim_due() == [due_case.pk]


def test_a_worker_on_another_machine_is_not_judged_from_here(due_case):
    lease.claim(due_case.pk)
    Registration.objects.filter(pk=due_case.pk).update(lease_token="othermachine:1:1.00:0123456789abcdef")
    assert lease.claim_due() == []


def test_a_case_is_rung_for_once_while_the_queue_is_slow(due_case):
    assert lease.claim_due() == [due_case.pk]
    assert lease.claim_due() == []
    long_ago = clock.now() - timedelta(seconds=lease.RING_AGAIN_SECONDS + 1)
    Registration.objects.filter(pk=due_case.pk).update(rung_at=long_ago)
    assert lease.claim_due() == [due_case.pk]
