"""Notices on PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

import attrs
from sqlalchemy import ColumnElement, Connection, delete, literal, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from adapters_db.connection.reads import Reads
from adapters_db.tables.accounts import account as accounts
from adapters_db.tables.campaigns import campaign
from adapters_db.tables.credits import wallet
from adapters_db.tables.notices import notice as notices
from retail_core.kernel.ids import AccountId, CampaignId, NoticeId
from retail_core.notices.model import ATTEMPTS_MAX, CampaignFacts, NewNotice, Notice, NoticeKind

_OPEN = notices.c.done_at.is_(None)


@attrs.frozen
class SqlNoticeStore:
    """`NoticeStore` on PostgreSQL."""

    connection: Connection

    def add(self, account: AccountId, notice: NewNotice) -> NoticeId | None:
        """One statement, whether there is such an account or not."""
        columns = notices.c
        row = select(
            accounts.c.id,
            literal(notice.kind, columns.kind.type),
            literal(notice.cause),
            literal(notice.campaign, columns.campaign_id.type),
            literal(notice.at, columns.created_at.type),
            literal(notice.at, columns.touched_at.type),
        ).where(accounts.c.id == account)
        names = ["account_id", "kind", "cause", "campaign_id", "created_at", "touched_at"]
        return self.connection.execute(
            insert(notices)
            .from_select(names, row)
            .on_conflict_do_nothing(index_elements=[columns.account_id, columns.cause])
            .returning(columns.id)
        ).scalar_one_or_none()

    def claim(
        self, account: AccountId, notice: NoticeId, now: datetime, until: datetime
    ) -> Notice | None:
        """The conditions in the statement let one of two have it."""
        columns = notices.c
        is_free = or_(columns.claimed_until.is_(None), columns.claimed_until <= now)
        row = self.connection.execute(
            update(notices)
            .where(_open(account, notice), is_free, columns.attempts < ATTEMPTS_MAX)
            .values(attempts=columns.attempts + 1, claimed_until=until, touched_at=now)
            .returning(
                columns.id,
                columns.account_id,
                columns.kind,
                columns.campaign_id,
                columns.created_at,
                columns.attempts,
            )
        ).one_or_none()
        return None if row is None else Notice(*row)

    def let_go(self, account: AccountId, notice: NoticeId, now: datetime) -> None:
        """Free at once."""
        self.connection.execute(
            update(notices)
            .where(_open(account, notice))
            .values(claimed_until=null(), touched_at=now)
        )

    def finish(self, account: AccountId, notice: NoticeId, now: datetime) -> None:
        """Done, and kept for a while."""
        self.connection.execute(
            update(notices)
            .where(_open(account, notice))
            .values(claimed_until=null(), touched_at=now, done_at=now)
        )

    def withdraw(self, account: AccountId, kind: NoticeKind) -> int:
        """Whoever is handing one over finishes without a row."""
        removed = self.connection.execute(
            delete(notices).where(notices.c.account_id == account, notices.c.kind == kind, _OPEN)
        )
        return removed.rowcount

    def forgotten_across_accounts(
        self, before: datetime, notices_max: int
    ) -> Sequence[tuple[AccountId, NoticeId]]:
        """By the partial index of those that are not done."""
        columns = notices.c
        rows = self.connection.execute(
            select(columns.account_id, columns.id)
            .where(_OPEN, columns.attempts < ATTEMPTS_MAX, columns.touched_at < before)
            .order_by(columns.touched_at)
            .limit(notices_max)
        )
        return [(account, notice) for account, notice in rows]


def _open(account: AccountId, notice: NoticeId) -> ColumnElement[bool]:
    return (notices.c.account_id == account) & (notices.c.id == notice) & _OPEN


@attrs.frozen
class SqlNoticeFacts:
    """`NoticeFacts` on PostgreSQL."""

    reads: Reads

    def campaign(self, account: AccountId, campaign_id: CampaignId) -> CampaignFacts | None:
        """By the key."""
        columns = campaign.c
        wanted = select(
            columns.name,
            columns.state,
            columns.status_reason,
            columns.total,
            columns.sent + columns.delivered,
            columns.failed,
            columns.unknown,
            columns.cancelled,
        ).where(columns.account_id == account, columns.id == campaign_id)
        with self.reads.account(account) as connection:
            row = connection.execute(wanted).one_or_none()
        if row is None:
            return None
        name, state, *others = row
        return CampaignFacts(name, state.value, *others)

    def available(self, account: AccountId) -> int:
        """As the wallet says; nothing before its first credits."""
        wanted = select(wallet.c.available).where(wallet.c.account_id == account)
        with self.reads.account(account) as connection:
            found = connection.execute(wanted).scalar_one_or_none()
        return found or 0
