"""The books of one account after the other: ledger, holds and campaigns against their rows.

Nothing is locked, and nothing grows with what was checked before: transfers are added to sums that
were right the last time, and only campaigns that changed since are counted. Once in a while an
account's transfers are added up from the first on.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import attrs
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

from adapters_db.campaigns.recount import OF_ONE, CampaignMismatch, mismatch_of
from adapters_db.connection.connections import Connections
from adapters_db.tables.credits import ledger_check
from retail_core.credits.model import Wallet
from retail_core.credits.queries import LedgerMismatch
from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.messages.model import MessageState

TRANSFERS_PER_STATEMENT_MAX: Final = 50_000
CAMPAIGNS_WHOLE_DAYS: Final = 7
"""After so many days no report is expected that could still change a campaign."""
CLOCKS_DIFFER: Final = timedelta(hours=1)
"""A change may be written with the time of another machine, and a while after it."""

# An account is due when its wallet is not what was right last time, when transfers or changes of
# campaigns came since, or when its whole ledger was last added up long ago.
DUE: Final = text(
    """
    SELECT a.id
    FROM account a
    LEFT JOIN wallet w ON w.account_id = a.id
    LEFT JOIN ledger_check c ON c.account_id = a.id
    WHERE a.id > :after
      AND (c.account_id IS NULL OR c.whole_at <= :whole_before
           OR (coalesce(w.available, 0), coalesce(w.held, 0), coalesce(w.debt, 0))
              <> (c.available, c.held, c.debt)
           OR EXISTS (SELECT FROM credit_transfer t
                      WHERE t.account_id = a.id AND t.id > c.through_id)
           OR EXISTS (SELECT FROM campaign p
                      WHERE p.account_id = a.id AND p.started_at IS NOT NULL
                        AND p.updated_at >= c.checked_at - :clocks_differ))
    ORDER BY a.id LIMIT :accounts_max
    """
)
_ACCOUNTS: Final = text("SELECT id FROM account WHERE id > :after ORDER BY id LIMIT :accounts_max")
_LAST: Final = text(
    """
    SELECT c.through_id, c.available, c.held, c.debt, c.checked_at, c.whole_at
    FROM ledger_check c WHERE c.account_id = :account
    """
)
_WALLET: Final = text(
    """
    SELECT coalesce(sum(available), 0)::bigint, coalesce(sum(held), 0)::bigint,
           coalesce(sum(debt), 0)::bigint
    FROM wallet WHERE account_id = :account
    """
)
TRANSFERS: Final = text(
    """
    SELECT count(*), coalesce(max(id), :after),
           coalesce(sum(amount) FILTER (WHERE credit = 'available'), 0)::bigint
               - coalesce(sum(amount) FILTER (WHERE debit = 'available'), 0)::bigint,
           coalesce(sum(amount) FILTER (WHERE credit = 'held'), 0)::bigint
               - coalesce(sum(amount) FILTER (WHERE debit = 'held'), 0)::bigint,
           coalesce(sum(amount) FILTER (WHERE debit = 'debt'), 0)::bigint
               - coalesce(sum(amount) FILTER (WHERE credit = 'debt'), 0)::bigint
    FROM (SELECT id, debit, credit, amount FROM credit_transfer
          WHERE account_id = :account AND id > :after ORDER BY id LIMIT :transfers_max) t
    """
)
# What waits or is in doubt is what credits are held for: by campaigns, and by single messages.
HELD: Final = text(
    f"""
    SELECT (SELECT coalesce(sum(credits_held), 0)::bigint FROM campaign
            WHERE account_id = :account)
         + (SELECT coalesce(sum(credits), 0)::bigint FROM single_message
            WHERE account_id = :account AND holds
              AND state IN ({MessageState.QUEUED:d}, {MessageState.SUBMITTING:d},
                            {MessageState.UNKNOWN:d}))
    """
)
CHANGED: Final = text(
    """
    SELECT id FROM campaign
    WHERE account_id = :account AND started_at IS NOT NULL
      AND (updated_at >= :since OR started_at >= :started_since)
    ORDER BY id
    """
)


@attrs.frozen
class HoldMismatch:
    """A wallet that holds other credits than its campaigns and single messages have open."""

    account: AccountId
    stored: int
    recomputed: int


@attrs.frozen
class Books:
    """What was found in the books of an account; None and nothing where they are right."""

    account: AccountId
    wallet: LedgerMismatch | None = None
    holds: HoldMismatch | None = None
    campaigns: Sequence[CampaignMismatch] = ()

    @property
    def are_right(self) -> bool:
        return self.wallet is None and self.holds is None and not self.campaigns


@attrs.frozen
class _Check:
    """How far an account was checked, and what its transfers came to."""

    through_id: int
    wallet: Wallet
    checked_at: datetime | None
    whole_at: datetime


@attrs.frozen
class SqlBooks:
    """Checks books, and remembers how far. Raises `Unavailable`."""

    connections: Connections

    def due_across_accounts(
        self, after: AccountId, whole_before: datetime, accounts_max: int
    ) -> Sequence[AccountId]:
        """The next accounts of which something may have changed, by id."""
        values = {
            "after": after,
            "whole_before": whole_before,
            "clocks_differ": CLOCKS_DIFFER,
            "accounts_max": accounts_max,
        }
        with self.connections.sweep(read_only=True) as connection:
            return [AccountId(each) for each in connection.execute(DUE, values).scalars()]

    def accounts(self, after: AccountId, accounts_max: int) -> Sequence[AccountId]:
        """The next accounts, whatever happened in them."""
        values = {"after": after, "accounts_max": accounts_max}
        with self.connections.sweep(read_only=True) as connection:
            return [AccountId(each) for each in connection.execute(_ACCOUNTS, values).scalars()]

    def verify(self, account: AccountId, now: datetime) -> Books:
        """Add up all transfers and count all campaigns from the first on; writes nothing down."""
        return self._compared(account, _Check(0, Wallet(), None, now), now)[0]

    def check(self, account: AccountId, whole_before: datetime, now: datetime) -> Books:
        """Compare what changed since; where all is right, write down how far that goes."""
        with self.connections.sweep(read_only=True) as connection:
            last = _last(connection, account, whole_before, now)
        books, reached = self._compared(account, last, now)
        if books.are_right:
            self._write_down(account, reached, now)
        return books

    def _compared(self, account: AccountId, last: _Check, now: datetime) -> tuple[Books, _Check]:
        """Wallet, transfers and holds as of one moment, and each campaign with its rows as of one.

        So whoever sends meanwhile does not look like a difference. What is read at once is bounded:
        transfers by the page, rows by the campaign.
        """
        with self.connections.snapshot() as connection:
            stored, reached = _added_up(connection, account, last)
            held = connection.execute(HELD, {"account": account}).scalar_one()
            changed = _changed(connection, account, last, now)
        found = (self._mismatch(campaign) for campaign in changed)
        books = Books(
            account,
            None if stored == reached.wallet else LedgerMismatch(account, stored, reached.wallet),
            None if stored.held == held else HoldMismatch(account, stored.held, held),
            [each for each in found if each is not None],
        )
        return books, reached

    def _mismatch(self, campaign: CampaignId) -> CampaignMismatch | None:
        with self.connections.sweep(read_only=True) as connection:
            row = connection.execute(OF_ONE, {"campaign": campaign, "mismatches_max": 1}).first()
        return None if row is None else mismatch_of(row)

    def _write_down(self, account: AccountId, reached: _Check, now: datetime) -> None:
        """Of two checks at once the one that came further stays."""
        values = {
            "through_id": reached.through_id,
            **attrs.asdict(reached.wallet),
            "checked_at": now,
            "whole_at": reached.whole_at,
        }
        written = insert(ledger_check).values(account_id=account, **values)
        with self.connections.sweep() as connection:
            connection.execute(
                written.on_conflict_do_update(
                    index_elements=[ledger_check.c.account_id],
                    set_=values,
                    where=ledger_check.c.through_id <= reached.through_id,
                )
            )


def _last(
    connection: Connection, account: AccountId, whole_before: datetime, now: datetime
) -> _Check:
    """Where the last check ended; the very beginning if that is to be added up again."""
    row = connection.execute(_LAST, {"account": account}).first()
    if row is None:
        return _Check(0, Wallet(), None, now)
    if row.whole_at <= whole_before:
        return _Check(0, Wallet(), row.checked_at, now)
    return _Check(
        row.through_id, Wallet(row.available, row.held, row.debt), row.checked_at, row.whole_at
    )


def _added_up(connection: Connection, account: AccountId, last: _Check) -> tuple[Wallet, _Check]:
    """The wallet as it is, and as its transfers have it."""
    stored = Wallet(*connection.execute(_WALLET, {"account": account}).one())
    after, sums = last.through_id, last.wallet
    while True:
        values = {
            "account": account,
            "after": after,
            "transfers_max": TRANSFERS_PER_STATEMENT_MAX,
        }
        count, after, *more = connection.execute(TRANSFERS, values).one()
        sums = Wallet(sums.available + more[0], sums.held + more[1], sums.debt + more[2])
        if count < TRANSFERS_PER_STATEMENT_MAX:
            return stored, attrs.evolve(last, through_id=after, wallet=sums)


def _changed(
    connection: Connection, account: AccountId, last: _Check, now: datetime
) -> list[CampaignId]:
    """Campaigns to be counted: those that changed; now and then also all of the last days."""
    ever = datetime.min.replace(tzinfo=now.tzinfo)
    is_whole = last.whole_at == now
    values = {
        "account": account,
        "since": ever if last.checked_at is None else last.checked_at - CLOCKS_DIFFER,
        "started_since": now - timedelta(days=CAMPAIGNS_WHOLE_DAYS) if is_whole else now,
    }
    return [CampaignId(each) for each in connection.execute(CHANGED, values).scalars()]
