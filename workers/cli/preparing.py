"""The composition root of the command line: only what the command needs."""

import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Final

import attrs
import punq
from loguru import logger

import adapters_db.wiring
import adapters_http.process.logs
import adapters_http.wiring
import adapters_sms.wiring
from adapters_db.connection.connections import Connections
from adapters_db.settings import DatabaseSettings
from adapters_http.contact_settings import number_hash_of
from adapters_http.process.machine import SystemPause
from adapters_http.sending import sending_policy
from adapters_http.settings import AccountSettings
from adapters_sms.settings import SmsSettings
from retail_core.campaigns.planning import SendingPolicy
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.kernel.settings import AppSettings, Env
from retail_core.messages.ports import Pause
from workers.cli.command import Need
from workers.settings import lives
from workers.wiring import register_machine, register_operations

STATEMENT_SECONDS_MAX: Final = 3600
"""An operator may wait longer for a statement than a request does."""


def log_to_standard_error(settings: AppSettings) -> None:
    """What a command prints stays clean of its log."""
    adapters_http.process.logs.configure(settings, "cli", sys.stderr)


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
    accounts = AccountSettings.read(env) if Need.ACCOUNTS in needs else None
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
        adapters_http.wiring.register_accounts(container, accounts)
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
