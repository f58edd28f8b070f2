"""The floor of `bench.reports`: the same server and application, but one commit for each request.

    gunicorn bench.one_commit:application

It writes no nudge at all, which flatters it: ours does.
"""

import os
from pathlib import Path

import attrs

import adapters_http.wiring
from adapters_db.transactions import SqlTransactions
from adapters_http import wsgi
from adapters_http.app import create_app
from retail_core.kernel.settings import read_env
from retail_core.messages.model import WebhookCall
from retail_core.messages.ports import ReportInbox


@attrs.frozen
class OneCommitEach:
    """Every call in a transaction of its own."""

    transactions: SqlTransactions

    def take_in(self, call: WebhookCall) -> None:
        """Insert and commit."""
        with self.transactions.across_accounts() as uow:
            uow.reports.add([call])


_settings = wsgi.Settings.read(read_env(os.environ, Path.cwd()))
_container = wsgi.compose(_settings)
_container.register(ReportInbox, instance=OneCommitEach(_container.resolve(SqlTransactions)))
application = create_app(adapters_http.wiring.parts(_container, _settings.edge))
