from datetime import UTC, datetime, timedelta

from adapters_db.connection.connections import Connections
from adapters_db.kernel.periodic_jobs import SqlPeriodicJobs
from adapters_db.operations.failed_jobs import DETAIL_CHARACTERS_MAX, SqlFailedJobs
from adapters_db.operations.pruning import PRUNED, SqlPruning
from adapters_db.transactions import SqlTransactions
from retail_core.kernel.ids import AccountId
from retail_core.kernel.jobs import Job
from workers.jobs.cleaning import Lives

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_failed_job_is_kept_with_whatever_text_its_error_has(connections: Connections) -> None:
    failures = SqlFailedJobs(connections)
    before = failures.count()
    detail = "\0" + "ä" * 3 * DETAIL_CHARACTERS_MAX
    failures.record(Job("note", "k", {"n": 1}, AccountId(1)), "ValueError", detail, 3, NOW)
    assert failures.count() == before + 1


def test_a_lasting_job_is_due_once_per_period_whoever_asks(connections: Connections) -> None:
    periodic = SqlPeriodicJobs(connections)
    job = Job("lasting", "lasting:once")
    assert periodic.put_due([(job, DAY)], NOW) == ["lasting:once"]
    assert periodic.put_due([(job, DAY)], NOW + DAY / 2) == []
    assert periodic.put_due([(job, DAY)], NOW + DAY) == ["lasting:once"]


def test_a_lasting_job_lies_in_the_outbox_when_it_is_due(connections: Connections) -> None:
    job = Job("lasting", "lasting:outbox")
    SqlPeriodicJobs(connections).put_due([(job, DAY)], NOW)
    with SqlTransactions(connections).across_accounts() as uow:
        due = uow.jobs.take_due_across_accounts(NOW, 10_000)
        uow.jobs.remove_across_accounts([each for each in due if each.job == job])
    assert [each.job for each in due if each.job.key == job.key] == [job]


def test_only_what_is_older_is_counted_and_removed(connections: Connections) -> None:
    failures, pruning = SqlFailedJobs(connections), SqlPruning(connections)
    long_ago = NOW - 1_000 * DAY
    pruning.remove_older("failed_jobs", long_ago + 2 * DAY)
    for days in range(4):
        failures.record(Job("note", "old"), "ValueError", "", 1, long_ago + days * DAY)
    assert pruning.count_older("failed_jobs", long_ago + 2 * DAY) == 2
    assert pruning.remove_older("failed_jobs", long_ago + 2 * DAY) == 2
    assert pruning.count_older("failed_jobs", long_ago + 4 * DAY) == 2


def test_everything_that_has_a_life_can_be_pruned() -> None:
    assert set(Lives(DAY).by_name()) == PRUNED
