"""The API's composition root: `gunicorn adapters_http.wsgi:application`.

Importing this reads all settings and resolves everything the API will ever need, so a mistake ends
the process before it listens. Connections are opened at their first use, in each process its own.
"""

import os
from pathlib import Path
from typing import Self

import attrs
import falcon
import punq
from loguru import logger

import adapters_db.wiring
import adapters_http.wiring
import adapters_sms.wiring
from adapters_db.settings import DatabaseSettings
from adapters_http.app import create_app
from adapters_http.contact_settings import ContactSettings
from adapters_http.settings import EdgeSettings, web_threads
from adapters_http.web import deadlines
from adapters_http.web.context import Request, Response
from adapters_sms.settings import SmsSettings
from retail_core.accounts.model import AccountDefaults
from retail_core.accounts.settings import account_defaults
from retail_core.campaigns.planning import SendingPolicy
from retail_core.campaigns.settings import sending_policy
from retail_core.engagement.model import ConfirmationPolicy, Keywords
from retail_core.engagement.settings import confirmation_policy, keywords
from retail_core.kernel.ports import Clock, Randomness
from retail_core.kernel.process import logs
from retail_core.kernel.process.machine import SystemClock, SystemPause, SystemRandomness
from retail_core.kernel.settings import AppSettings, Env, read_env
from retail_core.messages.ports import Pause


@attrs.frozen
class Settings:
    """Everything the API is told."""

    app: AppSettings
    database: DatabaseSettings
    sms: SmsSettings
    accounts: AccountDefaults
    contacts: ContactSettings
    edge: EdgeSettings
    sending: SendingPolicy
    confirmations: ConfirmationPolicy
    keywords: Keywords

    @classmethod
    def read(cls, env: Env) -> Self:
        """Take all variables; problems are collected by `env`."""
        return cls(
            app=AppSettings.read(env),
            # a connection for each thread: to open one costs more than most requests
            database=attrs.evolve(DatabaseSettings.read(env), pool_connections=web_threads(env)),
            sms=SmsSettings.read(env),
            accounts=account_defaults(env),
            contacts=ContactSettings.read(env),
            edge=EdgeSettings.read(env),
            sending=sending_policy(env),
            confirmations=confirmation_policy(env),
            keywords=keywords(env),
        )


def build(env: Env) -> "falcon.App[Request, Response]":
    """The app of these settings. Raises SettingsError, naming every variable that is wrong."""
    settings = Settings.read(env)
    warnings = env.finish()
    logs.configure(logger, settings.app, "api")
    for warning in warnings:
        logger.warning(warning)
    container = compose(settings)
    return create_app(adapters_http.wiring.parts(container, settings.edge))


def compose(settings: Settings) -> punq.Container:
    """Everything that resources and use cases ask for."""
    container = punq.Container()
    container.register(Clock, instance=SystemClock())
    container.register(Randomness, instance=SystemRandomness())
    container.register(Pause, instance=SystemPause())
    container.register(AccountDefaults, instance=settings.accounts)
    container.register(SendingPolicy, instance=settings.sending)
    container.register(ConfirmationPolicy, instance=settings.confirmations)
    container.register(Keywords, instance=settings.keywords)
    adapters_db.wiring.register(container, settings.database, deadlines.remaining_seconds)
    adapters_sms.wiring.register(container, settings.sms)
    adapters_http.wiring.register_contacts(container, settings.contacts)
    adapters_http.wiring.register(container, settings.edge)
    return container


application = build(read_env(os.environ, Path.cwd()))
