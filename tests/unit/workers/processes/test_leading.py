from collections.abc import Sequence
from datetime import datetime, timedelta

import attrs

from retail_core.kernel.errors import Unavailable
from retail_core.kernel.jobs import Job
from retail_core.testing.kernel.clock import FixedClock
from workers.jobs.periodic import PERIODIC, Periodic, every
from workers.processes.leading import LeadLoop


@attrs.define
class Stage:
    """A lead, a queue and a database that do what the test says."""

    free: bool = True
    queue_answers: bool = True
    database_answers: bool = True
    seconds: float = 0.0
    nudged: list[str] = attrs.field(factory=list)
    lasting: list[str] = attrs.field(factory=list)
    released: int = 0

    def hold(self) -> bool:
        if not self.database_answers:
            raise Unavailable
        return self.free

    def release(self) -> None:
        self.released += 1

    def put(self, job: Job) -> bool:
        if not self.queue_answers:
            raise Unavailable
        self.nudged.append(job.key)
        return True

    def put_due(self, jobs: Sequence[tuple[Job, timedelta]], now: datetime) -> Sequence[str]:
        self.lasting.extend(job.key for job, _every in jobs)
        return ()

    def loop(self, *periodic: Periodic) -> LeadLoop:
        return LeadLoop(self, self, self, FixedClock(), periodic, lambda: self.seconds)

    def live(self, loop: LeadLoop, seconds: float) -> None:
        ends = self.seconds + seconds
        while self.seconds < ends:
            self.seconds += loop.tick()


def test_the_leader_nudges_each_job_once_per_period() -> None:
    stage = Stage()
    stage.live(stage.loop(every("a", seconds=5), every("b", seconds=20)), 20)
    assert (stage.nudged.count("a"), stage.nudged.count("b")) == (4, 1)


def test_who_does_not_lead_nudges_nothing() -> None:
    stage = Stage(free=False)
    stage.live(stage.loop(every("a", seconds=5)), 60)
    assert stage.nudged == []


def test_a_follower_takes_over_when_the_lead_is_free() -> None:
    stage = Stage(free=False)
    loop = stage.loop(every("a", seconds=5))
    stage.live(loop, 10)
    stage.free = True
    stage.live(loop, 6)
    assert loop.is_leading
    assert "a" in stage.nudged


def test_a_leader_that_lost_the_database_stops_leading_until_it_answers() -> None:
    stage = Stage()
    loop = stage.loop(every("a", seconds=5))
    stage.live(loop, 10)
    stage.database_answers = False
    stage.live(loop, 10)
    assert not loop.is_leading
    stage.database_answers = True
    stage.live(loop, 20)
    assert loop.is_leading


def test_what_could_not_be_nudged_is_nudged_as_soon_as_the_queue_answers() -> None:
    stage = Stage(queue_answers=False)
    loop = stage.loop(every("a", seconds=50), every("b", seconds=50))
    stage.live(loop, 5)
    assert stage.nudged == []
    stage.queue_answers = True
    stage.live(loop, 16)
    assert stage.nudged == ["a", "b"]


def test_a_job_with_a_long_period_is_left_to_the_database_to_time() -> None:
    stage = Stage()
    stage.live(stage.loop(every("daily", days=1)), 130)
    assert stage.nudged == []
    assert 2 <= stage.lasting.count("daily") <= 3


def test_the_names_of_periodic_jobs_are_unique() -> None:
    names = [each.job.key for each in PERIODIC]
    assert len(names) == len(set(names))
