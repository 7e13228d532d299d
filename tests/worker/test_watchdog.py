"""The watchdog's decisions, on a simulated clock."""

import pytest

from registrations.worker.watchdog import STARTUP, Progress

STALL, TIMEOUT = 10, 90


class Cluster:
    """Feeds reports at chosen times; processes in `dead` do not exist."""

    def __init__(self, workers=2):
        self.progress = Progress(workers=workers, timeout=TIMEOUT, stall=STALL, started_at=0)
        self.dead = set()

    def at(self, now, *reports):
        for report in reports:
            self.progress.feed(report, now)
        return self

    def verdict(self, now, oldest_due=None):
        return self.progress.check(now, lambda pid: pid not in self.dead, oldest_due)


def test_an_idle_cluster_is_well():
    assert Cluster().at(0, "spawn 0 71", "spawn 0 72").verdict(10_000) == ""


def test_a_whole_job_leaves_nothing_behind():
    cluster = Cluster().at(1, "claim 5 70", "start 5 71", "end 5 71", "ack 5 73")
    assert cluster.verdict(10_000) == ""
    assert cluster.progress.unfinished() == set()
    assert cluster.progress.finished == 1


def test_one_job_that_no_free_worker_starts_is_enough():
    cluster = Cluster().at(1, "claim 5 70")
    assert cluster.verdict(11) == ""
    assert "no worker starts" in cluster.verdict(11.1)
    assert cluster.progress.unfinished() == {5}


def test_waiting_behind_busy_workers_is_not_a_stall():
    cluster = Cluster().at(1, "claim 1 70", "claim 2 70", "claim 3 70", "start 1 71", "start 2 72")
    assert cluster.verdict(60) == ""
    cluster.at(60, "end 1 71", "ack 1 73")
    assert cluster.verdict(69) == ""  # 3 has waited long, but a worker is free only since a moment ago
    assert "no worker starts" in cluster.verdict(71)


def test_a_worker_killed_while_busy_is_the_clusters_own_business():
    cluster = Cluster().at(0, "spawn 0 71").at(1, "claim 5 70", "start 5 71")
    cluster.dead = {71}
    assert cluster.verdict(50) == ""
    assert cluster.progress.unfinished() == {5}


def test_a_worker_killed_while_idle_freezes_the_queue_and_is_seen_at_once():
    cluster = Cluster().at(0, "spawn 0 71", "spawn 0 72")
    cluster.dead = {71}
    assert "idle worker was killed" in cluster.verdict(20)


def test_after_an_idle_death_running_jobs_get_a_chance_to_end():
    cluster = Cluster().at(0, "spawn 0 71", "spawn 0 72").at(15, "claim 5 70", "start 5 72")
    cluster.dead = {71}
    assert cluster.verdict(20) == ""
    assert cluster.verdict(29) == ""
    assert "idle worker was killed" in cluster.verdict(31)


@pytest.mark.parametrize("goodbye", ["exit 0 71", ""])
def test_recycled_and_timed_out_workers_are_no_deaths(goodbye):
    cluster = (
        Cluster().at(0, "spawn 0 71").at(100, "claim 5 70", "start 5 71", "end 5 71", "ack 5 73", goodbye)
    )
    cluster.dead = {71}
    assert cluster.verdict(103) == ""
    assert cluster.verdict(10_000) == ""


def test_a_dead_monitor_is_seen():
    cluster = Cluster().at(1, "claim 5 70", "start 5 71", "end 5 71")
    assert cluster.verdict(11) == ""
    assert "not acknowledged" in cluster.verdict(12)


def test_a_later_acknowledgement_makes_up_for_a_lost_report():
    cluster = Cluster().at(1, "claim 1 70", "start 1 71", "end 1 71")
    cluster.at(5, "claim 2 70", "start 2 71", "end 2 71", "ack 2 73")
    assert cluster.verdict(100) == ""


def test_claims_of_a_killed_pusher_are_given_up_when_later_ones_start():
    cluster = Cluster().at(1, "claim 1 70").at(2, "claim 2 80", "start 2 71", "end 2 71", "ack 2 73")
    assert cluster.verdict(100) == ""
    assert cluster.progress.unfinished() == {1}


def test_starts_may_arrive_out_of_order():
    cluster = Cluster().at(1, "claim 1 70", "claim 2 70", "start 2 72", "start 1 71")
    assert cluster.progress.unfinished() == {1, 2}
    cluster.at(2, "end 1 71", "ack 1 73", "end 2 72", "ack 2 73")
    assert cluster.progress.unfinished() == set()


def test_due_jobs_that_are_not_claimed():
    cluster = Cluster().at(1, "spawn 0 71")
    assert cluster.verdict(30, oldest_due=25) == ""
    assert "none are claimed" in cluster.verdict(36, oldest_due=25)
    # A cluster that is still starting, or has just done something, is given the full time.
    assert Cluster().verdict(STARTUP + 9, oldest_due=-1000) == ""
    assert "none are claimed" in Cluster().verdict(STARTUP + 11, oldest_due=-1000)
    assert Cluster().at(30, "claim 1 70", "drop 1 70").verdict(36, oldest_due=0) == ""


def test_a_busy_cluster_may_leave_due_jobs_alone():
    cluster = Cluster(workers=1).at(1, "claim 1 70", "start 1 71")
    assert cluster.verdict(80, oldest_due=2) == ""


def test_a_job_that_runs_beyond_its_timeout():
    cluster = Cluster().at(1, "claim 1 70", "start 1 71")
    assert cluster.verdict(TIMEOUT) == ""
    assert "timeout" in cluster.verdict(TIMEOUT + STALL + 2)


def test_unreadable_jobs_do_not_wait_and_nonsense_is_ignored():
    cluster = Cluster().at(1, "claim 1 70", "drop 1 70", "", "claim", "claim x y", "dance 1 2")
    assert cluster.verdict(1000) == ""
    assert cluster.progress.unfinished() == set()
