from collections.abc import Mapping
from datetime import timedelta

import pytest

from adapters_db.connection.connections import Connections
from retail_core.kernel.ids import WorkerId
from retail_core.kernel.settings import Env, SettingsError
from retail_core.messages.jobs import (
    APPLY_REPORTS,
    DISPATCH,
    MATCH_PARKED_REPORTS,
    REFRESH_STATUSES,
)
from retail_core.messages.model import LEASE_SECONDS, CreditPolicy
from retail_core.messages.use_cases import DispatchBatch, SendSingleMessages, UnknownPolicy
from workers import scheduler, worker
from workers.jobs import kinds
from workers.jobs.lanes import Lane
from workers.jobs.periodic import periodic
from workers.processes.queue import JobQueue
from workers.wiring import Settings, build, redis_of

NOWHERE: Mapping[str, str] = {
    "APP_ENV": "test",
    "DATABASE_URL": "postgresql://127.0.0.1:1/nowhere",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "MITTO_API_KEY": "key",
    "SMS_TRAFFIC_ACCOUNT_ID": "account",
    "UNSUBSCRIBE_TOKEN_SECRET": "s" * 32,
}


def _settings() -> Settings:
    env = Env(NOWHERE)
    settings = Settings.read(env)
    env.finish()
    return settings


def test_a_worker_has_everything_it_will_ever_need_before_it_connects() -> None:
    container = build(_settings())
    queue = JobQueue(redis_of(NOWHERE["REDIS_URL"]), kinds.lane_of)
    run = worker.runner(container, queue, WorkerId("w"), worker.Stopping())
    assert set(run.resolved) == {kind.name for kind in kinds.JOB_KINDS}
    container.resolve(Connections).engine.dispose()


def test_a_scheduler_has_everything_it_will_ever_need_before_it_connects() -> None:
    assert set(scheduler.loops(_settings(), build(_settings()))) == {"relay", "lead"}


def test_every_nudge_that_is_made_has_a_kind_that_runs_it() -> None:
    made = {each.job.kind for each in periodic(timedelta(1))} | {
        DISPATCH,
        APPLY_REPORTS,
        MATCH_PARKED_REPORTS,
    }
    assert made <= set(kinds.KINDS_BY_NAME)


def test_a_kind_of_a_newer_release_has_a_lane() -> None:
    assert kinds.lane_of("unheard") is Lane.SWEEPS


def test_no_queue_means_nothing_to_serve() -> None:
    env = Env({**NOWHERE, "QUEUE_DISABLED": "1"})
    assert Settings.read(env).worker.redis_url is None


def test_every_missing_variable_is_named_at_once() -> None:
    env = Env({"APP_ENV": "production"})
    Settings.read(env)
    with pytest.raises(SettingsError) as refused:
        env.finish()
    named = {problem.partition(":")[0] for problem in refused.value.problems}
    assert named >= {"DATABASE_URL", "REDIS_URL", "MITTO_API_KEY", "UNSUBSCRIBE_TOKEN_SECRET"}


def test_the_lease_of_a_batch_can_be_told_and_reaches_whoever_claims_it() -> None:
    env = Env({**NOWHERE, "MITTO_TIMEOUT_SECONDS": "1", "BATCH_LEASE_SECONDS": "3"})
    container = build(Settings.read(env))
    batches, singles = container.resolve(DispatchBatch), container.resolve(SendSingleMessages)
    assert (batches.lease_seconds, batches.call_seconds) == (3, 1)
    assert (singles.lease_seconds, singles.call_seconds) == (3, 1)
    assert build(_settings()).resolve(DispatchBatch).lease_seconds == LEASE_SECONDS


def test_a_lease_must_be_longer_than_two_calls_of_the_gateway() -> None:
    env = Env({**NOWHERE, "MITTO_TIMEOUT_SECONDS": "10", "BATCH_LEASE_SECONDS": "20"})
    Settings.read(env)
    with pytest.raises(SettingsError, match=r"BATCH_LEASE_SECONDS.*twice.*10 s"):
        env.finish()


def test_what_becomes_of_unknown_messages_can_be_told() -> None:
    told = {"UNKNOWN_SETTLE_HOURS": "5", "UNKNOWN_CREDIT_POLICY": "capture"}
    policy = build(Settings.read(Env({**NOWHERE, **told}))).resolve(UnknownPolicy)
    assert policy == UnknownPolicy(timedelta(hours=5), CreditPolicy.CAPTURE)
    assert build(_settings()).resolve(UnknownPolicy).credits is CreditPolicy.RELEASE


def test_the_gateway_is_asked_as_often_as_told_or_never() -> None:
    def read(**told: str) -> timedelta | None:
        return Settings.read(Env({**NOWHERE, **told})).worker.refresh_every

    assert read() == timedelta(minutes=10)
    assert read(STATUS_REFRESH_INTERVAL="90000") == timedelta(seconds=90)
    assert read(STATUS_REFRESH_ENABLED="0") is None
    kinds_asked = {each.job.kind for each in periodic(None)}
    assert REFRESH_STATUSES not in kinds_asked
