"""Whom a campaign that has started is for."""

import attrs
from sqlalchemy import any_, exists, literal, or_, select

from adapters_db.connection.reads import Reads
from adapters_db.tables.campaigns import message, send_batch
from retail_core.kernel.ids import AccountId, CampaignId, ContactId


@attrs.frozen
class SqlFrozenRecipients:
    """`FrozenRecipients` on PostgreSQL."""

    reads: Reads

    def includes(self, account: AccountId, campaign: CampaignId, contact: ContactId) -> bool:
        """A row by its unique key, or a place in a batch that has no rows yet."""
        row = exists().where(
            message.c.account_id == account,
            message.c.contact_id == contact,
            message.c.campaign_id == campaign,
        )
        place = exists().where(
            send_batch.c.account_id == account,
            send_batch.c.campaign_id == campaign,
            literal(contact) == any_(send_batch.c.contact_ids),
        )
        with self.reads.account(account) as connection:
            return bool(connection.execute(select(or_(row, place))).scalar())
