"""The wiring list of all stores over one transaction."""

import attrs
from sqlalchemy import Connection

from adapters_db.billing import SqlSubscriptionStore
from adapters_db.credits import SqlCreditLedger
from adapters_db.outbox import SqlJobOutbox


@attrs.frozen
class SqlUnitOfWork:
    """Satisfies the slice of every room; each store lives as long as the transaction."""

    connection: Connection
    jobs: SqlJobOutbox = attrs.field(init=False)
    _effects: list[int] = attrs.field(init=False, factory=list)

    @jobs.default
    def _jobs(self) -> SqlJobOutbox:
        return SqlJobOutbox(self.connection)

    @property
    def credits(self) -> SqlCreditLedger:
        return SqlCreditLedger(self.connection)

    @property
    def subscriptions(self) -> SqlSubscriptionStore:
        return SqlSubscriptionStore(self.connection)

    def effect(self, effect_id: int) -> None:
        """Name what this transaction made, for the reply to a repeat of the same request."""
        self._effects.append(effect_id)

    @property
    def named_effect(self) -> int:
        """The effect named last; 0 if none was."""
        return self._effects[-1] if self._effects else 0

    def flush(self) -> None:
        """Write what was kept back until the commit."""
        self.jobs.flush()
