"""The composition root of the command line: only what the command needs."""

import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Final

import attrs
import punq
from loguru import logger

import adapters_db.wiring
import adapters_sms.wiring
from adapters_db.connection.connections import Connections
from adapters_db.settings import DatabaseSettings
from adapters_sms.settings import SmsSettings
from retail_core.accounts.model import AccountDefaults
from retail_core.accounts.settings import account_defaults
from retail_core.campaigns.planning import SendingPolicy
from retail_core.campaigns.settings import sending_policy
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.settings import number_hash_of
from retail_core.kernel.process import logs
from retail_core.kernel.process.machine import SystemPause
from retail_core.kernel.settings import AppSettings, Env
from retail_core.messages.ports import Pause
from workers.cli.command import Need
from workers.settings import lives
from workers.wiring import register_machine, register_operations

STATEMENT_SECONDS_MAX: Final = 3600
"""An operator may wait longer for a statement than a request does."""


def log_to_standard_error(settings: AppSettings) -> None:
    """What a command prints stays clean of its log."""
    logs.configure(logger, settings, "cli", sys.stderr)


@contextmanager
def prepared(
    env: Env, needs: Collection[Need], set_up_logs: Callable[[AppSettings], None]
) -> Iterator[punq.Container]:
    """A container of what is needed; connections are closed at the end.

    Raises SettingsError, naming every variable of those that is missing or malformed.
    """
    app = AppSettings.read(env)
    database = DatabaseSettings.read(env) if Need.DATABASE in needs else None
    kept = lives(env)
    accounts = account_defaults(env) if Need.ACCOUNTS in needs else None
    policy = sending_policy(env) if Need.SENDING in needs else None
    sms = SmsSettings.read(env) if Need.GATEWAY in needs else None
    number_hash = number_hash_of(env) if Need.NUMBERS in needs else None
    warnings = env.finish()
    set_up_logs(app)
    for warning in warnings:
        logger.warning(warning)
    container = punq.Container()
    register_machine(container)
    if accounts is not None:
        container.register(AccountDefaults, instance=accounts)
    if policy is not None:
        container.register(SendingPolicy, instance=policy)
    if number_hash is not None:
        container.register(NumberHash, instance=number_hash)
    if sms is not None:
        container.register(Pause, instance=SystemPause())
        adapters_sms.wiring.register(container, sms)
    if database is None:
        yield container
        return
    patient = attrs.evolve(database, statement_timeout_seconds=STATEMENT_SECONDS_MAX)
    container.register(DatabaseSettings, instance=patient)
    adapters_db.wiring.register(container, patient)
    register_operations(container, kept)
    try:
        yield container
    finally:
        container.resolve(Connections).engine.dispose()
