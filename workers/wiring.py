"""Plugs the adapters together for the worker, the scheduler and the command line."""

import os
import secrets
import socket
from pathlib import Path
from typing import Any, Final, Self

import attrs
import punq
from loguru import logger
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

import adapters_db.wiring
import adapters_sms.wiring
from adapters_db.campaigns.books import SqlBooks
from adapters_db.connection.connections import Connections
from adapters_db.kernel.periodic_jobs import SqlPeriodicJobs
from adapters_db.operations.failed_jobs import SqlFailedJobs
from adapters_db.operations.pruning import SqlPruning
from adapters_db.settings import DatabaseSettings
from adapters_sms.settings import SmsSettings
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.engagement.model import Keywords, StopConfirmationPolicy
from retail_core.engagement.use_cases import ConfirmStop
from retail_core.imports.ports import TableReader
from retail_core.imports.use_cases import ImportContacts
from retail_core.kernel.ids import WorkerId
from retail_core.kernel.ports import Clock, Randomness
from retail_core.kernel.process import logs
from retail_core.kernel.process.machine import SystemClock, SystemPause, SystemRandomness
from retail_core.kernel.settings import AppSettings, Env, read_env
from retail_core.links.codes import LinkCodes
from retail_core.messages.ports import Pause
from retail_core.messages.use_cases import (
    AskGateway,
    DispatchBatch,
    RefreshStatuses,
    SendSingleMessages,
    UnknownPolicy,
)
from retail_core.messages.use_cases.looking_up import round_budget
from retail_core.notices.ports import Notifier
from retail_core.notices.use_cases import ResetLink
from workers.jobs.checking_books import BooksStore
from workers.jobs.cleaning import Lives, Pruning
from workers.jobs.kinds import JOB_KINDS
from workers.notifying import NotifyingSettings, notifier_of
from workers.readers import TableReaders
from workers.readers.reading_ahead import read_ahead
from workers.settings import WorkerSettings

REDIS_SECONDS: Final = 5.0
LEASE_CALLS_MIN: Final = 2
"""A call begins only while the time of a whole one is left of the lease; as much is to spare."""


@attrs.frozen
class Settings:
    """Everything a background process or a command is told."""

    app: AppSettings
    database: DatabaseSettings
    sms: SmsSettings
    worker: WorkerSettings
    notifying: NotifyingSettings

    @classmethod
    def read(cls, env: Env) -> Self:
        """Take all variables; problems are collected by `env`."""
        sms, worker = SmsSettings.read(env), WorkerSettings.read(env)
        if worker.batch_lease_seconds <= LEASE_CALLS_MIN * sms.timeout_seconds:
            problem = f"is not longer than twice a gateway call ({sms.timeout_seconds:g} s)"
            env.problem("BATCH_LEASE_SECONDS", f"{problem}, see MITTO_TIMEOUT_SECONDS")
        return cls(
            app=AppSettings.read(env),
            database=DatabaseSettings.read(env),
            sms=sms,
            worker=worker,
            notifying=NotifyingSettings.read(env),
        )


def start(process: str) -> Settings:
    """Read the settings of this process and set up its logs.

    Raises SettingsError, naming every variable that is missing or malformed.
    """
    env = read_env(os.environ, Path.cwd())
    settings = Settings.read(env)
    warnings = env.finish()
    logs.configure(logger, settings.app, process)
    for warning in warnings:
        logger.warning(warning)
    return settings


def build(settings: Settings) -> punq.Container:
    """Everything a background process resolves; opens no connection yet."""
    container = punq.Container()
    register_machine(container)
    container.register(Pause, instance=SystemPause())
    container.register(TableReader, instance=TableReaders())
    codes = LinkCodes(settings.worker.token_secret.reveal_bytes())
    container.register(LinkCodes, instance=codes)
    adapters_db.wiring.register(container, settings.database)
    adapters_sms.wiring.register(container, settings.sms)
    register_operations(container, settings.worker.lives)
    container.register(Notifier, instance=notifier_of(settings.notifying))
    container.register(ResetLink, instance=settings.notifying.reset_link)
    container.register(UnknownPolicy, instance=settings.worker.unknown)
    container.register(AskGateway)
    container.register(NumberHash, instance=settings.worker.number_hash)
    container.register(Keywords, instance=settings.worker.keywords)
    container.register(StopConfirmationPolicy, instance=settings.worker.stop_confirmation)
    container.register(ConfirmStop)
    for kind in JOB_KINDS:
        container.register(kind.use_case)
    container.register(ImportContacts, read_ahead=read_ahead)
    worker = settings.worker
    leased: dict[str, Any] = {
        "lease_seconds": worker.batch_lease_seconds,
        "call_seconds": settings.sms.timeout_seconds,
    }
    pace, every = settings.sms.pace, worker.refresh_every
    if every is not None:
        calls_per_second = pace.traffic_account_calls_max * 1_000 / pace.traffic_account_window_ms
        budget = round_budget(every.total_seconds(), calls_per_second)
        container.register(RefreshStatuses, round_messages_max=budget, round_every=every)
    policy = worker.quiet_policy
    container.register(DispatchBatch, quiet_policy=policy, cap=worker.cap, **leased)
    container.register(SendSingleMessages, quiet_policy=policy, **leased)
    return container


def register_machine(container: punq.Container) -> None:
    """Register the clock and the randomness of this machine."""
    container.register(Clock, instance=SystemClock())
    container.register(Randomness, instance=SystemRandomness())


def register_operations(container: punq.Container, lives: Lives) -> None:
    """Register what keeps the background tidy; the database is registered already."""
    connections = container.resolve(Connections)
    container.register(SqlFailedJobs, instance=SqlFailedJobs(connections))
    container.register(SqlPeriodicJobs, instance=SqlPeriodicJobs(connections))
    container.register(Pruning, instance=SqlPruning(connections))
    container.register(BooksStore, instance=SqlBooks(connections))
    container.register(Lives, instance=lives)


def redis_of(url: str) -> Redis:
    """A client that tells a missing Redis at once; whoever uses it has its own patience."""
    return Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=REDIS_SECONDS,
        socket_timeout=REDIS_SECONDS,
        health_check_interval=30,
    )


def new_worker_id() -> WorkerId:
    """Unique over machines, processes and restarts."""
    return WorkerId(f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}")
